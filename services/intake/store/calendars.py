"""Addresses of calendars, among the links: {_id: digest of the token, purpose: calendar, subject_id: the request, person_id,
expires_at}"""

from datetime import datetime

from services.intake.domain import Meetings
from shared.documents import load_all
from shared.mongo import Db

CALENDAR = "calendar"


def add_feed(db: Db, link_id: str, request_id: str, person_id: str, expires_at: datetime) -> None:
    link = {"purpose": CALENDAR, "subject_id": request_id, "person_id": person_id, "expires_at": expires_at}
    db.links.insert_one({"_id": link_id, **link})


def delete_feeds(db: Db, person_id: str) -> None:
    db.links.delete_many({"person_id": person_id, "purpose": CALENDAR})


def has_feed(db: Db, person_id: str) -> bool:
    return db.links.find_one({"person_id": person_id, "purpose": CALENDAR}, {"_id": 1}) is not None


def all_meetings(db: Db, request_id: str) -> list[Meetings]:
    """Of all who they met, as long as they are kept."""
    return load_all(Meetings, db.meetings.find({"request_id": request_id}))
