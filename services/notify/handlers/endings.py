"""Meetings that came to an end: only the other one is told, in neutral words."""

from services.notify import store
from services.notify.domain import Message
from services.notify.handlers.outbound import enqueue_notification, enqueue_supportee_update, require, service
from shared.clock import now
from shared.contracts import MatchEnded, MatchEndingUndone
from shared.messages import Event
from shared.mongo import Db


@service.on(MatchEnded)
def enqueue_end_of_meetings(event: MatchEnded, db: Db) -> list[Event]:
    store.cancel_notifications(db, now(), "meetings ended", offer_id=event.offer_id)
    if event.ended_by == "practitioner":
        return enqueue_supportee_update(db, event.request_id, event.version, "meetings_ended")
    practitioner = require(store.find_contact(db, event.practitioner_id))
    return enqueue_notification(db, practitioner, Message("meetings_ended", f"{event.match_id}/{event.version}"))


@service.on(MatchEndingUndone)
def enqueue_meetings_go_on(event: MatchEndingUndone, db: Db) -> list[Event]:
    if event.undone_by == "practitioner":
        return enqueue_supportee_update(db, event.request_id, event.version, "meetings_go_on")
    practitioner = require(store.find_contact(db, event.practitioner_id))
    return enqueue_notification(db, practitioner, Message("meetings_go_on", f"{event.match_id}/{event.version}"))
