"""What notify decides about: people's contacts, offers, and notifications. Immutable values; the store maps documents to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.notify import rules
from shared.contracts import Channel, EncryptedFields, Role

Context = Mapping[str, str | datetime]


@dataclass(frozen=True, kw_only=True)
class Contact:
    """How a person wants to be notified. Addresses stay encrypted until the moment of sending.

    `encrypted`: email, phone (E.164), link (the person's own page), known_as. `channels` empty: no notification at all.
    Quiet hours are local hours [from, until). `phone_hash`: keyed hash, to find the sender of a text.
    """

    person_id: str
    role: Role
    request_id: str | None
    version: int
    channels: tuple[Channel, ...]
    language: str
    time_zone: str
    quiet_from: int
    quiet_until: int
    encrypted: EncryptedFields
    phone_hash: str | None = None

    def channels_for(self, template: str) -> tuple[Channel, ...]:
        """The channels this person chose, of those that fit the template and that there is an address for. Often none."""
        found = rules.get_template(template)
        fitting = tuple(
            channel for channel in found.channels if self._has_address(channel) and (channel in self.channels or found.reply)
        )
        if template == "sign_in":  # a link that opens somebody's page takes one channel only, and never a text to a supportee
            return fitting[:1] if self.role != "supportee" else tuple(channel for channel in fitting if channel == "email")
        return fitting

    def when_to_send(self, moment: datetime, channel: Channel, template: str) -> datetime:
        """`moment`, or for a text the end of the quiet hours that it falls in."""
        if channel == "email" or rules.get_template(template).reply:
            return moment
        return rules.after_quiet_hours(moment, self.time_zone, self.quiet_from, self.quiet_until)

    def _has_address(self, channel: Channel) -> bool:
        return {"email": "email", "text": "phone"}[channel] in self.encrypted.fields


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What notify keeps of an offer: whose code it is, and whether it has ended."""

    id: str
    practitioner_id: str
    code: str
    ended: bool


@dataclass(frozen=True)
class LastUpdate:
    """What the supportee of a request was told last: the request's version then (-1: nothing yet) and the update's name."""

    version: int
    name: str
    withdrawn: bool


# pending: to be sent (due, leased or waiting); accepted: a provider took it; delivered: its receipt came; failed: refused or
# undeliverable for good; expired: tried until it was too old; cancelled: nobody needs it any more.
State = Literal["pending", "accepted", "delivered", "failed", "expired", "cancelled"]
MAY_ARRIVE: tuple[State, ...] = ("pending", "accepted", "delivered")


def state_after_receipt(state: State, receipt: Literal["delivered", "failed"]) -> State:
    """Receipts come late, twice and in any order; a state only moves forward."""
    return receipt if state in ("pending", "accepted") else state


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One message to one person by one channel.

    `cause`: what it is about; the same cause, template, person and channel are one notification.
    `encrypted`: links for this notification alone; gone when it was sent. `expires_at`: not sent later than that.
    `attempts`: how often a worker has begun to send it, this time included. `deferrals`: attempts that a provider put off.
    `cancelled_because`: cancelled while a worker was sending it; it is not tried again.
    """

    id: str
    cause: str
    template: str
    channel: Channel
    person_id: str
    request_id: str | None
    offer_id: str | None
    context: Context
    encrypted: EncryptedFields | None
    created_at: datetime
    expires_at: datetime
    next_at: datetime | None = None
    state: State = "pending"
    reason: str = ""
    attempts: int = 0
    deferrals: int = 0
    cancelled_because: str = ""

    @property
    def interruptions(self) -> int:
        """Earlier attempts that ended without an outcome: their worker died, so the message may have arrived."""
        return max(0, self.attempts - 1 - self.deferrals)


@dataclass(frozen=True)
class Outcome:
    """What a provider said to one attempt.

    accepted; deferred: not this message now; refused: this message never; unavailable: nobody could be reached or nothing is
    taken at all, which says nothing about this message and spends no attempt.
    """

    result: Literal["accepted", "deferred", "refused", "unavailable"]
    reason: str = ""


@dataclass(frozen=True)
class Postpone:
    """Not sent now; no attempt was spent."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Discard:
    """Not sent at all, and that is right: nobody needs to know."""

    reason: str


Result = Outcome | Postpone | Discard
