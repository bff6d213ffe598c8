"""Where notifications are written to be sent: the document is the work, delivery.py takes it from there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from services.notify import rules, store
from services.notify.domain import (
    CAN_WAIT,
    Contact,
    Context,
    Message,
    Notification,
    expires_at,
    get_template,
    is_news,
    next_digest_at,
    notification_id,
)
from services.notify.rendering import Brand
from shared.clock import now
from shared.contracts import Channel, EncryptedFields, LetterLinkMade, NotificationFailed
from shared.leased_work import DUE_NOW
from shared.messages import Event
from shared.mongo import Db
from shared.service import RetryLater, Service
from shared.settings import NotifySettings, Settings
from shared.tokens import digest, new_token
from shared.vault import link_secret

CONTACTS_TO_TRY = 20
LETTER_LINK_LASTS = timedelta(days=14)
BOTH: tuple[Channel, ...] = ("email", "text")


class ChannelDelivery(Protocol):
    """What delivers one channel in this process."""

    def lease(self, notification: Notification) -> Notification:
        """One that is written now and submitted after the commit; the same when there is no room for it."""

    def submit_written(self, notification: Notification, contact: Contact) -> None: ...

    def wake(self) -> None: ...


class NotifyService(Service):
    """`channels`: those by which this installation can send. Without an SMS gateway nothing is written to be sent as a text.
    `deliveries`: those that run in this process. `makes_rooms`: a video provider is set."""

    def __init__(self) -> None:
        super().__init__("notify", indexes=store.INDEXES)
        self.channels: tuple[Channel, ...] = BOTH
        self.deliveries: dict[Channel, ChannelDelivery] = {}
        self.makes_rooms = False

    def start(self, settings: Settings) -> Service:
        if isinstance(settings, NotifySettings):
            self.channels = usable_channels(settings)
            self.makes_rooms = bool(settings.zoom_account_id)
        return super().start(settings)

    def newest_encrypted(self) -> Mapping[str, Sequence[Callable[[], object]]]:
        newest = store.find_newest_contacts(self.db, CONTACTS_TO_TRY)
        return {"contacts": [partial(self.vault.unwrap, one.encrypted.wrap, one.person_id) for one in newest]}

    @property
    def brand(self) -> Brand:
        programme = self.programme
        return Brand(programme.name, programme.sender_name, programme.write_to, self.public_url)


def usable_channels(settings: NotifySettings) -> tuple[Channel, ...]:
    return ("email",) if settings.sms_gateway == "none" else BOTH


service = NotifyService()


def enqueue_notification(db: Db, contact: Contact, message: Message, due_at: datetime | None = None) -> list[Event]:
    """Write one notification for each channel that this person chose. An event comes back when they chose none that we have.
    `due_at`: not sooner than that."""
    if contact.is_held:
        _withhold(db, contact, message)
        return []
    if contact.only_news and is_news(message.template):
        until = {"starts_at": message.starts_at} if message.starts_at else {}
        message = Message("message", message.cause, until, offer_id=message.offer_id)
    chosen = contact.channels_for(message.template)
    channels = [channel for channel in chosen if channel in service.channels]
    if chosen and not channels and get_template(message.template).escalate:
        return [NotificationFailed(person_id=contact.person_id, request_id=contact.request_id, template=message.template)]
    reply = get_template(message.template).reply
    if (
        "text" in channels
        and contact.role == "supportee"
        and not reply
        and not message.starts_at
        and store.text_is_pending(db, contact.person_id, now())
    ):
        channels.remove("text")  # the text that waits says the same: there is news
    if contact.digest and message.template in CAN_WAIT and "email" in channels:
        store.add_to_digest(
            db, contact.person_id, message.template, next_digest_at(now(), contact.time_zone, contact.quiet_until)
        )
        channels.remove("email")
    made = _link_of_its_own(contact, message) if "email" in channels else None
    write_notifications(db, contact, replace(message, encrypted=made.encrypted) if made else message, channels, due_at)
    return [made.event] if made else []


@dataclass(frozen=True)
class OwnLink:
    encrypted: EncryptedFields
    event: LetterLinkMade


def _link_of_its_own(contact: Contact, message: Message) -> OwnLink | None:
    """For an e-mail to a supportee that brings none. It opens nothing before matching and intake have heard of it."""
    if contact.role != "supportee" or not contact.opens_by_link or message.encrypted or not contact.request_id:
        return None
    token, person_id = new_token(), contact.person_id
    link = service.vault.encrypt_for("notify", person_id, {"link": f"{service.public_url}/s/in/{token}"})
    secret = service.vault.encrypt_for("matching", person_id, {"secret": link_secret(token)})
    expires_at = now() + LETTER_LINK_LASTS
    event = LetterLinkMade(request_id=contact.request_id, link_id=digest(token), expires_at=expires_at, secret=secret)
    return OwnLink(link, event)


def _withhold(db: Db, contact: Contact, message: Message) -> None:
    """A link that they asked for is of no use later, so it is dropped."""
    if is_news(message.template):
        store.withhold(db, contact.person_id, message)


def write_notifications(
    db: Db, contact: Contact, message: Message, channels: Sequence[Channel], due_at: datetime | None = None
) -> list[Notification]:
    """Those that are new. What is due now and can be delivered by this process goes on from memory after the commit; the rest is
    found in time."""
    moment = now()
    notifications = [_leased(make_notification(contact, message, channel, moment, due_at)) for channel in channels]
    written = store.add_notifications(db, notifications)
    service.on_commit(partial(_pass_on, written, contact))
    return written


def _leased(notification: Notification) -> Notification:
    delivery = service.deliveries.get(notification.channel)
    return delivery.lease(notification) if delivery and notification.next_at == DUE_NOW else notification


def _pass_on(notifications: Sequence[Notification], contact: Contact) -> None:
    for notification in notifications:
        delivery = service.deliveries.get(notification.channel)
        if delivery and notification.claim:
            delivery.submit_written(notification, contact)
        elif delivery:
            delivery.wake()


def make_notification(
    contact: Contact, message: Message, channel: Channel, moment: datetime, due_at: datetime | None = None
) -> Notification:
    """`due_at`: not sooner than that; it counts as made then."""
    made_at = max(moment, due_at or moment)
    send_at = contact.when_to_send(made_at, channel, message.template)
    return Notification(
        id=notification_id(message.cause, message.template, contact.person_id, channel),
        channel=channel,
        person_id=contact.person_id,
        request_id=contact.request_id,
        created_at=made_at,
        next_at=DUE_NOW if send_at == moment else send_at,
        expires_at=expires_at(message.template, made_at, message.answer_by, message.starts_at),
        template=message.template,
        cause=message.cause,
        context=message.context,
        encrypted=message.encrypted,
        offer_id=message.offer_id,
    )


def require(contact: Contact | None) -> Contact:
    """Events overtake each other: one about somebody whose contact has not come yet raises RetryLater."""
    if contact is None:
        raise RetryLater("this person's contact has not come yet")
    return contact


def enqueue_supportee_update(
    db: Db, request_id: str, version: int, template: str, context: Context | None = None, *, update: str | None = None
) -> list[Event]:
    """Tell the newest state only: events come in any order. Not what is no longer true, and nothing after a withdrawal.

    `update`: the update's name, where it says more than the template's.
    """
    last, update = store.find_last_update(db, request_id), update or template
    if last.withdrawn:
        return []
    supportee = require(store.find_supportee(db, request_id))
    if version <= last.version:
        return []
    store.record_update(db, request_id, version, update)
    if rules.is_implied(last.name, update):
        return []
    return enqueue_notification(db, supportee, Message(template, f"{request_id}/{version}", context or {}))
