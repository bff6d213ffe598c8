"""What two people agree on, one document for each match."""

from pymongo import IndexModel

from services.matching.domain import Agreement
from shared import documents
from shared.documents import load_all, load_one
from shared.mongo import Db

INDEXES = [IndexModel("request_id"), IndexModel("practitioner_id")]


def find(db: Db, match_id: str) -> Agreement | None:
    return load_one(Agreement, db.agreements.find_one({"_id": match_id}))


def over_with(db: Db, practitioner_id: str) -> list[Agreement]:
    """With those whom they do not meet any more, as long as that is kept."""
    theirs = {"practitioner_id": practitioner_id, "ended_at": {"$exists": True}, "newest": {"$exists": True}}
    return load_all(Agreement, db.agreements.find(theirs))


def save(db: Db, changed: Agreement) -> None:
    documents.save(db.agreements, changed)


def delete_about(db: Db, request_id: str) -> None:
    db.agreements.delete_many({"request_id": request_id})
