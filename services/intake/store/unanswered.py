"""Requests about which no event came back."""

from datetime import datetime

from shared.clock import now
from shared.mongo import Db, Doc

MOST_REEMISSIONS = 5
UNANSWERED: Doc = {"history": []}
UNANSWERED_AT_ONCE = 500


def unanswered_requests(db: Db, sent_before: datetime) -> list[tuple[str, str]]:
    """Request id and person id of some about which no event came back, and which may be published again. Those that nobody has
    looked at come first, then those for whom that is longest ago."""
    where = {
        **UNANSWERED,
        "ended_at": None,
        "sent_at": {"$lte": sent_before},
        "reemissions": {"$not": {"$gte": MOST_REEMISSIONS}},
    }
    found = db.requests.find(where, {"person_id": 1}).sort("reconciled_at", 1).limit(UNANSWERED_AT_ONCE)
    return [(document["_id"], document["person_id"]) for document in found]


def mark_reconciled(db: Db, request_id: str, *, reemitted: bool) -> None:
    db.requests.update_one({"_id": request_id}, {"$set": {"reconciled_at": now()}, "$inc": {"reemissions": int(reemitted)}})


def count_given_up(db: Db) -> int:
    """Requests that were published again as often as may be, and about which still no event came back."""
    where = {**UNANSWERED, "ended_at": None, "reemissions": {"$gte": MOST_REEMISSIONS}}
    return db.requests.count_documents(where)
