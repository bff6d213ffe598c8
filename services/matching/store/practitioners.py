"""Practitioners. A place is held by replacing the practitioner's own document at the version that was read; the unique index
`one_person_per_place` of the offers stands behind it. `has_room` is stored for its index."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import Practitioner, Request
from services.matching.store import assignment, pages
from services.matching.store.pages import Page
from shared import documents
from shared.contracts import PractitionerState
from shared.documents import load_all, load_each, load_one
from shared.mongo import Db, Doc

INDEXES = [
    IndexModel("email_index", unique=True, partialFilterExpression={"email_index": {"$exists": True}}),
    IndexModel("slug_index", unique=True, partialFilterExpression={"slug_index": {"$exists": True}}),
    IndexModel([("state", 1), ("resting_until", 1)]),
    IndexModel([("published_state", 1), ("last_asked_at", 1), ("_id", 1)]),
    IndexModel("name_index"),
    IndexModel("buddy_id", partialFilterExpression={"buddy_id": {"$exists": True}}),
    IndexModel("has_room", name="with_room", partialFilterExpression={"has_room": True}),
]
SOME = PAGE = 50


def find(db: Db, practitioner_id: str) -> Practitioner | None:
    return load_one(Practitioner, db.practitioners.find_one({"_id": practitioner_id}))


def find_by_email(db: Db, email_index: str) -> Practitioner | None:
    return load_one(Practitioner, db.practitioners.find_one({"email_index": email_index}))


def find_by_slug(db: Db, slug_index: str) -> Practitioner | None:
    return load_one(Practitioner, db.practitioners.find_one({"slug_index": slug_index}))


def who_named(db: Db, practitioner_id: str) -> list[Practitioner]:
    """As their buddy."""
    return load_all(Practitioner, db.practitioners.find({"buddy_id": {"$eq": practitioner_id, "$exists": True}}))


def find_many(db: Db, ids: Iterable[str]) -> dict[str, Practitioner]:
    wanted = sorted(set(ids))
    found = load_all(Practitioner, db.practitioners.find({"_id": {"$in": wanted}})) if wanted else []
    return {one.id: one for one in found}


def everyone(db: Db) -> Iterator[Practitioner]:
    return load_each(Practitioner, db.practitioners.find())


def after(db: Db, practitioner_id: str, count: int) -> list[Practitioner]:
    """By their ids."""
    return load_all(Practitioner, db.practitioners.find({"_id": {"$gt": practitioner_id}}).sort("_id", 1).limit(count))


def those_who_stepped_back(db: Db, ids: Iterable[str]) -> list[str]:
    among = {"_id": {"$in": sorted(set(ids))}, "state": "stepped_back"}
    return [row["_id"] for row in db.practitioners.find(among, {"_id": 1})]


def page_of(db: Db, state: PractitionerState, after: str, before: str) -> Page[Practitioner]:
    """Those who stand on the website as this, whoever was asked longest ago, or never, first."""
    shown = {"published_state": state}
    return pages.read(db.practitioners, Practitioner, shown, "last_asked_at", PAGE, after=after, before=before)


def with_room(db: Db, ids: Iterable[str] | None = None) -> list[Practitioner]:
    """All of them, or those of `ids`."""
    among = {} if ids is None else {"_id": {"$in": sorted(ids)}}
    return load_all(Practitioner, db.practitioners.find({"has_room": True, **among}))


def with_room_who_may_suit(db: Db, request: Request) -> list[Practitioner]:
    return load_all(Practitioner, db.practitioners.find({"has_room": True, **_limits_of(request)}))


def who_may_suit(db: Db, request: Request) -> Iterator[Practitioner]:
    """Whether they have room or not, unless they stepped back. Read some at a time: one who suits is enough."""
    listed = db.practitioners.find({"state": {"$ne": "stepped_back"}, **_limits_of(request)})
    return load_each(Practitioner, listed.batch_size(SOME))


def _limits_of(request: Request) -> Doc:
    """For a query that leaves out most of those whom `rules.suits` refuses, and nobody else."""
    ages = (request.age_group,) if request.age_group else ()
    answers = {"languages": request.languages, "meeting_types": request.meeting_types, "ages": ages}
    either: Doc = {name: {"$in": [*wanted, [], None]} for name, wanted in answers.items() if wanted}
    return {**either, "not_now": {"$nin": list(request.help)}}


def anybody_has_room(db: Db) -> bool:
    return db.practitioners.find_one({"has_room": True}, {"_id": 1}) is not None


def ids_of_rested(db: Db, moment: datetime) -> list[str]:
    """Those whose pause is over."""
    return [row["_id"] for row in db.practitioners.find({"state": "resting", "resting_until": {"$lte": moment}}, {"_id": 1})]


def ids_without_name_index(db: Db, at_most: int) -> list[str]:
    """Those stored before names were compared."""
    unknown: Doc = {"name_index": {"$in": [None, []]}}
    return [row["_id"] for row in db.practitioners.find(unknown, {"_id": 1}).limit(at_most)]


def newest(db: Db, count: int) -> list[Practitioner]:
    return load_all(Practitioner, db.practitioners.find().sort("$natural", -1).limit(count))


def slug_is_taken(db: Db, slug_index: str, by_other_than: str) -> bool:
    return db.practitioners.find_one({"slug_index": slug_index, "_id": {"$ne": by_other_than}}, {"_id": 1}) is not None


def save(db: Db, *changed: Practitioner) -> None:
    """With a trigger for the assignment job for each who has room now that they may not have had, or who stepped back."""
    documents.save(db.practitioners, *changed, derived=["has_room"])
    assignment.leave_triggers(db, "practitioner_id", [one.id for one in changed if one.made_room])
    assignment.leave_triggers(db, "stepped_back_id", [one.id for one in changed if one.just_stepped_back])
    for one in changed:
        one.made_room = one.just_stepped_back = False
