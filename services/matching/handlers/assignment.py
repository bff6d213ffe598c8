"""Assignment: places that came free are offered to those who wait, in order of their priority.

Whoever frees a place or begins to wait only leaves a trigger (store/assignment.py). One worker at a time (assignment_job.py)
takes what triggers there are and makes one run. A run reads what the triggers concern by index and decides in memory; it writes
some dozens of requests in one transaction, which looks again at everything it relies on and skips what changed meanwhile.

Between runs nobody waits who could be assigned to somebody with room, whatever no trigger tells of apart (timers.py). So a run
looks at practitioners with a trigger for everybody who waits, and at requests with a trigger for everybody with room.
"""

import heapq
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

import pymongo

from services.matching import rules, store
from services.matching.domain import Practitioner, Queue, Request
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.talk_first import offer_or_check
from services.matching.rules import Waiting
from services.matching.store.assignment import AssignmentTrigger
from shared.clock import now
from shared.contracts import OfferMade
from shared.logs import get_logger
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service

MOST_TRIGGERS = 2000
OFFERS_AT_ONCE = 20  # in one transaction; each is about six commands
SUGGESTIONS_AT_ONCE = 50  # in one transaction; all of them are two commands
SUGGESTIONS_IN_A_RUN = 1000  # so that places which come free meanwhile need not wait for thousands of suggestions
ATTEMPTS = 3
SECONDS_FOR_A_RUN = 60
log = get_logger("matching.assignment")

Suggestion = tuple[str, tuple[str, ...]]
"""Request id, and practitioner ids in the order to show them."""


@dataclass(frozen=True, kw_only=True)
class AssignPlaces:
    """(request id, practitioner id), in order of priority."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class SuggestToWaiting:
    suggestions: tuple[Suggestion, ...]


def assign_places(command: AssignPlaces, db: Db) -> list[Event]:
    requests = store.requests.find_many(db, [request_id for request_id, _ in command.pairs])
    people = store.practitioners.find_many(db, [practitioner_id for _, practitioner_id in command.pairs])
    events: list[Event] = []
    for request_id, practitioner_id in command.pairs:
        request, practitioner = requests.get(request_id), people.get(practitioner_id)
        if request and practitioner and _still_possible(request, practitioner):
            index = request.choice_of(practitioner.id)
            events += offer_or_check(request, practitioner, db, choice_index=index, after_waiting=True)
            store.requests.save(db, request)
    return events


def suggest_to_waiting(command: SuggestToWaiting, db: Db) -> list[Event]:
    """Whoever asked for suggestions is shown who has room: nobody reads their words before they chose them."""
    requests = store.requests.find_many(db, [request_id for request_id, _ in command.suggestions])
    people = store.practitioners.find_many(db, [id for _, ids in command.suggestions for id in ids])
    today, events, changed = now().date(), list[Event](), list[Request]()
    for request_id, ids in command.suggestions:
        request = requests.get(request_id)
        if request is None or request.queue != "suggestions":
            continue
        able = tuple(id for id in ids if id in people and rules.may_be_asked(request, people[id], today))
        if able:
            events += request.suggest(able)
            changed.append(request)
    store.requests.save(db, *changed)
    return events


def stop_waiting(request_id: str, db: Db) -> list[Event]:
    """When all for whom this request waits stepped back: what happens next is what the supportee said may happen."""
    request = store.requests.find(db, request_id)
    if request is None or request.queue != "named":
        return []
    if set(store.practitioners.those_who_stepped_back(db, request.wanted)) != set(request.wanted):
        return []
    events = take_step(request, next_step(request, db), db)
    store.requests.save(db, request)
    return events


def assign_free_places(service: Service, stop: threading.Event) -> int:
    """One run over the triggers that are there; how many there were. When it ends early, what it did is done, and the triggers
    stay for the next run."""
    with pymongo.timeout(SECONDS_FOR_A_RUN):
        triggers = store.assignment.triggers(service.db, MOST_TRIGGERS)
        if triggers and _Run(service, triggers, stop).assign():
            store.assignment.delete_triggers(service.db, triggers)
    return len(triggers)


def _still_possible(request: Request, practitioner: Practitioner) -> bool:
    wants_them = request.queue == "anyone" or (request.queue == "named" and practitioner.id in request.wanted)
    return wants_them and rules.may_be_asked(request, practitioner, now().date())


class _Run:
    def __init__(self, service: Service, triggers: list[AssignmentTrigger], stop: threading.Event) -> None:
        self._stop = stop
        self._service, self._db, self._today = service, service.db, now().date()
        everything = any(trigger.is_everything for trigger in triggers)
        began_to_wait = [trigger.request_id for trigger in triggers if trigger.request_id]
        came_free = {trigger.practitioner_id for trigger in triggers if trigger.practitioner_id}
        only = None if everything or began_to_wait else came_free
        self._people = {one.id: one for one in store.practitioners.with_room(self._db, only)}
        self._free = {one.id: one.free_places for one in self._people.values()}
        # Those whom everybody who waits may want; the others are only looked at for requests that began to wait.
        self._came_free = [id for id in self._people if everything or id in came_free]
        newly_waiting = store.requests.find_many(self._db, began_to_wait) if began_to_wait else {}
        self._newly_waiting = sorted(newly_waiting.values(), key=_waiting_order) if self._people else []
        # Whoever began to wait may not have seen that somebody stepped back in the same moment.
        wanted = {id for request in newly_waiting.values() for id in request.wanted}
        stepped_back = {trigger.stepped_back_id for trigger in triggers if trigger.stepped_back_id}
        self._stepped_back = store.practitioners.those_who_stepped_back(self._db, wanted | stepped_back)
        self._allowed: dict[tuple[object, str], bool] = {}

    def assign(self) -> bool:
        """False: there is more to do, in another run."""
        self._stop_waiting_for_those_who_stepped_back()
        self._offer_places(self._named())
        self._offer_places(self._in_queue("anyone"))
        made = self._suggest(islice(self._suggestions(), SUGGESTIONS_IN_A_RUN))
        return made < SUGGESTIONS_IN_A_RUN and not self._stop.is_set()

    def _stop_waiting_for_those_who_stepped_back(self) -> None:
        for practitioner_id in self._stepped_back:
            for request in store.requests.waiting_for(self._db, practitioner_id, SUGGESTIONS_AT_ONCE):
                if self._stop.is_set():
                    return
                self._service.run(stop_waiting, request.id)

    def _named(self) -> Iterator[Request]:
        those_waiting = heapq.merge(*(self._waiting_for(id) for id in self._came_free), key=_waiting_order)
        each_once = (next(same) for _, same in groupby(those_waiting, key=_waiting_order))
        return self._with_newly_waiting("named", each_once)

    def _waiting_for(self, practitioner_id: str) -> Iterator[Request]:
        for request in store.requests.waiting_for(self._db, practitioner_id, OFFERS_AT_ONCE):
            if self._free[practitioner_id] <= 0:
                return
            yield request

    def _in_queue(self, queue: Queue) -> Iterator[Request]:
        return self._with_newly_waiting(queue, self._whole_queue(queue))

    def _whole_queue(self, queue: Queue) -> Iterator[Request]:
        if not self._any_left():
            return
        people = [self._people[id] for id in self._came_free if self._free[id] > 0]
        for request in store.requests.waiting_in(self._db, queue, people, SUGGESTIONS_AT_ONCE):
            yield request
            if not self._any_left():
                return

    def _any_left(self) -> bool:
        return any(self._free[id] > 0 for id in self._came_free)

    def _with_newly_waiting(self, queue: Queue, requests: Iterable[Request]) -> Iterator[Request]:
        """Each once."""
        new = {one.id: one for one in self._newly_waiting if one.queue == queue}
        for request in requests:
            new.pop(request.id, None)
            yield request
        yield from new.values()

    def _offer_places(self, requests: Iterator[Request]) -> None:
        waiting = (one for one in map(self._ranked, requests) if one.ranking)
        while not self._stop.is_set() and (batch := list(islice(waiting, OFFERS_AT_ONCE))):
            self._offer_batch(batch)

    def _offer_batch(self, waiting: list[Waiting]) -> None:
        """What changed meanwhile is read and decided again. After that it is left: whoever changed it left a trigger."""
        for _ in range(ATTEMPTS):
            matched = rules.stable_match(waiting, self._free)
            if not matched:
                return
            pairs = tuple((one.request_id, matched[one.request_id]) for one in waiting if one.request_id in matched)
            events = self._service.run(assign_places, AssignPlaces(pairs=pairs))
            asked = {event.request_id for event in events if isinstance(event, OfferMade)}
            self._read_again({practitioner_id for _, practitioner_id in pairs})
            missed = [request_id for request_id, _ in pairs if request_id not in asked]
            still_waiting = store.requests.find_many(self._db, missed) if missed else {}
            waiting = sorted(map(self._ranked, still_waiting.values()), key=lambda one: one.priority)

    def _read_again(self, practitioner_ids: set[str]) -> None:
        now_free = {one.id: one for one in store.practitioners.with_room(self._db, practitioner_ids)}
        for id in practitioner_ids:
            self._free[id] = now_free[id].free_places if id in now_free else 0

    def _suggestions(self) -> Iterator[Suggestion]:
        suggestions = ((request.id, self._suggestion(request)) for request in self._in_queue("suggestions"))
        return (suggestion for suggestion in suggestions if suggestion[1])

    def _suggest(self, suggestions: Iterator[Suggestion]) -> int:
        made = 0
        while not self._stop.is_set() and (batch := tuple(islice(suggestions, SUGGESTIONS_AT_ONCE))):
            self._service.run(suggest_to_waiting, SuggestToWaiting(suggestions=batch))
            made += len(batch)
        return made

    def _suggestion(self, request: Request) -> tuple[str, ...]:
        return self._candidates(request)[: rules.MOST_SUGGESTIONS]

    def _ranked(self, request: Request) -> Waiting:
        named = request.queue == "named"
        if request.queue == "anyone":
            ranking = self._candidates(request)
        else:
            ranking = tuple(id for id in request.wanted if id in self._people and self._suits(request, self._people[id]))
        return Waiting(request_id=request.id, since=request.submitted_at, ranking=ranking, named=named)

    def _candidates(self, request: Request) -> tuple[str, ...]:
        suitable = [one for id, one in self._people.items() if self._free[id] > 0 and self._suits(request, one)]
        return tuple(one.id for one in rules.in_order(request, suitable, self._today))

    def _suits(self, request: Request, practitioner: Practitioner) -> bool:
        if practitioner.id in request.to_check or request.was_with(practitioner.id):
            return False
        if rules.avoid_each_other(request, practitioner):
            return False
        key = rules.limits_of(request), practitioner.id
        if key not in self._allowed:
            self._allowed[key] = self._limits_allow(request, practitioner)
        return self._allowed[key]

    def _limits_allow(self, request: Request, practitioner: Practitioner) -> bool:
        try:
            return rules.limits_allow(request, practitioner, self._today)
        except (LookupError, TypeError, ValueError):
            # One odd value, a time zone that is none: nobody else must wait because of it.
            where = {"subject_id": request.id, "person_id": practitioner.id}
            log.error("whether these two suit cannot be told, so they are not brought together", extra=where, exc_info=True)
            return False


def _waiting_order(request: Request) -> tuple[object, ...]:
    return request.submitted_at, request.id
