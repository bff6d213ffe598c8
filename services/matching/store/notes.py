"""Notes between a supportee and whoever reads their request."""

from collections.abc import Collection
from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import Note
from shared.documents import load_all, load_one, to_document
from shared.mongo import Db, Doc

INDEXES = [
    IndexModel([("request_id", 1), ("at", 1)]),
    IndexModel("match_id", partialFilterExpression={"match_id": {"$exists": True}}),
]


def add(db: Db, note: Note) -> None:
    db.notes.insert_one(to_document(note))


def about(db: Db, request_id: str, practitioner_id: str | None = None) -> list[Note]:
    """All of them, or those between the supportee and this practitioner; the oldest first."""
    theirs = _between(practitioner_id) if practitioner_id else {}
    return load_all(Note, db.notes.find({"request_id": request_id, **theirs}).sort("at", 1))


def find(db: Db, note_id: str) -> Note | None:
    return load_one(Note, db.notes.find_one({"_id": note_id}))


def ids_about(db: Db, request_ids: Collection[str]) -> dict[str, set[str]]:
    """By the request's id; but for those of meetings that ended."""
    found: dict[str, set[str]] = {}
    going_on = {"request_id": {"$in": list(request_ids)}, "ended_at": None}
    for row in db.notes.find(going_on, {"request_id": 1}):
        found.setdefault(row["request_id"], set()).add(row["_id"])
    return found


def share(db: Db, request_id: str, practitioner_id: str, moment: datetime) -> int:
    """What the two wrote to each other and had not shared before; how many."""
    unshared = {"request_id": request_id, "shared_at": None, **_between(practitioner_id)}
    return db.notes.update_many(unshared, {"$set": {"shared_at": moment}}).modified_count


def is_written_to(db: Db, request_id: str, coordinator_id: str) -> bool:
    """To this coordinator alone."""
    return db.notes.find_one({"request_id": request_id, "to_coordinator_id": coordinator_id}, {"_id": 1}) is not None


def release(db: Db, request_id: str) -> int:
    """What was for one coordinator is for any now; how much."""
    theirs = {"request_id": request_id, "to_coordinator_id": {"$exists": True}}
    return db.notes.update_many(theirs, {"$unset": {"to_coordinator_id": ""}}).modified_count


def _between(practitioner_id: str) -> Doc:
    return {"$or": [{"practitioner_id": practitioner_id}, {"to_practitioner_id": practitioner_id}]}


def end_with_match(db: Db, match_id: str, ended_at: datetime | None) -> None:
    change = {"$set": {"ended_at": ended_at}} if ended_at else {"$unset": {"ended_at": ""}}
    db.notes.update_many({"match_id": match_id}, change)


def delete_about(db: Db, request_id: str) -> None:
    db.notes.delete_many({"request_id": request_id})
