"""The ledger of erasures.

{_id: request id, at, answered: services that erased what they held, open: true until all did, late_at}"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_args

from shared.contracts import Eraser
from shared.mongo import Db

ERASURES_AT_ONCE = 500
ERASERS: tuple[Eraser, ...] = get_args(Eraser)


def begin_erasure(db: Db, request_id: str, moment: datetime) -> None:
    db.erasures.insert_one({"_id": request_id, "at": moment, "answered": [], "open": True})


def erasure_answered(db: Db, request_id: str, by: Eraser) -> None:
    db.erasures.update_one({"_id": request_id}, {"$addToSet": {"answered": by}})
    db.erasures.update_one({"_id": request_id, "answered": {"$all": ERASERS}}, {"$unset": {"open": 1}})


def open_erasures(db: Db, begun_before: datetime) -> list[str]:
    found = db.erasures.find({"open": True, "at": {"$lte": begun_before}}, {"_id": 1}).limit(ERASURES_AT_ONCE)
    return [document["_id"] for document in found]


def mark_erasure_late(db: Db, request_id: str, moment: datetime) -> tuple[Eraser, ...]:
    """Who has not answered; nobody when that was said before."""
    open_now = db.erasures.find_one_and_update({"_id": request_id, "open": True, "late_at": None}, {"$set": {"late_at": moment}})
    return tuple(each for each in ERASERS if open_now and each not in open_now["answered"])


def all_erasures(db: Db) -> list[tuple[str, datetime]]:
    """The oldest first."""
    return [(row["_id"], row["at"].replace(tzinfo=UTC)) for row in db.erasures.find().sort([("at", 1), ("_id", 1)])]


def known_erasures(db: Db, request_ids: Sequence[str]) -> list[str]:
    return [row["_id"] for row in db.erasures.find({"_id": {"$in": list(request_ids)}}, {"_id": 1})]
