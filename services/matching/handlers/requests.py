"""What happens next with a request: decided by the rules on what is known now, then done."""

from collections.abc import Collection, Iterator
from itertools import islice

from services.matching import rules, store
from services.matching.domain import Practitioner, Request
from services.matching.handlers.talk_first import offer_or_check
from services.matching.handlers.tasks import call_coordinators
from services.matching.rules import Step
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db
from shared.service import RetryLater


def find_request(request_id: str, db: Db) -> Request:
    """Raises RetryLater when the event that brings it is still on its way."""
    request = store.requests.find(db, request_id)
    if request is None:
        raise RetryLater("the request is not here yet")
    return request


def next_step(request: Request, db: Db) -> Step:
    """Along their ranking while they are in it, else as their mode says."""
    if request.choice_index is None:
        return step_after_ranking(request, db)
    people = _available({choice.practitioner_id for choice in request.choices[request.choice_index :]}, db)
    step = rules.next_choice(request, people, request.choice_index, now().date())
    return _suggest(request, db) if step.action == "suggest" else step


def step_after_ranking(request: Request, db: Db) -> Step:
    return _ask_anyone(request, db) if request.mode == "anyone" else _suggest(request, db)


def step_for_choice(request: Request, practitioner_id: str, db: Db) -> Step:
    """Ask this person if that is possible now; else show who else is free, else wait for them. Changes the request."""
    request.ask_again(practitioner_id)
    person, today = _available([practitioner_id], db).get(practitioner_id), now().date()
    if person and rules.may_be_asked(request, person, today):
        return rules.ask_step(person, request.choice_of(practitioner_id))
    step = _suggest(request, db)
    if step.action == "wait" and person and rules.could_be_asked_later(request, person, today):
        return Step("wait", (practitioner_id,))
    return step


def wait_for(request: Request, practitioner_id: str | None, db: Db) -> Step:
    """For this person, or for those they named; whoever cannot come free for them is left out. When that is everybody: as their
    mode says."""
    named = [practitioner_id] if practitioner_id else [choice.practitioner_id for choice in request.choices]
    people, today = store.practitioners.find_many(db, named), now().date()
    possible = [id for id in named if id in people and rules.could_be_asked_later(request, people[id], today)]
    return Step("wait", tuple(possible)) if possible or not named else step_after_ranking(request, db)


def stop_waiting_in_vain(request: Request, db: Db) -> list[Event]:
    """When those for whom it waits and this person would not meet: what follows is what the supportee said may follow. Changes
    the request; the caller saves it."""
    people = store.practitioners.find_many(db, request.wanted) if request.queue == "named" else {}
    if not people or not all(rules.avoid_each_other(request, one) for one in people.values()):
        return []
    return take_step(request, next_step(request, db), db)


def take_step(request: Request, step: Step, db: Db) -> list[Event]:
    """Changes the request; the caller saves it."""
    if step.practitioner:
        return offer_or_check(request, step.practitioner, db, choice_index=step.choice_index)
    if step.action == "suggest":
        return request.suggest(step.practitioner_ids)
    if step.action == "ask_me":
        return request.wait_for_choice()
    # A place may come free in this very moment, unseen by this transaction: the assignment job sees both.
    store.assignment.leave_triggers(db, "request_id", [request.id])
    events = request.wait_for_place(step.practitioner_ids)
    return events + (call_coordinators(request, "nobody_suits", db) if step.action == "nobody_suits" else [])


def _ask_anyone(request: Request, db: Db) -> Step:
    return rules.ask_anyone(request, _best_available(request, db), store.practitioners.who_may_suit(db, request), now().date())


def _suggest(request: Request, db: Db) -> Step:
    return rules.suggest(request, _best_available(request, db), store.practitioners.who_may_suit(db, request), now().date())


def _available(ids: Collection[str], db: Db) -> dict[str, Practitioner]:
    people = store.practitioners.find_many(db, ids)
    return {one.id: one for one in _with_reservations(people.values(), db)}


def _best_available(request: Request, db: Db) -> list[Practitioner]:
    """As many as a step needs at most."""
    ranked = rules.rank_candidates(request, store.practitioners.with_room_who_may_suit(db, request), now().date())
    available = (one for one in _with_reservations(ranked, db) if one.is_available)
    return list(islice(available, rules.MOST_SUGGESTIONS))


def _with_reservations(people: Collection[Practitioner], db: Db) -> Iterator[Practitioner]:
    """Between a place coming free and the assignment job's look at it, it belongs to those who wait, not to whoever comes now."""
    with_room = [one.id for one in people if one.has_room]
    unassigned = store.assignment.those_with_unassigned_room(db, with_room) if with_room else set()
    for one in people:
        if one.id in unassigned:
            one.reserved = store.requests.count_waiting_for(db, one.id, at_most=one.free_places)
        yield one
