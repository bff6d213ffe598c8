"""When somebody who waits is written to, and when they were last heard."""

from datetime import datetime

from services.intake.domain import Request
from shared.clock import now
from shared.mongo import Db

LOOKS_AT_ONCE = 1000


def requests_to_look_at(db: Db) -> list[str]:
    """Ids of some of those of whom something may be due because time passed, the longest due first."""
    found = db.requests.find({"next_look_at": {"$lte": now()}}, {"_id": 1}).sort("next_look_at", 1).limit(LOOKS_AT_ONCE)
    return [document["_id"] for document in found]


def save_look(db: Db, request: Request) -> None:
    """How somebody who waits is written to, and when to look again."""
    names = ("pace", "next_look_at", "told_at", "asked_at", "warned_at", "gone_silent_at")
    looked = {name: getattr(request, name) for name in names}
    known = {name: value for name, value in looked.items() if value is not None}
    db.requests.update_one({"_id": request.id, "ended_at": None}, {"$set": known})


def record_sign_of_life(db: Db, request_id: str, silent_since: datetime) -> None:
    change = {"$max": {"silent_since": silent_since}, "$unset": {"gone_silent_at": 1}}
    db.requests.update_one({"_id": request_id, "ended_at": None}, change)
