"""What became of a notification: told by a provider's receipt, or by giving up."""

from dataclasses import dataclass
from typing import Literal

from services.notify import store
from services.notify.domain import Notification, State, get_template, state_after_receipt
from services.notify.handlers.outbound import service, write_notifications
from shared.clock import now
from shared.contracts import NotificationFailed
from shared.messages import Event
from shared.mongo import Db


@dataclass(frozen=True)
class Receipt:
    notification_id: str
    result: Literal["delivered", "failed"]


@dataclass(frozen=True)
class GiveUp:
    """A notification will not be sent: refused or undeliverable for good (`failed`), or too late to help (`expired`)."""

    notification_id: str
    state: Literal["failed", "expired"]
    reason: str


def apply_receipt(receipt: Receipt, db: Db) -> list[Event]:
    notification = store.find_notification(db, receipt.notification_id)
    if notification is None or state_after_receipt(notification.state, receipt.result) == notification.state:
        return []
    state: State = receipt.result
    store.apply_receipt(db, notification.id, state, now())
    return _try_another_channel(db, notification) if state == "failed" else []


def give_up(command: GiveUp, db: Db) -> list[Event]:
    notification = store.find_notification(db, command.notification_id)
    if notification is None or not store.finish_notification(db, notification, command.state, now(), command.reason):
        return []
    return _try_another_channel(db, notification)


def _try_another_channel(db: Db, notification: Notification) -> list[Event]:
    """A text that failed becomes an e-mail where the person allowed e-mail, as long as it is still true. When no channel is left,
    a coordinator should know, unless the request was withdrawn meanwhile."""
    if notification.channel == "text":
        _enqueue_email_instead(db, notification)
    if not get_template(notification.template).escalate or store.another_may_arrive(db, notification):
        return []
    if _is_withdrawn(db, notification):
        return []
    failed = NotificationFailed(
        person_id=notification.person_id, request_id=notification.request_id, template=notification.template
    )
    return [failed]


def _enqueue_email_instead(db: Db, text: Notification) -> None:
    if _is_cancelled(db, text) or get_template(text.template).gathered:  # e-mails of that kind are made on their own
        return
    contact = store.find_contact(db, text.person_id)
    if contact and "email" in contact.channels_for(text.template):
        write_notifications(db, contact, text, ["email"])


def _is_cancelled(db: Db, notification: Notification) -> bool:
    """Whether what it is about has ended, while it was being sent or after a provider took it."""
    if notification.cancelled_because or (notification.offer_id and store.offer_has_ended(db, notification.offer_id)):
        return True
    return _is_withdrawn(db, notification)


def _is_withdrawn(db: Db, notification: Notification) -> bool:
    return notification.request_id is not None and store.find_last_update(db, notification.request_id).withdrawn


__all__ = ["GiveUp", "Receipt", "apply_receipt", "give_up", "service"]
