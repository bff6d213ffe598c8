"""Notes between two people are theirs: coordinators read them only after one of the two let them."""

import uuid

from services.matching import store
from services.matching.domain import AuditAction, AuditEntry, Request
from services.matching.handlers.requests import find_request
from services.matching.handlers.service import service
from services.matching.handlers.tasks import call_coordinators
from shared.clock import now
from shared.contracts import NotesShared, TeamNotesShared
from shared.messages import Event
from shared.mongo import Db


def share_notes(offer_id: str, db: Db) -> list[Event]:
    """The practitioner lets coordinators read what is written so far. [] when there is nothing new to read."""
    offer = store.offers.find(db, offer_id)
    request = store.requests.find(db, offer.request_id) if offer else None
    if offer is None or request is None:
        return []
    events = _share(request, offer.practitioner_id, "shared_by_practitioner", db)
    if not events:
        return []
    shared = TeamNotesShared(request_id=request.id, practitioner_id=offer.practitioner_id, shared_at=now())
    return [*events, shared]


@service.on(NotesShared)
def share_notes_of_supportee(event: NotesShared, db: Db) -> list[Event]:
    return _share(find_request(event.request_id, db), event.practitioner_id, "shared_by_supportee", db)


def _share(request: Request, practitioner_id: str, action: AuditAction, db: Db) -> list[Event]:
    moment = now()
    if request.has_ended or not store.notes.share(db, request.id, practitioner_id, moment):
        return []
    entry = AuditEntry(id=str(uuid.uuid4()), coordinator_id="", action=action, request_id=request.id, at=moment)
    store.tasks.add_audit_entry(db, entry)
    events = call_coordinators(request, "notes_shared", db, person_id=practitioner_id)
    if events:
        store.requests.save(db, request)
    return events
