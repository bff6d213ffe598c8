"""Offers, and the matches that come of them. `is_open` and `holds_place` are stored for the unique indexes that stand behind
every rule: one open offer for a request, one person for each place of a practitioner."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import Match, Offer
from services.matching.store import notes
from shared import documents
from shared.documents import load_all, load_one
from shared.mongo import Db

OFFER_INDEXES = [
    IndexModel("request_id", unique=True, name="one_open_offer_per_request", partialFilterExpression={"is_open": True}),
    IndexModel(
        [("practitioner_id", 1), ("slot", 1)],
        unique=True,
        name="one_person_per_place",
        partialFilterExpression={"holds_place": True},
    ),
    IndexModel("request_id"),
    IndexModel("answer_by", partialFilterExpression={"is_open": True}),
    IndexModel("remind_at", partialFilterExpression={"is_open": True}),
    IndexModel("undo_until", partialFilterExpression={"undo_until": {"$exists": True}}),
]
MATCH_INDEXES = [IndexModel("request_id"), IndexModel("offer_id")]


def find(db: Db, offer_id: str) -> Offer | None:
    return load_one(Offer, db.offers.find_one({"_id": offer_id}))


def find_open(db: Db, request_id: str) -> Offer | None:
    return load_one(Offer, db.offers.find_one({"request_id": request_id, "is_open": True}))


def save(db: Db, changed: Offer) -> None:
    documents.save(db.offers, changed, derived=["is_open", "holds_place"])


def ids_to_remind_of(db: Db, moment: datetime) -> list[str]:
    due = {"is_open": True, "reminded_at": None, "remind_at": {"$lte": moment}, "answer_by": {"$gt": moment}}
    return [row["_id"] for row in db.offers.find(due, {"_id": 1})]


def ids_past_their_time(db: Db, moment: datetime) -> list[str]:
    return [row["_id"] for row in db.offers.find({"is_open": True, "answer_by": {"$lte": moment}}, {"_id": 1})]


def held_by(db: Db, practitioner_id: str) -> list[Offer]:
    """Those of this practitioner that are open, led to a match that lives or whose end may be taken back, the newest first."""
    held = {"practitioner_id": practitioner_id, "holds_place": True}
    return load_all(Offer, db.offers.find(held).sort("made_at", -1))


def held_by_any(db: Db, practitioner_ids: Iterable[str]) -> list[Offer]:
    """As `held_by`, in no order."""
    held = {"practitioner_id": {"$in": list(practitioner_ids)}, "holds_place": True}
    return load_all(Offer, db.offers.find(held))


def that_hold_places(db: Db, request_ids: Iterable[str]) -> list[Offer]:
    """Of each of these requests the offer that is open or led to a match that lives."""
    held = {"request_id": {"$in": list(request_ids)}, "holds_place": True}
    return load_all(Offer, db.offers.find(held))


def about(db: Db, request_id: str) -> list[Offer]:
    return load_all(Offer, db.offers.find({"request_id": request_id}).sort("made_at", 1))


def find_live_match(db: Db, request_id: str) -> Match | None:
    return load_one(Match, db.matches.find_one({"request_id": request_id, "ended_at": None}))


def live_matches_of(db: Db, request_ids: Iterable[str]) -> list[Match]:
    return load_all(Match, db.matches.find({"request_id": {"$in": list(request_ids)}, "ended_at": None}))


def find_matches(db: Db, offer_ids: Sequence[str]) -> dict[str, Match]:
    """By the offer's id."""
    return {match.offer_id: match for match in load_all(Match, db.matches.find({"offer_id": {"$in": list(offer_ids)}}))}


def matches_about(db: Db, request_id: str) -> list[Match]:
    return load_all(Match, db.matches.find({"request_id": request_id}))


def match(db: Db, match_id: str) -> Match | None:
    return load_one(Match, db.matches.find_one({"_id": match_id}))


def find_match(db: Db, offer_id: str) -> Match | None:
    return load_one(Match, db.matches.find_one({"offer_id": offer_id}))


def newest_match(db: Db, request_id: str, practitioner_id: str) -> Match | None:
    these_two = {"request_id": request_id, "practitioner_id": practitioner_id}
    return load_one(Match, db.matches.find_one(these_two, sort=[("made_at", -1)]))


def undoable_about(db: Db, request_id: str) -> list[Offer]:
    """Those whose meetings ended, which may still be taken back."""
    return load_all(Offer, db.offers.find({"request_id": request_id, "undo_until": {"$exists": True}}))


def ids_past_their_undo(db: Db, moment: datetime) -> list[str]:
    return [row["_id"] for row in db.offers.find({"undo_until": {"$lte": moment}}, {"_id": 1})]


def delete_about(db: Db, request_id: str) -> None:
    """With what came of them."""
    db.offers.delete_many({"request_id": request_id})
    db.matches.delete_many({"request_id": request_id})


def save_match(db: Db, changed: Match) -> None:
    """Its notes are kept as long as it is: from its end on their days are counted too."""
    documents.save(db.matches, changed)
    notes.end_with_match(db, changed.id, changed.ended_at)
