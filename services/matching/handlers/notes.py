"""Notes between a supportee and whoever reads their request: the practitioner they are with, else the coordinators.

A note is encrypted under the supportee's own data key, like the rest of their words, and goes when those go.
"""

import uuid

from services.matching import store
from services.matching.domain import Note, Offer, Request
from services.matching.handlers.service import service
from shared import vault
from shared.clock import now
from shared.contracts import NoteWritten
from shared.messages import Event
from shared.mongo import Db


def write_note(
    request: Request, words: str, db: Db, *, practitioner_id: str | None = None, coordinator_id: str | None = None
) -> list[Event]:
    """From this practitioner or coordinator to the supportee. Changes the request; the caller saves it."""
    if request.encrypted is None:
        return []
    note_id, supportee_id = str(uuid.uuid4()), request.supportee_id
    key = service.vault.unwrap(request.encrypted.wrap, supportee_id)
    note = Note(
        id=note_id,
        request_id=request.id,
        encrypted=vault.encrypt(key, supportee_id, vault.note_field(note_id), words),
        at=now(),
        practitioner_id=practitioner_id,
        coordinator_id=coordinator_id,
    )
    store.notes.add(db, note)
    return [
        NoteWritten(
            note_id=note_id,
            request_id=request.id,
            supportee_id=supportee_id,
            practitioner_id=practitioner_id,
            encrypted=note.encrypted,
            version=request.note_written(),
        )
    ]


def current_conversation(request: Request, db: Db) -> Offer | None:
    """The offer of the practitioner whom a supportee's note goes to: who said yes, or who asked something first."""
    match = store.offers.find_live_match(db, request.id)
    if match:
        return store.offers.find(db, match.offer_id)
    offer = store.offers.find_open(db, request.id)
    return offer if offer and store.notes.about(db, request.id, offer.practitioner_id) else None
