"""Those who would like to become practitioners."""

from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import Application
from shared import documents
from shared.documents import load_all, load_one
from shared.mongo import Db

INDEXES = [
    IndexModel("email_index", unique=True, partialFilterExpression={"email_index": {"$exists": True}}),
    IndexModel([("moved_at", 1), ("_id", 1)]),
    IndexModel("waits_for_coordinators", partialFilterExpression={"waits_for_coordinators": True}),
]
MOST = 200


def find(db: Db, application_id: str) -> Application | None:
    return load_one(Application, db.applications.find_one({"_id": application_id}))


def find_by_email(db: Db, email_index: str) -> Application | None:
    return load_one(Application, db.applications.find_one({"email_index": email_index}))


def those_who_came(db: Db) -> list[Application]:
    """Whoever has waited longest first, so many at most."""
    return load_all(Application, db.applications.find().sort([("moved_at", 1), ("_id", 1)]).limit(MOST))


def ids_untouched_since(db: Db, moment: datetime, *, told: bool) -> list[str]:
    """`told`: that they end."""
    found = db.applications.find({"moved_at": {"$lte": moment}, "told_at": {"$exists": told}}, {"_id": 1})
    return [row["_id"] for row in found]


def save(db: Db, changed: Application) -> None:
    documents.save(db.applications, changed, derived=["waits_for_coordinators"])


def any_waits(db: Db) -> bool:
    """For a coordinator."""
    return db.applications.find_one({"waits_for_coordinators": True}, {"_id": 1}) is not None


def delete(db: Db, application_id: str) -> None:
    db.applications.delete_one({"_id": application_id})


def close_doors(db: Db, application_id: str) -> None:
    """Nothing opens their page any more."""
    db.sessions.delete_many({"person_id": application_id})
    db.links.delete_many({"person_id": application_id})
