"""Leaving: intake erases what it holds at once, the two other services say when they did, and somebody is told when one does not.

The ledger knows nobody: a request's id, and who has answered. It is kept longer than anything about that request can come back.
"""

from datetime import timedelta

from services.intake import store
from services.intake.handlers.service import service
from shared import checks, metrics, outbox, sessions
from shared.clock import now
from shared.contracts import ContactErased, ErasureDelayed, RequestWithdrawn, WordsErased
from shared.logs import get_logger
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 60
ASK_AGAIN_AFTER, LATE_AFTER = timedelta(minutes=5), timedelta(hours=1)
log = get_logger("intake.erasure")


def withdraw_request(request_id: str, db: Db) -> list[Event]:
    request = store.request(db, request_id)
    if request is None:
        return []
    store.erase_request(db, request)
    sessions.end_all(db, request.person_id)
    outbox.erase(db, [request.id, request.person_id, store.CHECK_OF_REQUESTS])
    store.begin_erasure(db, request.id, now())
    return [RequestWithdrawn(request_id=request.id, person_id=request.person_id)]


@service.on(WordsErased)
def note_words_erased(event: WordsErased, db: Db) -> list[Event]:
    """A copy of the database that was brought back may hold somebody who left after it was made: they leave again."""
    events: list[Event] = []
    request = store.request(db, event.request_id)
    if request and request.ended_at is None:
        checks.record(service, db, "came_back", "repaired")
        events = withdraw_request(event.request_id, db)
    store.erasure_answered(db, event.request_id, "matching")
    return events


@service.on(ContactErased)
def note_contact_erased(event: ContactErased, db: Db) -> list[Event]:
    store.erasure_answered(db, event.request_id, "notify")
    return []


def find_unanswered_erasures(db: Db) -> list[str]:
    return store.open_erasures(db, now() - ASK_AGAIN_AFTER)


@service.every(SECONDS_BETWEEN_LOOKS, find_unanswered_erasures)
def publish_withdrawal_again(request_id: str, db: Db) -> list[Event]:
    outbox.reemit_unanswered(db, service.name, [request_id])
    return []


def find_late_erasures(db: Db) -> list[str]:
    late = store.open_erasures(db, now() - LATE_AFTER)
    metrics.LATE_ERASURES.labels(service.name).set(len(late))
    return late


@service.every(SECONDS_BETWEEN_LOOKS, find_late_erasures)
def tell_of_late_erasure(request_id: str, db: Db) -> list[Event]:
    missing = store.mark_erasure_late(db, request_id, now())
    if not missing:
        return []
    log.error("an erasure is not complete after an hour", extra={"reason": ", ".join(missing)})
    return [ErasureDelayed(request_id=request_id, missing=missing)]
