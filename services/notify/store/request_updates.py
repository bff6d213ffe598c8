"""request_updates: which state of a request its supportee was told last.

{_id: request's id, version, last_update: as rules.update_name, withdrawn: true once withdrawn, delete_at}
"""

from datetime import datetime, timedelta

from pymongo import IndexModel

from services.notify.domain import LastUpdate
from shared.mongo import Db

KEPT_FOR = timedelta(days=120)
INDEXES = [IndexModel("delete_at", expireAfterSeconds=0)]


def find(db: Db, request_id: str) -> LastUpdate:
    document = db.request_updates.find_one({"_id": request_id}) or {}
    return LastUpdate(document.get("version", -1), document.get("last_update", ""), document.get("withdrawn", False))


def record_update(db: Db, request_id: str, version: int, update: str, moment: datetime) -> None:
    fields = {"version": version, "last_update": update, "delete_at": moment + KEPT_FOR}
    db.request_updates.update_one({"_id": request_id}, {"$set": fields}, upsert=True)


def mark_withdrawn(db: Db, request_id: str, moment: datetime) -> None:
    fields = {"withdrawn": True, "delete_at": moment + KEPT_FOR}
    db.request_updates.update_one({"_id": request_id}, {"$set": fields}, upsert=True)
