"""Two questions to two people who have met some times, one document for each match."""

from pymongo import IndexModel

from services.matching.domain import LookBack
from shared import documents
from shared.documents import load_one
from shared.mongo import Db

INDEXES = [IndexModel("request_id")]


def find(db: Db, match_id: str) -> LookBack | None:
    return load_one(LookBack, db.look_backs.find_one({"_id": match_id}))


def save(db: Db, changed: LookBack) -> None:
    documents.save(db.look_backs, changed)


def delete_about(db: Db, request_id: str) -> None:
    db.look_backs.delete_many({"request_id": request_id})
