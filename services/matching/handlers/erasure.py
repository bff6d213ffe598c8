"""Erasing what matching holds of somebody who left, and hearing that another service has not done so."""

from services.matching import store
from services.matching.domain import Request
from services.matching.handlers.service import service
from services.matching.handlers.tasks import add_task
from shared import outbox, sessions, tokens
from shared.clock import now
from shared.contracts import ErasureDelayed, WordsErased
from shared.messages import Event
from shared.mongo import Db


def erase_request(request: Request, db: Db) -> list[Event]:
    """All but the audit, which names nobody. Changes the request; the caller saves it."""
    offers = store.offers.about(db, request.id)
    for offer in offers:
        tokens.revoke(db, offer.practitioner_id, [offer.id])
        sessions.end_all(db, offer.practitioner_id, [offer.id])
    store.offers.delete_about(db, request.id)
    store.meetings.delete_about(db, request.id)
    store.agreements.delete_about(db, request.id)
    store.look_backs.delete_about(db, request.id)
    store.notes.delete_about(db, request.id)
    store.tasks.delete_about(db, request.id)
    store.assignment.delete_trigger(db, "request_id", request.id)
    outbox.erase(db, [request.id, *(offer.id for offer in offers)])
    request.withdraw(now())
    return [WordsErased(request_id=request.id)]


@service.on(ErasureDelayed)
def open_task_for_late_erasure(event: ErasureDelayed, db: Db) -> list[Event]:
    if store.tasks.find_open_of_no_request(db, "erasure_late") is None:
        add_task("erasure_late", db)
    return []
