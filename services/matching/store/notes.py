"""Notes between a supportee and whoever reads their request."""

from pymongo import IndexModel

from services.matching.domain import Note
from shared.documents import load_all, to_document
from shared.mongo import Db

INDEXES = [IndexModel([("request_id", 1), ("at", 1)])]


def add(db: Db, note: Note) -> None:
    db.notes.insert_one(to_document(note))


def about(db: Db, request_id: str, practitioner_id: str | None = None) -> list[Note]:
    """All of them, or those between the supportee and this practitioner; the oldest first."""
    theirs = {"$or": [{"practitioner_id": practitioner_id}, {"to_practitioner_id": practitioner_id}]}
    return load_all(Note, db.notes.find({"request_id": request_id, **(theirs if practitioner_id else {})}).sort("at", 1))


def delete_about(db: Db, request_id: str) -> None:
    db.notes.delete_many({"request_id": request_id})
