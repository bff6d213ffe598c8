"""When and where two people meet. A document is a Meetings, one for each match."""

from datetime import datetime

from services.intake.domain import Meetings
from shared.documents import load_one, to_document
from shared.mongo import Db


def meetings_of(db: Db, match_id: str) -> Meetings | None:
    return load_one(Meetings, db.meetings.find_one({"_id": match_id}))


def save_meetings(db: Db, meetings: Meetings) -> None:
    """Only the newest version stays, in whatever order they arrive, and nothing of somebody who left."""
    known = db.meetings.find_one({"_id": meetings.id}, {"version": 1})
    newer = known is None or known["version"] < meetings.version
    if newer and db.requests.find_one({"_id": meetings.request_id}, {"_id": 1}):
        db.meetings.replace_one({"_id": meetings.id}, to_document(meetings), upsert=True)


def mark_heard(db: Db, match_id: str, moment: datetime) -> None:
    db.meetings.update_one({"_id": match_id}, {"$set": {"heard_at": moment}})
