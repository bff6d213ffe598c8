"""Meetings that came to an end: only the other one is told, in neutral words, once it has settled: who presses and takes it back
within some minutes is no news, and what was told is never told twice in a row."""

from datetime import timedelta
from typing import Literal

from services.notify import store
from services.notify.domain import Contact, Message
from services.notify.handlers.outbound import enqueue_notification, require, service
from shared.clock import now
from shared.contracts import MatchEnded, MatchEndingUndone, PairMember
from shared.messages import Event
from shared.mongo import Db

SETTLES_WITHIN = timedelta(minutes=15)
PairNews = Literal["ended", "go_on"]
TEMPLATES: dict[PairNews, str] = {"ended": "meetings_ended", "go_on": "meetings_go_on"}


@service.on(MatchEnded)
def enqueue_end_of_meetings(event: MatchEnded, db: Db) -> list[Event]:
    return _tell_the_other(event, event.ended_by, "ended", db, may_change=event.undo_until is not None)


@service.on(MatchEndingUndone)
def enqueue_meetings_go_on(event: MatchEndingUndone, db: Db) -> list[Event]:
    return _tell_the_other(event, event.undone_by, "go_on", db, may_change=True)


def _tell_the_other(
    event: MatchEnded | MatchEndingUndone, by: PairMember, news: PairNews, db: Db, *, may_change: bool
) -> list[Event]:
    supportee = _supportee_to_tell(event, TEMPLATES[news], db) if by == "practitioner" else None
    practitioner = require(store.find_contact(db, event.practitioner_id)) if by == "supportee" else None
    if not store.is_newest_of_match(db, event.request_id, event.version):
        return []
    store.cancel_notifications(db, now(), "newer news", offer_id=event.offer_id)
    contact = practitioner or supportee
    return _tell(contact, event, news, db, may_change=may_change) if contact else []


def _supportee_to_tell(event: MatchEnded | MatchEndingUndone, update: str, db: Db) -> Contact | None:
    last = store.find_last_update(db, event.request_id)
    if last.withdrawn:
        return None
    supportee = require(store.find_supportee(db, event.request_id))
    if event.version <= last.version:
        return None
    store.record_update(db, event.request_id, event.version, update)
    return supportee


def _tell(contact: Contact, event: MatchEnded | MatchEndingUndone, news: PairNews, db: Db, *, may_change: bool) -> list[Event]:
    told = store.last_told_of_match(db, contact.person_id, event.match_id)
    if told == news or (told is None and news == "go_on"):
        return []
    message = Message(TEMPLATES[news], store.cause_of_match_news(event.match_id, news, event.version), offer_id=event.offer_id)
    return enqueue_notification(db, contact, message, due_at=now() + SETTLES_WITHIN if may_change else None)
