"""Coordinators who are called to the desk: the first task calls at once, what comes soon after it is gathered."""

from collections.abc import Collection
from datetime import datetime

from services.notify import store
from services.notify.domain import Contact, Context, DeskCall, Message, desk_call_id, next_desk_call_at
from services.notify.handlers.outbound import service, write_notifications
from shared.clock import now
from shared.contracts import Channel
from shared.mongo import Db

TEMPLATE = "reach_out"


def call_coordinators(db: Db, cause: str, not_for: Collection[str] = ()) -> None:
    """`not_for`: their ids."""
    for coordinator in (one for one in store.find_coordinators(db) if one.person_id not in not_for):
        for channel in coordinator.channels_for(TEMPLATE):
            if channel in service.channels:
                _call(db, coordinator, channel, cause)


def _call(db: Db, coordinator: Contact, channel: Channel, cause: str) -> None:
    """A call that was not handed over yet says it too: the desk shows what has come when it is read."""
    last, moment = store.find_desk_call(db, coordinator.person_id, channel), now()
    waiting = store.find_notification(db, last.notification_id) if last else None
    if waiting and waiting.is_untouched():
        return
    due_at = coordinator.when_to_send(next_desk_call_at(last, moment), channel, TEMPLATE)
    message = Message(TEMPLATE, cause, _since(last, moment, due_at))
    for written in write_notifications(db, coordinator, message, [channel], due_at):
        call = DeskCall(id=desk_call_id(coordinator.person_id, channel), notification_id=written.id, due_at=due_at)
        store.save_desk_call(db, call)


def _since(last: DeskCall | None, moment: datetime, due_at: datetime) -> Context:
    return {"since": last.due_at} if last and last.due_at <= moment < due_at else {}
