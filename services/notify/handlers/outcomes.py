"""What became of a notification: told by a provider's receipt, or by giving up."""

from dataclasses import dataclass
from typing import Literal

from services.notify import rules, store
from services.notify.domain import Notification, State, state_after_receipt
from services.notify.handlers.outbound import make_notification, service
from services.notify.store import contacts, notifications
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
    """A notification will not be sent: refused or undeliverable for good (`failed`), or tried for long enough (`expired`)."""

    notification_id: str
    state: Literal["failed", "expired"]
    reason: str


def apply_receipt(receipt: Receipt, db: Db) -> list[Event]:
    notification = notifications.find(db, receipt.notification_id)
    if notification is None or state_after_receipt(notification.state, receipt.result) == notification.state:
        return []
    state: State = receipt.result
    notifications.apply_receipt(db, notification.id, state, now())
    return _try_another_channel(db, notification) if state == "failed" else []


def give_up(command: GiveUp, db: Db) -> list[Event]:
    notification = notifications.find(db, command.notification_id)
    if notification is None or not notifications.finish(db, notification, command.state, now(), command.reason):
        return []
    return _try_another_channel(db, notification)


def _try_another_channel(db: Db, notification: Notification) -> list[Event]:
    """A text that failed becomes an e-mail where the person allowed e-mail; when no channel is left, a coordinator should know,
    unless the request was withdrawn meanwhile."""
    if notification.channel == "text":
        _enqueue_email_instead(db, notification)
    if not rules.get_template(notification.template).escalate or notifications.another_may_arrive(db, notification):
        return []
    if notification.request_id and store.request_updates.find(db, notification.request_id).withdrawn:
        return []
    failed = NotificationFailed(
        person_id=notification.person_id, request_id=notification.request_id, template=notification.template
    )
    return [failed]


def _enqueue_email_instead(db: Db, text: Notification) -> None:
    contact = contacts.find(db, text.person_id)
    if contact is None or "email" not in contact.channels_for(text.template):
        return
    answer_by = text.context.get("answer_by")
    email = make_notification(
        contact,
        text.template,
        text.cause,
        "email",
        text.context,
        text.encrypted,
        text.offer_id,
        None if isinstance(answer_by, str) else answer_by,
    )
    notifications.add(db, [email])
    service.enqueued(["email"])


__all__ = ["GiveUp", "Receipt", "apply_receipt", "give_up", "service"]
