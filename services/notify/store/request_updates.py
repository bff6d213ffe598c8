"""What a supportee was told last.

{_id: request's id, version, last_update: as rules.update_name, match_version: of the newest end of meetings or of one taken back,
delete_at}; {_id, withdrawn: true, delete_at} once it ended"""

from datetime import datetime, timedelta

from services.notify.domain import LastUpdate
from shared.mongo import Db
from shared.retention import DAYS

ENDED_REQUEST_KEPT = timedelta(days=DAYS["erasure"])


def find_last_update(db: Db, request_id: str) -> LastUpdate:
    document = db.request_updates.find_one({"_id": request_id}) or {}
    return LastUpdate(document.get("version", -1), document.get("last_update", ""), document.get("withdrawn", False))


def record_update(db: Db, request_id: str, version: int, update: str) -> None:
    fields = {"version": version, "last_update": update}
    db.request_updates.update_one({"_id": request_id}, {"$set": fields}, upsert=True)


def mark_withdrawn(db: Db, request_id: str, moment: datetime) -> None:
    left = {"withdrawn": True, "delete_at": moment + ENDED_REQUEST_KEPT}
    db.request_updates.replace_one({"_id": request_id}, left, upsert=True)
