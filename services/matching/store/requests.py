"""Requests, and the waiting list: those that stand in one of its three queues. `queue` is stored for the list's indexes."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain

from pymongo import IndexModel

from services.matching.domain import Flood, Practitioner, Queue, Request, RequestState
from services.matching.store import pages
from services.matching.store.pages import Page
from shared import documents
from shared.documents import load_all, load_each, load_one
from shared.mongo import Db, Doc

PAGE = 50
INDEXES = [
    IndexModel([("state", 1), ("submitted_at", 1), ("_id", 1)], name="by_state"),
    IndexModel(
        [("queue", 1), ("submitted_at", 1), ("_id", 1)],
        name="waiting_list",
        partialFilterExpression={"queue": {"$exists": True}},
    ),
    IndexModel(
        [("wanted", 1), ("submitted_at", 1), ("_id", 1)],
        name="waiting_for_somebody_named",
        partialFilterExpression={"queue": "named"},
    ),
    IndexModel(
        [("flood", 1), ("submitted_at", 1), ("_id", 1)], name="flood", partialFilterExpression={"flood": {"$exists": True}}
    ),
    IndexModel("avoid_index", name="names_somebody", partialFilterExpression={"avoid_index": {"$gt": ""}}),
    IndexModel("held_until", partialFilterExpression={"held_until": {"$exists": True}}),
]
IN_TURN = [("submitted_at", 1), ("_id", 1)]


def find(db: Db, request_id: str) -> Request | None:
    return load_one(Request, db.requests.find_one({"_id": request_id}))


def find_many(db: Db, ids: Iterable[str]) -> dict[str, Request]:
    found = load_all(Request, db.requests.find({"_id": {"$in": list(ids)}}))
    return {one.id: one for one in found}


def page_of(db: Db, state: RequestState, after: str, before: str, but: Collection[str] = ()) -> Page[Request]:
    """Those in this state, whoever asked first at the top. `but`: not those that would avoid somebody whose name has this
    index."""
    where = {"state": state, **_hidden_from(but)}
    return pages.read(db.requests, Request, where, "submitted_at", PAGE, after=after, before=before)


def count_asking(db: Db, at_most: int, but: Collection[str] = ()) -> int:
    return db.requests.count_documents({"state": "asking", **_hidden_from(but)}, limit=at_most)


def between(db: Db, after: str, up_to: str, at_most: int) -> list[Request]:
    """By their ids; `up_to` empty: to the end. To look at, not to save: without their words."""
    ids = {"$gt": after, **({"$lte": up_to} if up_to else {})}
    return load_all(Request, db.requests.find({"_id": ids}, {"encrypted": 0}).sort("_id", 1).limit(at_most))


def states_of(db: Db, ids: Collection[str]) -> dict[str, RequestState]:
    return {row["_id"]: row["state"] for row in db.requests.find({"_id": {"$in": list(ids)}}, {"state": 1})}


def that_begin_with(db: Db, beginning: str, at_most: int) -> list[Request]:
    """Whose id begins like this."""
    alike = {"_id": {"$gte": beginning, "$lt": beginning + chr(0x10FFFF)}}
    return load_all(Request, db.requests.find(alike).limit(at_most))


def newest(db: Db, count: int) -> list[Request]:
    """Those that have not ended."""
    return load_all(Request, db.requests.find({"encrypted": {"$exists": True}}).sort("$natural", -1).limit(count))


def save(db: Db, *changed: Request) -> None:
    documents.save(db.requests, *changed, derived=["queue"])


def ids_held_until(db: Db, moment: datetime) -> list[str]:
    """Those whose time to be read is over."""
    return [row["_id"] for row in db.requests.find({"held_until": {"$lte": moment}}, {"_id": 1})]


def ids_that_name_somebody(db: Db) -> list[str]:
    """Those that have not ended: names go with the end."""
    return [row["_id"] for row in db.requests.find({"avoid_index": {"$gt": ""}}, {"_id": 1})]


def page_of_flood(db: Db, after: str, before: str, but: Collection[str] = ()) -> Page[Request]:
    """Those that are held because they came in a flood, as `page_of`."""
    where = {"flood": "held", **_hidden_from(but)}
    return pages.read(db.requests, Request, where, "submitted_at", PAGE, after=after, before=before)


def count_flood(db: Db, at_most: int, but: Collection[str] = ()) -> int:
    return db.requests.count_documents({"flood": "held", **_hidden_from(but)}, limit=at_most)


def decide_flood(db: Db, decision: Flood, by: str, until: datetime, but: Collection[str] = ()) -> None:
    """About those that were sent until then."""
    where = {"flood": "held", "submitted_at": {"$lte": until}, **_hidden_from(but)}
    db.requests.update_many(where, {"$set": {"flood": decision, "flood_by": by}, "$inc": {"version": 1}})


def ids_decided(db: Db, at_most: int) -> list[str]:
    """Some of those in a flood about which a coordinator has decided."""
    found = db.requests.find({"flood": {"$in": ["goes_on", "ends"]}}, {"_id": 1}).limit(at_most)
    return [row["_id"] for row in found]


def anybody_waits(db: Db) -> bool:
    return db.requests.find_one({"queue": {"$in": ["named", "anyone", "suggestions"]}}, {"_id": 1}) is not None


def waiting_for(db: Db, practitioner_id: str, batch: int) -> Iterator[Request]:
    """Those who named this practitioner, longest waiting first, read `batch` by `batch`. To decide on, not to save: without their
    words."""
    return _waiting(db, {"queue": "named", "wanted": practitioner_id}, batch)


def waiting_in_vain(db: Db, practitioner_id: str, person_index: Collection[str]) -> list[Request]:
    """Of this person, who named this practitioner."""
    theirs = {"person_index": {"$in": list(person_index)}}
    return load_all(Request, db.requests.find({"queue": "named", "wanted": practitioner_id, **theirs}))


def waiting_in(db: Db, queue: Queue, people: Collection[Practitioner], batch: int) -> Iterator[Request]:
    """Those in this queue whom one of these people may suit, as above."""
    return _waiting(db, {"queue": queue, **_limits_of(people)}, batch)


def _hidden_from(name_index: Collection[str]) -> Doc:
    """What leaves out whatever is about somebody who would never meet the person with this name."""
    return {"avoid_index": {"$nin": list(name_index)}} if name_index else {}


def _waiting(db: Db, where: Doc, batch: int) -> Iterator[Request]:
    waiting = db.requests.find(where, {"encrypted": 0}).sort(IN_TURN)
    return load_each(Request, waiting.batch_size(batch))


def _limits_of(people: Collection[Practitioner]) -> Doc:
    """For a query that leaves out most of those whom `rules.suits` refuses with all of these people, and nobody else."""
    offers: dict[str, list[tuple[str, ...]]] = {
        "languages": [one.languages for one in people],
        "meeting_types": [one.meeting_types for one in people],
        "age_group": [one.ages for one in people],
    }
    return {name: {"$in": [*{*chain(*offered)}, [], None]} for name, offered in offers.items() if all(offered)}


def count_waiting_for(db: Db, practitioner_id: str, at_most: int) -> int:
    """How many may have a claim on a place with this practitioner: those who named them, and those who would meet anyone."""
    named = db.requests.count_documents({"queue": "named", "wanted": practitioner_id}, limit=at_most)
    return named if named >= at_most else named + db.requests.count_documents({"queue": "anyone"}, limit=at_most - named)
