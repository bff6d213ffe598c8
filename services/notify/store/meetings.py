"""When two people meet. A document is a Meetings, one for each match."""

from services.notify.domain import Meetings
from shared.documents import to_document
from shared.mongo import Db


def save_meetings(db: Db, meetings: Meetings) -> bool:
    """True for the newest version, in whatever order they come."""
    known = db.meetings.find_one({"_id": meetings.id}, {"version": 1})
    if known and known["version"] >= meetings.version:
        return False
    db.meetings.replace_one({"_id": meetings.id}, to_document(meetings), upsert=True)
    return True


def delete_meetings(db: Db, request_id: str) -> None:
    db.meetings.delete_many({"request_id": request_id})
