"""What happens next with a request: decided by the rules on what is known now, then done."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.matching import rules, store
from services.matching.domain import Practitioner, Request
from services.matching.handlers.offers import make_offer
from services.matching.handlers.tasks import call_coordinators
from services.matching.rules import Step
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db
from shared.service import RetryLater


@dataclass(frozen=True)
class Plan:
    """A step, and the practitioner whom it asks."""

    step: Step
    practitioner: Practitioner | None = None


def find_request(request_id: str, db: Db) -> Request:
    """Raises RetryLater when the event that brings it is still on its way."""
    request = store.requests.find(db, request_id)
    if request is None:
        raise RetryLater("the request is not here yet")
    return request


def next_step(request: Request, db: Db) -> Plan:
    """Along their ranking while they are in it, else as their mode says."""
    if request.choice_index is None:
        return beyond_ranking(request, db)
    people = _available({choice.practitioner_id for choice in request.choices[request.choice_index :]}, db)
    step = rules.next_choice(request, people, request.choice_index, now().date())
    return _suggest(request, db) if step.do == "suggest" else _plan(step, people.values())


def beyond_ranking(request: Request, db: Db) -> Plan:
    return _ask_anyone(request, db) if request.mode == "anyone" else _suggest(request, db)


def step_towards(request: Request, practitioner_id: str, db: Db) -> Plan:
    """Ask this person if that is possible now; else show who else is free, else wait for them."""
    person, today = _available([practitioner_id], db).get(practitioner_id), now().date()
    if person and rules.may_be_asked(request, person, today):
        return Plan(Step("ask", (practitioner_id,), request.choice_of(practitioner_id)), person)
    plan = _suggest(request, db)
    if plan.step.do == "wait" and person and rules.could_be_asked_later(request, person, today):
        return Plan(Step("wait", (practitioner_id,)))
    return plan


def wait_for(request: Request, practitioner_id: str | None, db: Db) -> Plan:
    """For this person, or for those they named; whoever cannot come free for them is left out."""
    named = [practitioner_id] if practitioner_id else [choice.practitioner_id for choice in request.choices]
    people, today = store.practitioners.find_many(db, named), now().date()
    possible = [id for id in named if id in people and rules.could_be_asked_later(request, people[id], today)]
    return Plan(Step("wait", tuple(possible)))


def take_step(request: Request, plan: Plan, db: Db) -> list[Event]:
    """Changes the request; the caller saves it."""
    step = plan.step
    if plan.practitioner:
        return ask(request, plan.practitioner, db, choice_index=step.choice_index)
    if step.do == "suggest":
        return request.suggest(step.practitioner_ids)
    if step.do == "ask_me":
        return request.wait_for_choice()
    # A place may come free in this very moment, unseen by this transaction: the assignment job sees both.
    store.assignment.request_began_to_wait(db, request.id)
    events = request.wait_for_place(step.practitioner_ids)
    return events + (call_coordinators(request, "nobody_suits", db) if step.do == "nobody_suits" else [])


def ask(
    request: Request, practitioner: Practitioner, db: Db, *, choice_index: int | None, after_waiting: bool = False
) -> list[Event]:
    """Changes the request; the caller saves it."""
    if request.stored_version is not None:
        store.tasks.resolve(db, request.id, now(), only=["nobody_suits"])
    return make_offer(request, practitioner, db, choice_index=choice_index, after_waiting=after_waiting)


def _ask_anyone(request: Request, db: Db) -> Plan:
    free = _with_room(db)
    return _plan(rules.ask_anyone(request, free, store.practitioners.still_here(db), now().date()), free)


def _suggest(request: Request, db: Db) -> Plan:
    return Plan(rules.suggest(request, _with_room(db), store.practitioners.still_here(db), now().date()))


def _available(ids: Collection[str], db: Db) -> dict[str, Practitioner]:
    people = store.practitioners.find_many(db, ids)
    _reserve([one for one in people.values() if one.has_room], db)
    return people


def _with_room(db: Db) -> list[Practitioner]:
    return _reserve(store.practitioners.with_room(db), db)


def _reserve(people: list[Practitioner], db: Db) -> list[Practitioner]:
    """Between a place coming free and the assignment job's look at it, it belongs to those who wait, not to whoever comes now."""
    unassigned = store.assignment.those_with_unassigned_room(db, [one.id for one in people]) if people else set()
    for one in people:
        if one.id in unassigned:
            one.reserved = store.requests.count_waiting_for(db, one.id, at_most=one.free_places)
    return people


def _plan(step: Step, people: Iterable[Practitioner]) -> Plan:
    asked = step.practitioner_ids[0] if step.do == "ask" else None
    return Plan(step, next((one for one in people if one.id == asked), None))
