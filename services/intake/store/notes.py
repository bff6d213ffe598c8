"""What a request holds of notes, and of who opened it."""

from collections.abc import Collection

from services.intake.domain import EncryptedNote, Opening, SharedNotes
from shared.documents import to_document
from shared.mongo import Db


def add_note(db: Db, request_id: str, note: EncryptedNote) -> bool:
    """Each note once, and none after they left."""
    here = {"_id": request_id, "ended_at": None, "notes._id": {"$ne": note.id}}
    return db.requests.update_one(here, {"$push": {"notes": to_document(note)}}).modified_count == 1


def mark_unreadable(db: Db, request_id: str, note_id: str) -> None:
    here = {"_id": request_id, "notes": {"$elemMatch": {"_id": note_id, "coordinator_id": {"$exists": True}}}}
    db.requests.update_one(here, {"$set": {"notes.$.unreadable": True}})


def release_notes(db: Db, request_id: str) -> bool:
    """What they wrote to one coordinator is for any now. False when there is nothing like that."""
    here = {"_id": request_id, "ended_at": None, "notes.coordinator_id": {"$exists": True}}
    return db.requests.update_one(here, {"$unset": {"notes.$[].coordinator_id": ""}}).modified_count == 1


def add_opening(db: Db, request_id: str, opening: Opening) -> None:
    here = {"_id": request_id, "ended_at": None, "openings._id": {"$ne": opening.id}}
    db.requests.update_one(here, {"$push": {"openings": to_document(opening)}})


def add_shared_notes(db: Db, request_id: str, shared: SharedNotes) -> None:
    db.requests.update_one({"_id": request_id, "ended_at": None}, {"$push": {"shared_notes": to_document(shared)}})


def delete_notes_of(db: Db, request_id: str, match_ids: Collection[str]) -> None:
    db.requests.update_one({"_id": request_id}, {"$pull": {"notes": {"match_id": {"$in": list(match_ids)}}}})
