"""What the daily check reads: a page of all requests, and of those that left."""

from collections.abc import Collection
from datetime import datetime

from services.intake.domain import Request
from shared.documents import load_all
from shared.mongo import Db

CHECK_OF_REQUESTS = "requests"
"""The subject of its events, too."""


def requests_after(db: Db, after: str, count: int) -> list[Request]:
    """By their ids, those that ended too. To look at, not to save: without what they wrote."""
    written = {"encrypted_answers": 0, "encrypted_code_words": 0, "plan": 0}
    return load_all(Request, db.requests.find({"_id": {"$gt": after}}, written).sort("_id", 1).limit(count))


def erased_after(db: Db, after: str, count: int) -> list[str]:
    """Requests of people who left, by their ids."""
    return [row["_id"] for row in db.erasures.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", 1).limit(count)]


def those_with_a_way_in(db: Db, person_ids: Collection[str], moment: datetime) -> set[str]:
    """Code words, or a link that still opens."""
    opens = {"person_id": {"$in": list(person_ids)}, "expires_at": {"$not": {"$lte": moment}}}
    return {link["person_id"] for link in db.links.find(opens, {"_id": 0, "person_id": 1})}


def look_at_once(db: Db, request_ids: Collection[str], moment: datetime) -> int:
    """At those that nobody would look at again; how many."""
    forgotten = {"_id": {"$in": list(request_ids)}, "ended_at": None, "next_look_at": None}
    return db.requests.update_many(forgotten, {"$set": {"next_look_at": moment}}).modified_count
