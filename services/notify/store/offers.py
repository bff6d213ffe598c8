"""offers: what their codes mean, and whether they have ended.

{_id: offer's id, practitioner_id, code, ended: true once it has ended, delete_at}
An offer whose end came before its beginning has `ended` and `delete_at` only.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import ASCENDING, IndexModel, ReturnDocument

from services.notify.domain import Offer
from shared.contracts import OfferMade
from shared.mongo import Db, Doc

KEPT_FOR = timedelta(days=14)
INDEXES = [IndexModel([("practitioner_id", ASCENDING), ("code", ASCENDING)]), IndexModel("delete_at", expireAfterSeconds=0)]


def save(db: Db, event: OfferMade) -> Offer:
    fields = {"practitioner_id": event.practitioner_id, "code": event.code, "delete_at": event.answer_by + KEPT_FOR}
    document = db.offers.find_one_and_update(
        {"_id": event.offer_id}, {"$set": fields}, upsert=True, return_document=ReturnDocument.AFTER
    )
    assert document is not None  # an upsert that returns what it left behind
    return _offer(document)


def mark_ended(db: Db, offer_id: str, moment: datetime) -> None:
    change = {"$set": {"ended": True}, "$setOnInsert": {"delete_at": moment + KEPT_FOR}}
    db.offers.update_one({"_id": offer_id}, change, upsert=True)


def has_ended(db: Db, offer_id: str) -> bool:
    return db.offers.find_one({"_id": offer_id, "ended": True}, {"_id": 1}) is not None


def find_by_code(db: Db, practitioner_ids: Sequence[str], code: str) -> Offer | None:
    """The offer a code means. A code may come again after a while, so the one that still runs goes first, then the latest."""
    found = list(db.offers.find({"practitioner_id": {"$in": list(practitioner_ids)}, "code": code}))
    latest = max(found, key=lambda document: (not document.get("ended", False), document["delete_at"]), default=None)
    return _offer(latest) if latest else None


def _offer(document: Doc) -> Offer:
    return Offer(
        id=document["_id"],
        practitioner_id=document["practitioner_id"],
        code=document["code"],
        ended=document.get("ended", False),
    )
