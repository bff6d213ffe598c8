"""Notes between a supportee and whoever reads their request: the practitioner they are with, else the coordinators.

A note belongs to the match that lives while it is written and ends with that; before a match it ends with the words.
"""

import uuid

from services.matching import store
from services.matching.domain import Note, Offer, Request
from services.matching.handlers.keys import open_keys
from shared import vault
from shared.clock import now
from shared.contracts import NoteWritten
from shared.messages import Event
from shared.mongo import Db


def write_note(
    request: Request, words: str, db: Db, *, practitioner_id: str | None = None, coordinator_id: str | None = None
) -> list[Event]:
    """From this practitioner or coordinator to the supportee. Changes the request; the caller saves it."""
    note_id, supportee_id = str(uuid.uuid4()), request.supportee_id
    match_id, key = _key_to_write_with(request, db)
    if key is None:
        return []
    note = Note(
        id=note_id,
        request_id=request.id,
        encrypted=vault.encrypt(key, supportee_id, vault.note_field(note_id), words),
        at=now(),
        practitioner_id=practitioner_id,
        coordinator_id=coordinator_id,
        to_coordinator_id=_only_for(coordinator_id, request, db),
        match_id=match_id,
    )
    store.notes.add(db, note)
    return [tell_of_note(note, request)]


def tell_of_note(note: Note, request: Request) -> NoteWritten:
    """Changes the request; the caller saves it."""
    return NoteWritten(
        note_id=note.id,
        request_id=request.id,
        supportee_id=request.supportee_id,
        practitioner_id=note.practitioner_id,
        encrypted=note.encrypted,
        version=request.note_written(),
        match_id=note.match_id,
    )


def _only_for(coordinator_id: str | None, request: Request, db: Db) -> str | None:
    """What a coordinator answers who alone was written to is between the two."""
    alone = coordinator_id and store.notes.is_written_to(db, request.id, coordinator_id)
    return coordinator_id if alone else None


def encrypt_for_supportee(request: Request, field: str, words: str, db: Db) -> tuple[str | None, str | None]:
    """Under the key of their match, or under the words' key: the match's id and what is encrypted. None when no key is left."""
    match_id, key = _key_to_write_with(request, db)
    return match_id, vault.encrypt(key, request.supportee_id, field, words) if key and words else None


def can_be_read(request: Request, match_id: str | None, db: Db) -> bool:
    """Whether a note of this match, or without a match, still has a key here."""
    return match_id in open_keys(request, store.offers.matches_about(db, request.id) if match_id else ())


def _key_to_write_with(request: Request, db: Db) -> tuple[str | None, bytes | None]:
    match = store.offers.find_live_match(db, request.id)
    keys = open_keys(request, [match] if match else [])
    return (match.id, keys[match.id]) if match and match.id in keys else (None, keys.get(None))


def current_conversation(request: Request, db: Db) -> Offer | None:
    """The offer of the practitioner whom a supportee's note goes to: who said yes, or who asked something first."""
    match = store.offers.find_live_match(db, request.id)
    if match:
        return store.offers.find(db, match.offer_id)
    offer = store.offers.find_open(db, request.id)
    return offer if offer and store.notes.about(db, request.id, offer.practitioner_id) else None
