"""When two people meet. A document is a Meetings, one for each match."""

from datetime import datetime

from services.notify.domain import Meetings, Notification
from shared.documents import load_all, load_one, to_document
from shared.mongo import Db

MEETINGS_AT_ONCE = 1000


def find_meetings(db: Db, match_id: str) -> Meetings | None:
    return load_one(Meetings, db.meetings.find_one({"_id": match_id}))


def save_meetings(db: Db, meetings: Meetings) -> None:
    db.meetings.replace_one({"_id": meetings.id}, to_document(meetings), upsert=True)


def delete_meetings(db: Db, request_id: str) -> None:
    db.meetings.delete_many({"request_id": request_id})


def meetings_to_look_at(db: Db, moment: datetime) -> list[str]:
    """Ids of some of those of which a reminder may be due, the longest due first."""
    found = db.meetings.find({"next_look_at": {"$lte": moment}}, {"_id": 1}).sort("next_look_at", 1).limit(MEETINGS_AT_ONCE)
    return [document["_id"] for document in found]


def pending_reminders(db: Db, offer_id: str) -> list[Notification]:
    """By the moment that they speak of: to some people only "You have a message" is said."""
    pending = {"offer_id": offer_id, "state": "pending", "context.starts_at": {"$exists": True}}
    return load_all(Notification, db.notifications.find(pending))
