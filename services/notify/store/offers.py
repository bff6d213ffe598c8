"""Offers. {an Offer, and delete_at}; one whose end came before its beginning has `ended` and `delete_at` only."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.notify.domain import Offer
from shared.contracts import OfferMade
from shared.documents import from_document, load_all
from shared.mongo import Db

OFFER_KEPT = timedelta(days=14)


def save_offer(db: Db, event: OfferMade, asked_at: datetime) -> Offer:
    fields = {"practitioner_id": event.practitioner_id, "code": event.code, "delete_at": event.answer_by + OFFER_KEPT}
    known = db.offers.find_one({"_id": event.offer_id})
    document = {"_id": event.offer_id, "asked_at": asked_at, **(known or {}), **fields}
    if known is None:
        db.offers.insert_one(document)
    else:
        db.offers.replace_one({"_id": event.offer_id}, document, upsert=True)
    return from_document(Offer, document)


def mark_offer_ended(db: Db, offer_id: str, moment: datetime) -> None:
    change = {"$set": {"ended": True}, "$setOnInsert": {"delete_at": moment + OFFER_KEPT}}
    db.offers.update_one({"_id": offer_id}, change, upsert=True)


def find_offer(db: Db, offer_id: str) -> Offer | None:
    """None, too, when only its end has come."""
    document = db.offers.find_one({"_id": offer_id})
    return from_document(Offer, document) if document and "code" in document else None


def find_open_offers(db: Db, practitioner_ids: Sequence[str]) -> list[Offer]:
    where = {"practitioner_id": {"$in": list(practitioner_ids)}, "ended": {"$ne": True}}
    return load_all(Offer, db.offers.find(where))


def offer_has_ended(db: Db, offer_id: str) -> bool:
    return db.offers.find_one({"_id": offer_id, "ended": True}, {"_id": 1}) is not None


def find_offer_by_code(db: Db, practitioner_ids: Sequence[str], code: str) -> Offer | None:
    """The offer a code means. A code may come again after a while, so the one that still runs goes first, then the latest."""
    found = list(db.offers.find({"practitioner_id": {"$in": list(practitioner_ids)}, "code": code}))
    latest = max(found, key=lambda document: (not document.get("ended", False), document["delete_at"]), default=None)
    return from_document(Offer, latest) if latest else None
