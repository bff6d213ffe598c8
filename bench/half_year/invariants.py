"""What must be true of every life, whatever happened in between. Each check looks into the databases as they are."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.half_year.people import Supportee
from bench.half_year.world import World
from services.intake.domain import Agreement as ShownAgreement
from services.intake.domain import Meetings as ShownMeetings
from services.intake.domain import Request as Page
from services.matching.domain import Agreement, CoordinatorTask, Match, Meetings, Offer, Practitioner, Request
from services.matching.invariants import is_held_for_somebody, places_are_right, slots_and_codes
from shared import retention, sweeper
from shared.documents import load_all

LONGEST_SILENCE = timedelta(days=35)  # the slowest pace, and a week between two looks
SWEPT_WITHIN = timedelta(days=1)
WAITS = ("received", "waiting", "reaching_out")


@dataclass(frozen=True)
class Stores:
    """Everything that is kept, by id."""

    at: datetime
    practitioners: dict[str, Practitioner]
    offers: dict[str, Offer]
    asked: dict[str, Request]  # as matching holds them
    sent: dict[str, Page]  # as their pages show them
    tasks: list[CoordinatorTask]
    ways_in: set[str]  # people whose code words open their page
    notes: dict[str, set[str]]  # request -> ids, as matching keeps them
    meetings: dict[str, Meetings] = field(default_factory=dict)  # of each match, as matching keeps them
    shown_meetings: dict[str, ShownMeetings] = field(default_factory=dict)  # as the supportee's page shows them
    matches: dict[str, Match] = field(default_factory=dict)
    agreements: dict[str, Agreement] = field(default_factory=dict)  # of each match, as matching keeps it
    shown_agreements: dict[str, ShownAgreement] = field(default_factory=dict)  # as the supportee's page shows it


def broken(world: World, supportees: list[Supportee]) -> list[str]:
    stores = _read(world)
    asked = [one for one in supportees if one.asked_at and one.request_id]
    checks = (
        _places(stores),
        _pairs(stores),
        _reachable(stores),
        _notes(stores),
        _meetings(stores),
        _agreements(stores),
        _plans(stores),
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
        practitioners={one.id: one for one in load_all(Practitioner, matching.practitioners.find())},
        offers={one.id: one for one in load_all(Offer, matching.offers.find())},
        asked={one.id: one for one in load_all(Request, matching.requests.find())},
        sent={one.id: one for one in load_all(Page, intake.requests.find())},
        tasks=load_all(CoordinatorTask, matching.coordinator_tasks.find({"is_open": True})),
        ways_in={row["person_id"] for row in codes},
        notes=notes,
        meetings={one.id: one for one in load_all(Meetings, matching.meetings.find())},
        shown_meetings={one.id: one for one in load_all(ShownMeetings, intake.meetings.find())},
        matches={one.id: one for one in load_all(Match, matching.matches.find())},
        agreements={one.id: one for one in load_all(Agreement, matching.agreements.find())},
        shown_agreements={one.id: one for one in load_all(ShownAgreement, intake.agreements.find())},
    )


def _places(stores: Stores) -> Iterator[str]:
    """I22: no place is taken without a person, and none by two."""
    held: dict[str, list[Offer]] = defaultdict(list)
    for offer in stores.offers.values():
        if offer.holds_place:
            held[offer.practitioner_id].append(offer)
    for id, one in stores.practitioners.items():
        if not places_are_right(one, held[id]):
            taken, right = (one.occupied_slots, one.pending_codes), slots_and_codes(held[id])
            yield f"I22 practitioner {id}: places and codes {taken} are taken, offers hold {right}"


def _pairs(stores: Stores) -> Iterator[str]:
    """I17: every held place has an open offer, or a pair whose supportee can open their page."""
    for id, offer in stores.offers.items():
        if not offer.holds_place:
            continue
        request, page = stores.asked.get(offer.request_id), stores.sent.get(offer.request_id)
        if not is_held_for_somebody(offer, request.state if request else None):
            yield f"I17 offer {id} is {offer.state} and its request is {request.state if request else 'gone'}"
        if offer.undo_until and offer.undo_until <= stores.at:
            yield f"I17 offer {id} still holds a place, and its end cannot be taken back any more"
        if page is None or not _may_come_in(stores, page):
            yield f"I17 place of offer {id} is held for somebody who cannot open their page"


def _may_come_in(stores: Stores, page: Page) -> bool:
    return page.may_come_in(by_words_or_link=page.person_id in stores.ways_in)


def _reachable(stores: Stores) -> Iterator[str]:
    """I18: every request that has not ended is reachable by its person, and stands in both services."""
    for id, page in stores.sent.items():
        if page.ended_at is None:
            if not _may_come_in(stores, page):
                yield f"I18 request {id} has not ended and nothing opens it"
            if id not in stores.asked:
                yield f"I18 request {id} has not ended and matching does not know it"
    for id, request in stores.asked.items():
        gone = id not in stores.sent or stores.sent[id].ended_at
        if gone and not request.has_ended:
            yield f"I18 request {id} is {request.state} for matching and has ended for its person"


def _notes(stores: Stores) -> Iterator[str]:
    """I19: a note exists on both sides or on neither."""
    for id, page in stores.sent.items():
        theirs, ours = {note.id for note in page.notes}, stores.notes.get(id, set())
        if page.ended_at is None and theirs != ours:
            yield f"I19 request {id}: {len(theirs - ours)} notes on its page alone, {len(ours - theirs)} with matching alone"


def _meetings(stores: Stores) -> Iterator[str]:
    """I23: both of two see the same hour, and none of a pair that has ended."""
    for id, kept in stores.meetings.items():
        page, shown = stores.sent.get(kept.request_id), stores.shown_meetings.get(id)
        offer = stores.offers.get(kept.offer_id)
        if kept.ended_at is None and (offer is None or not offer.holds_place):
            yield f"I23 meetings {id} go on, and their pair has ended"
        if page is None or page.ended_at or not kept.version:
            continue
        if shown is None or shown.version != kept.version:
            yield f"I23 meetings {id} are at {kept.version}, their supportee's page at {shown.version if shown else 'nothing'}"
        elif (shown.series, shown.proposal, shown.former) != (kept.series, kept.proposal, kept.former):
            yield f"I23 meetings {id} are not the same on both sides"


def _agreements(stores: Stores) -> Iterator[str]:
    """I24: both of two read the same of what they agree on, and nothing of it is left once one deleted it or left."""
    for id, shown in stores.shown_agreements.items():
        page, kept = stores.sent.get(shown.request_id), stores.agreements.get(id)
        if page is None or page.ended_at:
            yield f"I24 what was agreed on stays of request {shown.request_id}, which has ended"
        elif shown.is_underway:
            yield f"I24 match {id}: what its supportee did to the agreement was not heard"
        elif kept is None or (shown.newest, shown.before, {*shown.said_yes}) != (kept.newest, kept.before, {*kept.said_yes}):
            yield f"I24 match {id}: the two read two versions of what they agree on"
    for id, kept in stores.agreements.items():
        page = stores.sent.get(kept.request_id)
        if page is None or (kept.newest is None and kept.before):
            yield f"I24 match {id}: something is left of what was agreed on"
        elif page.ended_at is None and kept.newest and id not in stores.shown_agreements:
            yield f"I24 match {id}: its supportee does not read what was agreed on"


def _plans(stores: Stores) -> Iterator[str]:
    """I25: a practitioner has a plan for hard days just as long as its person shows it to them."""
    for id, match in stores.matches.items():
        page = stores.sent.get(match.request_id)
        shown_to = page.plan.shown_to if page and page.plan else None
        if match.ended_at is None and bool(match.plan) != (shown_to == id):
            yield f"I25 match {id}: a plan is {'kept' if match.plan else 'missing'} against its person's word"


def _silence(stores: Stores, world: World, asked: list[Supportee]) -> Iterator[str]:
    """I20: nobody waits past their pace without an e-mail, a page state or a task."""
    tasks = {task.request_id for task in stores.tasks}
    for one in asked:
        request, page = stores.asked.get(one.request_id), stores.sent.get(one.request_id)
        if request is None or page is None or page.ended_at or request.state not in WAITS or one.request_id in tasks:
            continue
        told = [email.at for email in world.emails_to(one.email)]
        if "email" in one.tells and stores.at - max([*told, one.looked_at or stores.at]) > LONGEST_SILENCE:
            yield f"I20 request {one.request_id} ({request.state}) has heard nothing since {max(told):%d %b}"


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
        for rule, where in sweeper.late(name, world.now() - SWEPT_WITHIN, {}):
            count = service.db[rule.collection].count_documents(where)
            if count:
                yield f"I21 {count} of {name}.{rule.collection} are kept longer than {rule.longest.days} days after {rule.since}"
