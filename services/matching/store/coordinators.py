"""Coordinators, and the links by which they and practitioners sign in."""

from collections.abc import Iterable
from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import Coordinator
from shared import documents, tokens
from shared.documents import load_all, load_one
from shared.mongo import Db

INDEXES = [IndexModel("email_index", unique=True)]


def find(db: Db, coordinator_id: str) -> Coordinator | None:
    return load_one(Coordinator, db.coordinators.find_one({"_id": coordinator_id}))


def find_by_email(db: Db, email_index: str) -> Coordinator | None:
    return load_one(Coordinator, db.coordinators.find_one({"email_index": email_index}))


def find_many(db: Db, ids: Iterable[str]) -> list[Coordinator]:
    return load_all(Coordinator, db.coordinators.find({"_id": {"$in": sorted(set(ids))}}))


def ids_without_name_index(db: Db) -> list[str]:
    """Those stored before names were compared."""
    return [row["_id"] for row in db.coordinators.find({"name_index": {"$in": [None, []]}}, {"_id": 1})]


def everyone(db: Db) -> list[Coordinator]:
    return load_all(Coordinator, db.coordinators.find())


def save(db: Db, changed: Coordinator) -> None:
    documents.save(db.coordinators, changed)


def count_valid_links(db: Db, person_id: str, purpose: str, moment: datetime) -> int:
    return db.links.count_documents({"person_id": person_id, "purpose": purpose, "expires_at": {"$gt": moment}})


def delete_link(db: Db, token: str) -> None:
    db.links.delete_one({"_id": tokens.digest(token)})
