"""What notify decides about: templates, people's contacts, offers, and notifications. Immutable values, and pure decisions on
them: which channels a message takes, when it is sent, and until when. The store maps documents to them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts import Channel, EncryptedFields, Reminder, Role, Series

LONGEST_DELIVERY = timedelta(hours=72)
DESK_CALL_GAP = timedelta(hours=4)  # a coordinator is called to the desk no more often
REPETITIONS_ALLOWED = {"email": 3, "text": 1}


@dataclass(frozen=True)
class NotificationTemplate:
    """What is special about a template.

    `useful_for`: later than that it helps nobody and is not sent. `reply`: answers a text that its receiver has just sent, so it
    goes at once, whatever the hour. `escalate`: when it reaches nobody, a coordinator should know. `spaced`: its text waits while
    another was sent within the hour. `gathered`: what comes soon after one waits for the next (DESK_CALL_GAP).
    """

    channels: tuple[Channel, ...] = ("email", "text")
    useful_for: timedelta = LONGEST_DELIVERY
    reply: bool = False
    escalate: bool = True
    spaced: bool = True
    gathered: bool = False


REPLY = NotificationTemplate(channels=("text",), useful_for=timedelta(hours=1), reply=True, escalate=False, spaced=False)
TEMPLATES: dict[str, NotificationTemplate] = {
    "offer": NotificationTemplate(spaced=False),
    "reminder": NotificationTemplate(escalate=False),
    "offer_gone": NotificationTemplate(escalate=False),
    "meetings_ended": NotificationTemplate(),
    "meetings_go_on": NotificationTemplate(),
    "meetings_news": NotificationTemplate(),
    "agreement_news": NotificationTemplate(escalate=False),
    "look_back": NotificationTemplate(escalate=False),
    "meeting_reminder": NotificationTemplate(escalate=False, spaced=False),
    "request_received": NotificationTemplate(),
    "said_yes": NotificationTemplate(),
    "not_this_time": NotificationTemplate(),
    "suggestions_ready": NotificationTemplate(),
    "waiting": NotificationTemplate(),
    "asked_after_waiting": NotificationTemplate(),
    "someone_will_write": NotificationTemplate(),
    "still_waiting": NotificationTemplate(escalate=False),
    "still_looking": NotificationTemplate(),
    "request_ending": NotificationTemplate(),
    "request_ended": NotificationTemplate(escalate=False),
    "reach_out": NotificationTemplate(escalate=False, gathered=True),
    "note": NotificationTemplate(),
    "message": NotificationTemplate(),
    "note_for_you": NotificationTemplate(escalate=False),
    "application_received": NotificationTemplate(channels=("email",), escalate=False),
    "application_news": NotificationTemplate(channels=("email",), escalate=False),
    "application_ending": NotificationTemplate(channels=("email",), escalate=False),
    "please_call": NotificationTemplate(channels=("email",), escalate=False),
    "digest": NotificationTemplate(channels=("email",), escalate=False),
    "sign_in": NotificationTemplate(useful_for=timedelta(minutes=30), escalate=False),
    "way_in": NotificationTemplate(channels=("email",), useful_for=timedelta(hours=24), escalate=False),
    "way_in_code": replace(REPLY, useful_for=timedelta(minutes=10)),
    "answer_yes": REPLY,
    "answer_not_this_time": REPLY,
    "too_many_codes": REPLY,
    "answer_already_yes": REPLY,
    "answer_already_not_this_time": REPLY,
    "answer_too_late": REPLY,
    "not_understood": REPLY,
    "how_to_answer": REPLY,
    "which_code": REPLY,
    "texts_stopped": REPLY,
    "texts_started": REPLY,
    "help": REPLY,
}
RECEIPT = "request_received"
CAN_WAIT = (
    "offer_gone",
    "meetings_ended",
    "meetings_go_on",
    "meetings_news",
    "agreement_news",
    "note_for_you",
    "application_news",
)
"""What comes in one e-mail a day for those who want that. Nobody waits for an answer to it by a day."""
UNKNOWN_TEMPLATE = NotificationTemplate(channels=())


def get_template(name: str) -> NotificationTemplate:
    """A notification may outlive a release that knows its template: an unknown one has no channel, and a coordinator hears."""
    return TEMPLATES.get(name, UNKNOWN_TEMPLATE)


def is_news(name: str) -> bool:
    """Not a link that somebody has just asked for, nor a reply to their text."""
    return name not in ("sign_in", "way_in") and not get_template(name).reply


def notification_id(cause: str, template: str, person_id: str, channel: Channel) -> str:
    """The same cause told to the same person by the same channel is one notification, however often its event comes."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{cause}/{template}/{person_id}/{channel}"))


def expires_at(name: str, created_at: datetime, answer_by: datetime | None, starts_at: datetime | None = None) -> datetime:
    """`starts_at`: of the meeting that it reminds of."""
    end = created_at + get_template(name).useful_for
    end = min(end, starts_at) if starts_at else end
    return min(end, answer_by) if answer_by and name in ("offer", "reminder") else end


def after_quiet_hours(moment: datetime, zone: str, quiet_from: int, quiet_until: int) -> datetime:
    """`moment`, or the end of the quiet hours that it falls in. Equal hours mean: none are quiet."""
    local = moment.astimezone(ZoneInfo(zone))
    if not is_quiet(local.hour, quiet_from, quiet_until):
        return moment
    end = datetime.combine(local.date(), time(quiet_until % 24), ZoneInfo(zone))
    if end <= local:
        end = datetime.combine(local.date() + timedelta(days=1), time(quiet_until % 24), ZoneInfo(zone))
    return end.astimezone(moment.tzinfo)


def is_quiet(hour: int, quiet_from: int, quiet_until: int) -> bool:
    if quiet_from <= quiet_until:
        return quiet_from <= hour < quiet_until
    return hour >= quiet_from or hour < quiet_until


def may_repeat(channel: Channel, name: str, uncertain: int) -> bool:
    """Whether to send again what was handed over `uncertain` times and may have arrived. An e-mail carries the same Message-ID,
    so a second one is harmless, but one that ends its worker each time has to end; a text is repeated once, a reply to a text
    not at all."""
    return uncertain <= (0 if get_template(name).reply else REPETITIONS_ALLOWED[channel])


def next_digest_at(moment: datetime, zone: str, quiet_until: int) -> datetime:
    """When their quiet hours end next."""
    local = moment.astimezone(ZoneInfo(zone))
    today = datetime.combine(local.date(), time(quiet_until % 24), ZoneInfo(zone))
    due = today if today > local else datetime.combine(local.date() + timedelta(days=1), time(quiet_until % 24), ZoneInfo(zone))
    return due.astimezone(moment.tzinfo)


Context = Mapping[str, str | datetime]


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How a person wants to be notified. Addresses stay encrypted until the moment of sending.

    `encrypted`: email, phone (E.164), link (of the team), known_as. `channels` empty: no notification at all. Quiet hours are
    local hours [from, until). `phone_hash`: keyed hash, to find the sender of a text. `only_news`: they are told only that they
    have a message. Nothing is sent while `unread` (nobody has read what they want us to know first) or `on_their_word` (before
    they say so on their page) or `unconfirmed` (their request is held, and nobody knows whose the address is: then one e-mail at
    most says that it arrived); `withheld` is the newest message that they would have got meanwhile. `opens_by_link`: their
    e-mails carry links that open something. `digest`: what can wait comes in one e-mail a day. `ended_at`: when their request
    did; they are written to about nothing but that.
    """

    person_id: str
    role: Role
    request_id: str | None = None
    version: int
    channels: tuple[Channel, ...]
    language: str
    time_zone: str
    quiet_from: int
    quiet_until: int
    encrypted: EncryptedFields
    phone_hash: str | None = None
    only_news: bool = False
    unread: bool = False
    on_their_word: bool = False
    unconfirmed: bool = False
    withheld: "Message | None" = None
    ended_at: datetime | None = None
    opens_by_link: bool = True
    digest: bool = False

    @property
    def is_held(self) -> bool:
        return self.unread or self.on_their_word or self.unconfirmed

    @property
    def may_get_one_email(self) -> bool:
        return self.unconfirmed and not (self.unread or self.on_their_word) and "email" in self.channels

    def channels_for(self, template: str) -> tuple[Channel, ...]:
        """The channels this person chose, of those that fit the template and that there is an address for. Often none."""
        if self.is_held:
            return ("email",) if template == RECEIPT and self.may_get_one_email else ()
        found = get_template(template)
        fitting = tuple(
            channel for channel in found.channels if self._has_address(channel) and (channel in self.channels or found.reply)
        )
        return fitting[:1] if template == "sign_in" else fitting  # a link that opens somebody's page takes one channel only

    def when_to_send(self, moment: datetime, channel: Channel, template: str) -> datetime:
        """`moment`, or for a text the end of the quiet hours that it falls in."""
        if channel == "email" or get_template(template).reply:
            return moment
        return after_quiet_hours(moment, self.time_zone, self.quiet_from, self.quiet_until)

    def _has_address(self, channel: Channel) -> bool:
        return {"email": "email", "text": "phone"}[channel] in self.encrypted.fields


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What notify keeps of an offer: whose code it is, when they were asked, and whether it has ended."""

    id: str
    practitioner_id: str
    code: str
    asked_at: datetime | None = None
    ended: bool = False


@dataclass(frozen=True, kw_only=True)
class Meetings:
    """What notify keeps of when two people meet. `series` while they meet; `remind_...`: how long before each date, for those who
    asked for it. `looked_at`: until when reminders are done; `next_look_at`: when the next may be due."""

    id: str
    request_id: str
    offer_id: str
    supportee_id: str
    practitioner_id: str
    version: int
    ended_at: datetime | None = None
    series: Series | None = None
    remind_supportee: tuple[Reminder, ...] = ()
    remind_practitioner: tuple[Reminder, ...] = ()
    looked_at: datetime
    next_look_at: datetime | None = None


RoomRowState = Literal["wanted", "made", "leaving", "gone"]


@dataclass(frozen=True, kw_only=True)
class VideoRoom:
    """A room at the video provider. `wanted`: to be made; `leaving`: to be deleted at `next_at`; `gone`: deleted, or never made.
    `since`: when it came into its state. `asked_at`: since then it may exist there, as a room of `host`. `encrypted`: its number
    there. `failures`: attempts in a row that brought nothing. `told_at`: when it was said that it cannot be deleted. Without
    `match_id` it belongs to nobody any more."""

    id: str
    match_id: str | None = None
    request_id: str | None = None
    state: RoomRowState = "wanted"
    since: datetime
    host: str | None = None
    asked_at: datetime | None = None
    encrypted: EncryptedFields | None = None
    failures: int = 0
    reason: str = ""
    next_at: datetime | None = None
    claim: str | None = None
    finished_at: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DeskCall:
    """The last call of a coordinator to the desk by one channel: its notification, and when that is or was to be sent."""

    id: str
    notification_id: str
    due_at: datetime


def desk_call_id(person_id: str, channel: Channel) -> str:
    return f"{person_id}/{channel}"


def next_desk_call_at(last: DeskCall | None, moment: datetime) -> datetime:
    if last is None:
        return moment
    if last.due_at > moment:  # it was cancelled before its time
        return last.due_at
    return max(moment, last.due_at + DESK_CALL_GAP)


@dataclass(frozen=True)
class LastUpdate:
    """What the supportee of a request was told last: the request's version then (-1: nothing yet) and the update's name."""

    version: int
    name: str
    withdrawn: bool


# pending: to be sent (due, leased or waiting); accepted: a provider took it; delivered: its receipt came; failed: refused or
# undeliverable for good; expired: not sent before it was too late; cancelled: nobody needs it any more.
State = Literal["pending", "accepted", "delivered", "failed", "expired", "cancelled"]
MAY_ARRIVE: tuple[State, ...] = ("pending", "accepted", "delivered")


def state_after_receipt(state: State, receipt: Literal["delivered", "failed"]) -> State:
    """Receipts come late, twice and in any order; a state only moves forward."""
    return receipt if state in ("pending", "accepted") else state


@dataclass(frozen=True)
class Message:
    """What somebody is to be told, by whatever channels. `cause`: what it is about. `encrypted`: links for this message alone."""

    template: str
    cause: str
    context: Context = field(default_factory=dict)
    encrypted: EncryptedFields | None = field(default=None, kw_only=True)
    offer_id: str | None = field(default=None, kw_only=True)

    @property
    def answer_by(self) -> datetime | None:
        return self._moment("answer_by")

    @property
    def starts_at(self) -> datetime | None:
        return self._moment("starts_at")

    def _moment(self, name: str) -> datetime | None:
        found = self.context.get(name)
        return found if isinstance(found, datetime) else None


def after_release(withheld: Message, moment: datetime) -> Message:
    """What is told once they may be written to: that their request arrived, as long as its day is still to come; else that there
    is a message, which is true whatever has happened since."""
    hear_by = withheld.context.get("hear_by")
    still_true = isinstance(hear_by, datetime) and hear_by > moment
    return withheld if still_true else Message("message", withheld.cause)


@dataclass(frozen=True, kw_only=True)
class Notification(Message):
    """One message to one person by one channel; the same cause, template, person and channel are one notification.

    `encrypted` is gone when it was sent. `expires_at`: not sent later than that. `claim`: of the process that writes it and sends
    it itself. `uncertain`: how often it was handed to a provider without an answer, so that it may have arrived; it grows before
    the hand-over (for an e-mail that goes on from memory, as it is written), and the answer takes that back. `deferrals`:
    attempts that a provider put off. `cancelled_because`: cancelled while it was being handed over; it is not tried again.
    """

    id: str
    channel: Channel
    person_id: str
    request_id: str | None = None
    created_at: datetime
    expires_at: datetime
    next_at: datetime | None = None
    claim: str | None = None
    state: State = "pending"
    reason: str = ""
    uncertain: int = 0
    deferrals: int = 0
    cancelled_because: str = ""

    def is_untouched(self) -> bool:
        """To be sent, and certain not to have been handed over."""
        return self.state == "pending" and self.claim is None and not self.uncertain


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt to send a notification.

    accepted; deferred: not this message now; uncertain: handed over, but whether it was taken is not known (for an e-mail this
    is deferred too); refused: this message never; unavailable: nobody could be reached or nothing is taken at all, which says
    nothing about this message; postponed: not tried; expired: too late to help; cancelled: not sent, and that is right: nobody
    needs to know.

    When to try again: `until`, a time of the domain, or `after` this time from now; neither: as soon as a provider can be
    reached.
    """

    result: Literal["accepted", "deferred", "uncertain", "refused", "unavailable", "postponed", "expired", "cancelled"]
    reason: str = ""
    until: datetime | None = None
    after: timedelta = timedelta()


def reason_not_to_send(notification: Notification, contact: Contact | None, moment: datetime) -> Outcome | None:
    if notification.cancelled_because:
        return Outcome("cancelled", notification.cancelled_because)
    if notification.template not in TEMPLATES:
        return Outcome("refused", "unknown template")
    if moment >= notification.expires_at:
        return Outcome("expired", "too late to help")
    if not may_repeat(notification.channel, notification.template, notification.uncertain):
        return Outcome("refused", "no answer after it was sent, it may have arrived")
    if contact and notification.channel not in contact.channels_for(notification.template):
        return Outcome("cancelled", "not wanted any more")
    return None
