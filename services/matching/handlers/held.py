"""Requests about which nobody is asked before a coordinator read whom they would never meet, at most for the time to answer; and
those whose person is not written to before a coordinator read why, where no coordinator may."""

from collections.abc import Iterable
from datetime import timedelta

from services.matching import store
from services.matching.domain import Request
from services.matching.handlers import names
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.service import service
from services.matching.handlers.tasks import call_coordinators
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 60
SECONDS_BETWEEN_LOOKS_AT_READERS = 60 * 60


def hold_until_read(request: Request, db: Db) -> list[Event]:
    """Changes the request; the caller saves it."""
    request.hold(now() + timedelta(days=service.programme.answer_days))
    return call_coordinators(request, "names_somebody", db)


def go_on(request: Request, db: Db) -> list[Event]:
    """Without those whose name was found. Changes the request; the caller saves it."""
    store.tasks.resolve(db, request.id, now(), only=["names_somebody"])
    return take_step(request, next_step(request, db), db)


def find_held_long_enough(db: Db) -> Iterable[str]:
    return store.requests.ids_held_until(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_held_long_enough)
def go_on_unread(request_id: str, db: Db) -> list[Event]:
    request = store.requests.find(db, request_id)
    if request is None or request.held_until is None or request.held_until > now():
        return []
    events = go_on(request, db)
    store.requests.save(db, request)
    return events


def read_first(request: Request, db: Db) -> list[Event]:
    """Changes the request; the caller saves it."""
    events = call_coordinators(request, "read_first", db)
    return events + tell_who_may_read(request, db)


def tell_who_may_read(request: Request, db: Db) -> list[Event]:
    """Their page says so when every coordinator is somebody whom they would never meet. Changes the request; the caller saves
    it."""
    waits = store.tasks.find_open(db, request.id, "read_first") is not None
    nobody = waits and _is_hidden_from_all(request, db)
    if nobody == request.has_no_reader:
        return []
    events = request.change_readers(nobody=nobody)
    return events + (request.call_coordinators("read_first") if waits and not nobody else [])


def find_unread(db: Db) -> Iterable[str]:
    return store.tasks.requests_with_open(db, "read_first")


@service.every(SECONDS_BETWEEN_LOOKS_AT_READERS, find_unread)
def look_for_readers(request_id: str, db: Db) -> list[Event]:
    """Coordinators come, leave and change their names."""
    request = store.requests.find(db, request_id)
    events = tell_who_may_read(request, db) if request and not request.has_ended else []
    if request and events:
        store.requests.save(db, request)
    return events


def _is_hidden_from_all(request: Request, db: Db) -> bool:
    everyone = store.coordinators.everyone(db) if request.avoid_index else []
    avoided = set(request.avoid_index)
    return bool(everyone) and all(not avoided.isdisjoint(names.of_coordinator(one.id, db)) for one in everyone)
