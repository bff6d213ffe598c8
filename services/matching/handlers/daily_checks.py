"""Once a day everything is checked against what must be true at any time (invariants.py): what can be is repaired, the rest
becomes a task. Places are looked at page by page; requests when intake says how it holds them."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from services.matching import invariants, store
from services.matching.domain import Offer, Practitioner, Request, TaskReason
from services.matching.handlers.broker_events import withdraw_request
from services.matching.handlers.notes import tell_of_note
from services.matching.handlers.offers import free_place
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.service import service
from services.matching.handlers.tasks import add_task, hand_to_coordinators, open_task
from services.matching.invariants import Finding, Known
from shared import checks, outbox
from shared.checks import Outcome
from shared.clock import now
from shared.contracts import (
    HeldRequest,
    IntakeRowsKept,
    NotesMissed,
    NotifyRowsKept,
    OfferReleased,
    RequestLapsed,
    RequestsChecked,
    RequestWithdrawn,
    WordsErased,
)
from shared.messages import Event
from shared.mongo import Db
from shared.service import KeptTooLong

CHECK_OF_PLACES = "places"
PEOPLE_ON_A_PAGE = 100
MOST_COMPARED = 1000
MANY = 20
"""More than that at once is not the matter of one request: a copy of one database was brought back, or one is damaged."""
LONGER_THAN_A_REPAIR, STILL_UNDER_WAY = timedelta(hours=12), timedelta(hours=1)
Repair = Callable[[Request, HeldRequest, Known, Db], tuple[Outcome | None, list[Event]]]


def find_due_check(db: Db) -> Iterable[str]:
    return checks.due(db, CHECK_OF_PLACES, now())


@service.every(checks.SECONDS_BETWEEN_LOOKS, find_due_check)
def check_places(name: str, db: Db) -> list[Event]:
    """A page of practitioners, with the offers that hold their places."""
    page = checks.begin(db, name, now())
    if page is None:
        return []
    people = store.practitioners.after(db, page.after, PEOPLE_ON_A_PAGE)
    held: dict[str, list[Offer]] = {one.id: [] for one in people}
    for offer in store.offers.held_by_any(db, held):
        held[offer.practitioner_id].append(offer)
    states = store.requests.states_of(db, [offer.request_id for offers in held.values() for offer in offers])
    events: list[Event] = []
    for one in people:
        for_nobody = [offer for offer in held[one.id] if not invariants.is_held_for_somebody(offer, states.get(offer.request_id))]
        if not invariants.places_are_right(one, held[one.id]):
            events += _hold_only(one, held[one.id], db)
        for offer in for_nobody:
            events += _let_go(offer, db)
    checks.end(db, page, people[-1].id if len(people) == PEOPLE_ON_A_PAGE else "", now())
    return events


@service.on(RequestsChecked)
def compare_requests(event: RequestsChecked, db: Db) -> list[Event]:
    held = {one.request_id: one for one in event.requests}
    ours = {one.id: one for one in store.requests.between(db, event.after, event.up_to, MOST_COMPARED)}
    known = _known(list(ours), event.checked_at, db)
    found = {id: invariants.findings(one, held.get(id), known[id], event.checked_at) for id, one in ours.items()}
    unknown_here = [
        one for one in event.requests if one.standing not in ("sent", "moving", "ended") and one.request_id not in ours
    ]
    unknown_there = [id for id, findings in found.items() if "unknown_to_intake" in findings]
    if unknown_here or len(unknown_there) > MANY:
        _open_task_of_no_request("out_of_step", "unknown_to_matching" if unknown_here else "unknown_to_intake", db)
    events: list[Event] = []
    for id, one in ours.items():
        if found[id] and (held.get(id) or len(unknown_there) <= MANY):
            events += _repair(id, found[id], held.get(id) or HeldRequest(request_id=id, standing="open"), known[id], db)
        elif one.differs_since and not found[id]:
            _agree_again(id, db)
    return events


def open_task_for_rows_kept(_: KeptTooLong | IntakeRowsKept | NotifyRowsKept, db: Db) -> list[Event]:
    if store.tasks.find_open_of_no_request(db, "kept_too_long") is None:
        add_task("kept_too_long", db)
    return []


service.on_kept_too_long(open_task_for_rows_kept)
service.on(IntakeRowsKept)(open_task_for_rows_kept)
service.on(NotifyRowsKept)(open_task_for_rows_kept)


def _hold_only(practitioner: Practitioner, holding: list[Offer], db: Db) -> list[Event]:
    checks.record(service, db, "places_without_offers", "repaired")
    changed = practitioner.hold_only(*invariants.slots_and_codes(holding))
    store.practitioners.save(db, practitioner)
    return changed


def _let_go(offer: Offer, db: Db) -> list[Event]:
    """A place held for nobody is free again, and whoever was asked is told. Where two may meet all the same, a person looks."""
    request, match = store.requests.find(db, offer.request_id), store.offers.find_match(db, offer.id)
    is_live = bool(request and not request.has_ended)
    if request and is_live and offer.state == "accepted" and match and match.ended_at is None:
        if open_task(request, "out_of_step", db):
            checks.record(service, db, "held_for_nobody", "task")
        return []
    checks.record(service, db, "held_for_nobody", "repaired")
    was_open = offer.is_open
    if not is_live:
        store.offers.delete_about(db, offer.request_id)
    elif was_open:
        offer.release(now())
    else:
        offer.end_meetings(now(), "supportee", None)
    if is_live:
        store.offers.save(db, offer)
    return (_released(offer) if was_open else []) + free_place(offer, db, pending=was_open)


def _released(offer: Offer) -> list[Event]:
    """As something long past: what the request's page shows is what came after it."""
    about = {"offer_id": offer.id, "request_id": offer.request_id, "practitioner_id": offer.practitioner_id}
    return [OfferReleased(**about, version=0, reason="chose_another")]


def _known(ids: list[str], moment: datetime, db: Db) -> dict[str, Known]:
    holding = store.offers.that_hold_places(db, ids)
    asked = {offer.request_id for offer in holding if offer.is_open}
    accepted = {offer.id for offer in holding if offer.state == "accepted"}
    met = {match.request_id for match in store.offers.live_matches_of(db, ids) if match.offer_id in accepted}
    notes = store.notes.ids_about(db, ids)
    moving = outbox.said_since(db, moment - STILL_UNDER_WAY, ids)
    return {
        id: Known(has_open_offer=id in asked, has_match=id in met, notes=frozenset(notes.get(id, ())), moving=id in moving)
        for id in ids
    }


def _repair(id: str, findings: list[Finding], held: HeldRequest, known: Known, db: Db) -> list[Event]:
    events: list[Event] = []
    for finding in findings:
        request = store.requests.find(db, id)
        if request is None:
            continue
        outcome, said = _REPAIRS[finding](request, held, known, db)
        if outcome:
            checks.record(service, db, finding, outcome)
        events += said
    return events


def _withdraw(request: Request, _: HeldRequest, __: Known, db: Db) -> tuple[Outcome | None, list[Event]]:
    return "repaired", withdraw_request(RequestWithdrawn(request_id=request.id, person_id=request.supportee_id), db)


def _say_that_it_ended(request: Request, _: HeldRequest, __: Known, ___: Db) -> tuple[Outcome | None, list[Event]]:
    if request.state == "withdrawn":
        return "repaired", [WordsErased(request_id=request.id)]
    return "repaired", [RequestLapsed(request_id=request.id, supportee_id=request.supportee_id, version=request.version)]


def _decide(request: Request, _: HeldRequest, __: Known, db: Db) -> tuple[Outcome | None, list[Event]]:
    request.begin_again()
    events = take_step(request, next_step(request, db), db)
    store.requests.save(db, request)
    return "repaired", events


def _hand_over(request: Request, _: HeldRequest, __: Known, db: Db) -> tuple[Outcome | None, list[Event]]:
    """Nobody can say whether the two met: a person writes to them."""
    match = store.offers.find_live_match(db, request.id)
    if match:
        match.end(now(), "supportee")
        store.offers.save_match(db, match)
    request.begin_again()
    events = hand_to_coordinators(request, "reach_out", db)
    store.requests.save(db, request)
    return "task", events


def _say_again(request: Request, held: HeldRequest, known: Known, db: Db) -> tuple[Outcome | None, list[Event]]:
    """What was said of it in the last days is published again: who has heard it changes nothing. What differs a day later all the
    same is a task."""
    if request.differs_since and now() - request.differs_since > LONGER_THAN_A_REPAIR:
        return ("task" if open_task(request, "out_of_step", db) else None), []
    outbox.reemit(db, subjects=[request.id])
    alone, missed = known.alone(held), known.lacks(held)
    written = [note for note in store.notes.about(db, request.id) if note.id in alone]
    ours = [note for note in written if note.practitioner_id or note.coordinator_id]
    events: list[Event] = [tell_of_note(note, request) for note in ours]
    events += [NotesMissed(request_id=request.id, notes=tuple(sorted(missed)))] if missed else []
    request.differs_since = request.differs_since or now()
    request.version += 1
    store.requests.save(db, request)
    return "repaired", events


def _open_task(reason: TaskReason) -> Repair:
    def repair(request: Request, _: HeldRequest, __: Known, db: Db) -> tuple[Outcome | None, list[Event]]:
        return ("task" if open_task(request, reason, db) else None), []

    return repair


_REPAIRS: dict[Finding, Repair] = {
    "left": _withdraw,
    "ended": _say_that_it_ended,
    "unknown_to_intake": _open_task("out_of_step"),
    "asked_without_offer": _decide,
    "undecided": _decide,
    "matched_without_match": _hand_over,
    "no_way_in": _open_task("no_way_in"),
    "waits_unseen": _open_task("out_of_step"),
    "differs": _say_again,
}


def _agree_again(request_id: str, db: Db) -> None:
    request, moment = store.requests.find(db, request_id), now()
    if request:
        request.differs_since = None
        request.version += 1
        store.requests.save(db, request)
        store.tasks.resolve(db, request.id, moment, only=["out_of_step"])


def _open_task_of_no_request(reason: TaskReason, finding: str, db: Db) -> None:
    if store.tasks.find_open_of_no_request(db, reason) is None:
        add_task(reason, db)
        checks.record(service, db, finding, "task")
