"""When and where two people meet, one document for each match."""

from collections.abc import Collection
from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import Meetings
from shared import documents
from shared.documents import load_all, load_one
from shared.mongo import Db

AT_ONCE = 500
INDEXES = [
    IndexModel("request_id"),
    IndexModel("practitioner_id"),
    IndexModel("look_back_at", partialFilterExpression={"look_back_at": {"$exists": True}}),
]


def find(db: Db, match_id: str) -> Meetings | None:
    return load_one(Meetings, db.meetings.find_one({"_id": match_id}))


def find_many(db: Db, match_ids: Collection[str]) -> dict[str, Meetings]:
    found = load_all(Meetings, db.meetings.find({"_id": {"$in": list(match_ids)}})) if match_ids else []
    return {one.id: one for one in found}


def of_practitioner(db: Db, practitioner_id: str) -> list[Meetings]:
    """With everybody whom they met, as long as that is kept."""
    return load_all(Meetings, db.meetings.find({"practitioner_id": practitioner_id}))


def with_a_look_back_due(db: Db, moment: datetime) -> list[str]:
    """Ids of some of those who have met so often."""
    found = db.meetings.find({"look_back_at": {"$lte": moment}}, {"_id": 1}).sort("look_back_at", 1).limit(AT_ONCE)
    return [row["_id"] for row in found]


def save(db: Db, changed: Meetings) -> None:
    documents.save(db.meetings, changed, derived=("look_back_at",))


def delete_about(db: Db, request_id: str) -> None:
    db.meetings.delete_many({"request_id": request_id})
