"""Every query of matching, by name. A place is held by one conditional update; the unique indexes stand behind it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from pymongo import IndexModel, ReturnDocument

from services.matching.rules import Hours, Practitioner, SupportRequest, shown_state
from shared import tokens
from shared.contracts import Choice, RequestSubmitted
from shared.messages import dump
from shared.mongo import Db, Doc

AUDIT_DAYS = 180
INDEXES = {
    "practitioners": [
        IndexModel("email_index", unique=True, partialFilterExpression={"email_index": {"$exists": True}}),
        IndexModel("slug_index", unique=True, partialFilterExpression={"slug_index": {"$exists": True}}),
        IndexModel([("state", 1), ("resting_until", 1)]),
    ],
    "requests": [IndexModel([("state", 1), ("waiting_for", 1), ("submitted_at", 1)])],
    "offers": [
        IndexModel("request_id", unique=True, name="one_open_offer_per_request", partialFilterExpression={"open": True}),
        IndexModel(
            [("practitioner_id", 1), ("slot", 1)],
            unique=True,
            name="one_person_per_place",
            partialFilterExpression={"holds": True},
        ),
        IndexModel([("practitioner_id", 1), ("made_at", -1)]),
        IndexModel("request_id"),
        IndexModel("answer_by", partialFilterExpression={"open": True}),
        IndexModel("nudge_at", partialFilterExpression={"open": True}),
    ],
    "matches": [IndexModel("request_id"), IndexModel("practitioner_id")],
    "needs": [
        IndexModel(
            [("request_id", 1), ("why", 1)],
            unique=True,
            partialFilterExpression={"open": True, "request_id": {"$type": "string"}},
        ),
        IndexModel([("open", 1), ("since", 1)]),
    ],
    "notes": [IndexModel([("request_id", 1), ("at", 1)])],
    "coordinators": [IndexModel("email_index", unique=True)],
    "audit": [IndexModel("request_id"), IndexModel("at", expireAfterSeconds=AUDIT_DAYS * 24 * 3600)],
    "links": tokens.INDEXES,
    "sessions": [IndexModel("expires_at", expireAfterSeconds=0), IndexModel("person_id")],
}

# Requests


def new_request(said: RequestSubmitted) -> Doc:
    facts = dump(said)
    return {
        "_id": facts.pop("request_id"), **facts, "submitted_at": said.submitted_at,
        "state": "received", "version": 0, "at": 0, "asked": [], "waiting_for": None, "waiting_with": [], "suggested": [],
    }  # fmt: skip


def request(db: Db, request_id: str) -> Doc | None:
    return db.requests.find_one({"_id": request_id})


def keep_request(db: Db, row: Doc) -> None:
    db.requests.replace_one({"_id": row["_id"]}, row, upsert=True)


def requests(db: Db, request_ids: Iterable[str]) -> dict[str, Doc]:
    return {row["_id"]: row for row in db.requests.find({"_id": {"$in": list(request_ids)}})}


def waiting_requests(db: Db) -> list[Doc]:
    return list(db.requests.find({"state": "waiting", "waiting_for": "place"}).sort("submitted_at", 1))


def anybody_waits(db: Db) -> bool:
    return db.requests.find_one({"state": "waiting", "waiting_for": "place"}, {"_id": 1}) is not None


def facts_of(row: Doc) -> SupportRequest:
    return SupportRequest(
        id=row["_id"], supportee_id=row["supportee_id"], mode=row["mode"], submitted_at=row["submitted_at"],
        choices=tuple(Choice(**choice) for choice in row["choices"]), avoid=tuple(row["avoid"]),
        languages=tuple(row["languages"]), meeting_types=tuple(row["meeting_types"]), parts=tuple(row["parts"]), time_zone=row["time_zone"],
        help=tuple(row["help"]), age_group=row["age_group"], asked=tuple(row["asked"]),
    )  # fmt: skip


# Practitioners


def practitioner(db: Db, practitioner_id: str) -> Doc | None:
    return db.practitioners.find_one({"_id": practitioner_id})


def practitioner_by_email(db: Db, email_index: str) -> Doc | None:
    return db.practitioners.find_one({"email_index": email_index})


def practitioners(db: Db) -> list[Doc]:
    return list(db.practitioners.find())


def keep_practitioner(db: Db, row: Doc) -> None:
    db.practitioners.replace_one({"_id": row["_id"]}, row, upsert=True)


def slug_is_taken(db: Db, slug_index: str, by_other_than: str) -> bool:
    return db.practitioners.find_one({"slug_index": slug_index, "_id": {"$ne": by_other_than}}, {"_id": 1}) is not None


def people(db: Db, practitioner_ids: Iterable[str]) -> dict[str, Practitioner]:
    return {row["_id"]: practitioner_of(row) for row in db.practitioners.find({"_id": {"$in": list(practitioner_ids)}})}


def everyone(db: Db) -> list[Practitioner]:
    return [practitioner_of(row) for row in db.practitioners.find({"state": {"$ne": "stepped_back"}})]


def ids_of_those_with_room(db: Db) -> list[str]:
    return [row["_id"] for row in db.practitioners.find({"state": "open", **_ROOM}, {"_id": 1})]


def ids_of_those_rested(db: Db, moment: datetime) -> list[str]:
    return [row["_id"] for row in db.practitioners.find({"state": "resting", "resting_until": {"$lte": moment}}, {"_id": 1})]


def practitioner_of(row: Doc) -> Practitioner:
    return Practitioner(
        id=row["_id"], state=row["state"], places=row["places"], taken=row["taken"], outstanding=row["outstanding"],
        offers_at_once=row["offers_at_once"], languages=tuple(row["languages"]), meeting_types=tuple(row["meeting_types"]),
        ages=tuple(row["ages"]), parts=tuple(row["parts"]), hours=tuple(Hours(**hours) for hours in row["hours"]),
        time_zone=row["time_zone"], help=tuple(row["help"]), not_now=tuple(row["not_now"]), avoid=tuple(row["avoid"]),
        asked_at=row["asked_at"],
    )  # fmt: skip


_ROOM: Doc = {"$expr": {"$and": [{"$lt": ["$taken", "$places"]}, {"$lt": ["$outstanding", "$offers_at_once"]}]}}
_LOWEST_FREE_SLOT: Doc = {"$min": {"$setDifference": [{"$range": [0, {"$add": [{"$size": "$slots"}, 1]}]}, "$slots"]}}


def hold_place(db: Db, practitioner_id: str, moment: datetime) -> tuple[int, Doc] | None:
    """Take one place if there is one: a single conditional update on the practitioner's own row. The slot and the row after."""
    row = db.practitioners.find_one_and_update(
        {"_id": practitioner_id, "state": "open", **_ROOM},
        [{"$set": {
            "taken": {"$add": ["$taken", 1]}, "outstanding": {"$add": ["$outstanding", 1]}, "asked_at": moment,
            "slots": {"$concatArrays": ["$slots", [_LOWEST_FREE_SLOT]]},
        }}],
        return_document=ReturnDocument.AFTER,
    )  # fmt: skip
    return (row["slots"][-1], row) if row else None


def free_place(db: Db, practitioner_id: str, slot: int, *, asked: bool) -> Doc:
    """Give a place back, at the end of an offer (`asked`) or of a match."""
    return _changed(db, practitioner_id, {"$inc": {"taken": -1, "outstanding": -int(asked)}, "$pull": {"slots": slot}})


def keep_place(db: Db, practitioner_id: str) -> Doc:
    """The offer became a match: nobody is being asked any more, the place stays taken."""
    return _changed(db, practitioner_id, {"$inc": {"outstanding": -1}})


def set_practitioner(db: Db, practitioner_id: str, fields: Doc) -> Doc:
    return _changed(db, practitioner_id, {"$set": fields})


def _changed(db: Db, practitioner_id: str, change: Doc) -> Doc:
    row = db.practitioners.find_one_and_update({"_id": practitioner_id}, change, return_document=ReturnDocument.AFTER)
    return cast(Doc, row)


def shown(row: Doc) -> Any:
    return shown_state(row["state"], row["places"], row["taken"])


# Offers and matches


def offer(db: Db, offer_id: str) -> Doc | None:
    return db.offers.find_one({"_id": offer_id})


def open_offer_of(db: Db, request_id: str) -> Doc | None:
    return db.offers.find_one({"request_id": request_id, "open": True})


def add_offer(db: Db, row: Doc) -> None:
    db.offers.insert_one(row)


def end_offer(db: Db, offer_id: str, state: str, moment: datetime, *, holds: bool = False) -> Doc | None:
    """Close an open offer in this state; None when somebody closed it before."""
    return db.offers.find_one_and_update(
        {"_id": offer_id, "open": True},
        {"$set": {"state": state, "open": False, "holds": holds, "ended_at": moment}},
        return_document=ReturnDocument.AFTER,
    )


def take_up_offer_again(db: Db, offer_id: str, slot: int, moment: datetime) -> Doc | None:
    """A "not this time" becomes a yes; None when it is no longer a "not this time"."""
    return db.offers.find_one_and_update(
        {"_id": offer_id, "state": "declined"},
        {"$set": {"state": "accepted", "holds": True, "slot": slot, "ended_at": moment}},
        return_document=ReturnDocument.AFTER,
    )


def let_go_of(db: Db, offer_id: str) -> Doc:
    """The match that came of this offer is over, so its place is free."""
    after = db.offers.find_one_and_update({"_id": offer_id}, {"$set": {"state": "released", "holds": False}})
    return cast(Doc, after)


def mark_seen(db: Db, offer_id: str, moment: datetime) -> None:
    db.offers.update_one({"_id": offer_id, "state": "sent"}, {"$set": {"state": "seen", "seen_at": moment}})


def mark_nudged(db: Db, offer_id: str, moment: datetime) -> Doc | None:
    return db.offers.find_one_and_update({"_id": offer_id, "open": True, "nudged_at": None}, {"$set": {"nudged_at": moment}})


def codes_in_use(db: Db, practitioner_id: str, since: datetime) -> set[str]:
    rows = db.offers.find(
        {"practitioner_id": practitioner_id, "$or": [{"made_at": {"$gte": since}}, {"open": True}]}, {"code": 1}
    )
    return {row["code"] for row in rows}


def ids_of_offers_to_nudge(db: Db, moment: datetime) -> list[str]:
    due = {"open": True, "nudged_at": None, "nudge_at": {"$lte": moment}, "answer_by": {"$gt": moment}}
    return [row["_id"] for row in db.offers.find(due, {"_id": 1})]


def ids_of_offers_past_their_time(db: Db, moment: datetime) -> list[str]:
    return [row["_id"] for row in db.offers.find({"open": True, "answer_by": {"$lte": moment}}, {"_id": 1})]


def offers_of(db: Db, practitioner_id: str, since: datetime) -> list[Doc]:
    wanted = {"practitioner_id": practitioner_id, "$or": [{"made_at": {"$gte": since}}, {"open": True}, {"holds": True}]}
    return list(db.offers.find(wanted).sort("made_at", -1))


def offers_about(db: Db, request_id: str) -> list[Doc]:
    return list(db.offers.find({"request_id": request_id}).sort("made_at", 1))


def add_match(db: Db, row: Doc) -> None:
    db.matches.insert_one(row)


def match_of(db: Db, request_id: str) -> Doc | None:
    return db.matches.find_one({"request_id": request_id, "state": {"$ne": "ended"}})


def end_match(db: Db, match_id: str, moment: datetime) -> None:
    db.matches.update_one({"_id": match_id}, {"$set": {"state": "ended", "ended_at": moment}})


# Notes


def add_note(db: Db, note_id: str, request_id: str, encrypted: str, moment: datetime, **who: str) -> None:
    """`who`: practitioner_id or coordinator_id who wrote it; to_practitioner_id, or none, when the supportee did."""
    db.notes.insert_one({"_id": note_id, "request_id": request_id, "encrypted": encrypted, "at": moment, **who})


def notes_about(db: Db, request_id: str, practitioner_id: str | None = None) -> list[Doc]:
    """All of them, or those between the supportee and this practitioner."""
    theirs = {"$or": [{"practitioner_id": practitioner_id}, {"to_practitioner_id": practitioner_id}]}
    return list(db.notes.find({"request_id": request_id, **(theirs if practitioner_id else {})}).sort("at", 1))


def drop_notes(db: Db, request_id: str) -> None:
    db.notes.delete_many({"request_id": request_id})


# What needs a person


def open_need(db: Db, request_id: str, why: str) -> Doc | None:
    return db.needs.find_one({"request_id": request_id, "why": why, "open": True})


def person_is_on_the_desk(db: Db, person_id: str) -> bool:
    return db.needs.find_one({"person_id": person_id, "request_id": None, "open": True}, {"_id": 1}) is not None


def need(db: Db, need_id: str) -> Doc | None:
    return db.needs.find_one({"_id": need_id})


def add_need(db: Db, row: Doc) -> None:
    db.needs.insert_one(row)


def change_need(db: Db, need_id: str, fields: Doc) -> None:
    db.needs.update_one({"_id": need_id}, {"$set": fields})


def needs_about(db: Db, request_id: str) -> list[Doc]:
    return list(db.needs.find({"request_id": request_id, "open": True}).sort("since", 1))


def needs_by_age(db: Db) -> list[Doc]:
    return list(db.needs.find({"open": True}).sort("since", 1))


def settle_needs(db: Db, request_id: str, moment: datetime, only: str | None = None) -> None:
    which = {"request_id": request_id, "open": True, **({"why": only} if only else {})}
    db.needs.update_many(which, {"$set": {"open": False, "settled_at": moment}})


# Coordinators


def coordinator(db: Db, coordinator_id: str) -> Doc | None:
    return db.coordinators.find_one({"_id": coordinator_id})


def coordinator_by_email(db: Db, email_index: str) -> Doc | None:
    return db.coordinators.find_one({"email_index": email_index})


def keep_coordinator(db: Db, row: Doc) -> None:
    db.coordinators.replace_one({"_id": row["_id"]}, row, upsert=True)


def write_audit(db: Db, row: Doc) -> None:
    """One line: who did what with which request, and when."""
    db.audit.insert_one(row)


def audit_about(db: Db, request_id: str) -> list[Doc]:
    return list(db.audit.find({"request_id": request_id}).sort("at", 1))


def opened_lately(db: Db, coordinator_id: str, request_id: str, since: datetime) -> bool:
    wanted = {"coordinator_id": coordinator_id, "request_id": request_id, "what": "opened", "at": {"$gt": since}}
    return db.audit.find_one(wanted, {"_id": 1}) is not None


def how_many_move(db: Db) -> int:
    return db.offers.count_documents({"open": True})


def coordinators(db: Db) -> dict[str, Doc]:
    return {row["_id"]: row for row in db.coordinators.find()}


def living_links(db: Db, person_id: str, purpose: str, moment: datetime) -> int:
    return db.links.count_documents({"person_id": person_id, "purpose": purpose, "expires_at": {"$gt": moment}})


def use_up_link(db: Db, token: str) -> None:
    db.links.delete_one({"_id": tokens.digest(token)})
