"""What must be true of every life, whatever happened in between. Each check looks into the databases as they are."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.half_year.people import Supportee
from bench.half_year.world import World
from shared import retention

Row = dict[str, Any]
LONGEST_SILENCE = timedelta(days=35)  # the slowest pace, and a week between two looks
BY_THE_SERVERS_CLOCK = "sent_at"  # of the outbox, and nobody moves that clock
SWEPT_WITHIN = timedelta(days=1)
WAITS = ("received", "waiting", "reaching_out")


@dataclass(frozen=True)
class Stores:
    """Everything that is kept, by id."""

    at: datetime
    practitioners: dict[str, Row]
    offers: dict[str, Row]
    asked: dict[str, Row]  # matching's requests
    sent: dict[str, Row]  # intake's requests
    tasks: list[Row]
    ways_in: set[str]  # people whose code words open their page
    notes: dict[str, set[str]]  # request -> ids, as matching keeps them


def broken(world: World, supportees: list[Supportee]) -> list[str]:
    stores = _read(world)
    asked = [one for one in supportees if one.asked_at and one.request_id]
    checks = (
        _places(stores),
        _pairs(stores),
        _reachable(stores),
        _notes(stores),
        _silence(stores, world, asked),
        _first_letters(world, asked),
        _retention(world),
    )
    return [finding for check in checks for finding in check]


def _read(world: World) -> Stores:
    intake, matching = world.services["intake"].db, world.services["matching"].db
    notes: dict[str, set[str]] = defaultdict(set)
    for note in matching.notes.find({}, {"request_id": 1}):
        notes[note["request_id"]].add(note["_id"])
    codes = intake.links.find({"purpose": "code_words", "expires_at": {"$not": {"$lte": world.now()}}}, {"person_id": 1})
    return Stores(
        at=world.now(),
        practitioners={row["_id"]: row for row in matching.practitioners.find()},
        offers={row["_id"]: row for row in matching.offers.find()},
        asked={row["_id"]: row for row in matching.requests.find()},
        sent={row["_id"]: row for row in intake.requests.find()},
        tasks=list(matching.coordinator_tasks.find({"is_open": True})),
        ways_in={row["person_id"] for row in codes},
        notes=notes,
    )


def _places(stores: Stores) -> Iterator[str]:
    """I22: no place is taken without a person, and none by two."""
    held: dict[str, list[int]] = defaultdict(list)
    for offer in stores.offers.values():
        if offer.get("holds_place"):
            held[offer["practitioner_id"]].append(offer["slot"])
    for id, practitioner in stores.practitioners.items():
        if sorted(practitioner["occupied_slots"]) != sorted(held[id]):
            yield f"I22 practitioner {id}: places {sorted(practitioner['occupied_slots'])} taken, offers hold {sorted(held[id])}"


def _pairs(stores: Stores) -> Iterator[str]:
    """I17: every held place has an open offer, or a pair whose supportee can open their page."""
    for id, offer in stores.offers.items():
        if not offer.get("holds_place"):
            continue
        request, sent = stores.asked.get(offer["request_id"]), stores.sent.get(offer["request_id"])
        state = request["state"] if request else "gone"
        if offer.get("is_open") and state != "asking":
            yield f"I17 offer {id} is open and its request is {state}"
        if offer["state"] == "accepted" and state != "matched":
            yield f"I17 offer {id} was accepted and its request is {state}"
        if offer["state"] == "ended" and offer["undo_until"] <= stores.at:
            yield f"I17 offer {id} still holds a place, and its end cannot be taken back any more"
        if sent is None or not _may_come_in(stores, sent):
            yield f"I17 place of offer {id} is held for somebody who cannot open their page"


def _may_come_in(stores: Stores, sent: Row) -> bool:
    return sent["person_id"] in stores.ways_in or bool(sent.get("email_index"))


def _has_ended(sent: Row) -> bool:
    return sent.get("ended_at") is not None


def _reachable(stores: Stores) -> Iterator[str]:
    """I18: every request that has not ended is reachable by its person, and stands in both services."""
    for id, sent in stores.sent.items():
        if not _has_ended(sent):
            if not _may_come_in(stores, sent):
                yield f"I18 request {id} has not ended and nothing opens it"
            if id not in stores.asked:
                yield f"I18 request {id} has not ended and matching does not know it"
    for id, request in stores.asked.items():
        gone = id not in stores.sent or _has_ended(stores.sent[id])
        if request["state"] not in ("withdrawn", "lapsed") and gone:
            yield f"I18 request {id} is {request['state']} for matching and has ended for its person"


def _notes(stores: Stores) -> Iterator[str]:
    """I19: a note exists on both sides or on neither."""
    for id, sent in stores.sent.items():
        theirs, ours = {note["_id"] for note in sent.get("notes", ())}, stores.notes.get(id, set())
        if not _has_ended(sent) and theirs != ours:
            yield f"I19 request {id}: {len(theirs - ours)} notes on its page alone, {len(ours - theirs)} with matching alone"


def _silence(stores: Stores, world: World, asked: list[Supportee]) -> Iterator[str]:
    """I20: nobody waits past their pace without an e-mail, a page state or a task."""
    tasks = {task.get("request_id") for task in stores.tasks}
    for one in asked:
        request, sent = stores.asked.get(one.request_id), stores.sent.get(one.request_id)
        if request is None or sent is None or _has_ended(sent) or request["state"] not in WAITS or one.request_id in tasks:
            continue
        told = [email.at for email in world.emails_to(one.email)]
        if "email" in one.tells and stores.at - max([*told, one.looked_at or stores.at]) > LONGEST_SILENCE:
            yield f"I20 request {one.request_id} ({request['state']}) has heard nothing since {max(told):%d %b}"


def _first_letters(world: World, asked: list[Supportee]) -> Iterator[str]:
    """I8: everybody who asked and gave an address has the e-mail that says so."""
    for one in asked:
        if "email" in one.tells and not world.emails_to(one.email):
            yield f"I8 request {one.request_id} has no first e-mail"


def _retention(world: World) -> Iterator[str]:
    """I21: nothing is stored past its retention, and nothing that the table does not name."""
    for name, service in world.services.items():
        known = {rule.collection for rule in retention.TABLE if rule.service == name}
        yield from (f"I21 {name}.{one} has no retention" for one in service.db.list_collection_names() if one not in known)
        for rule in retention.rules_of(name):
            moment = datetime.now(UTC) if rule.since == BY_THE_SERVERS_CLOCK else world.now()
            late: Row = {rule.since: {"$lte": moment - rule.longest - SWEPT_WITHIN}, **rule.only}
            late.update({name: {"$exists": True} for name in rule.removes if name != rule.since})
            count = service.db[rule.collection].count_documents(late)
            if count:
                yield f"I21 {count} of {name}.{rule.collection} are kept longer than {rule.longest.days} days after {rule.since}"
