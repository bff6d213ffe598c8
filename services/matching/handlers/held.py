"""Requests about which nobody is asked before a coordinator read whom they would never meet, at most for the time to answer; and
those whose person is not written to before a coordinator read why, where no coordinator may."""

from collections.abc import Iterable
from datetime import timedelta
from typing import get_args

from services.matching import store
from services.matching.domain import Request
from services.matching.handlers import names
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.service import service
from services.matching.handlers.tasks import call_again, call_coordinators
from shared.clock import now
from shared.contracts import EscalationReason
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 60
CALLED_FOR: tuple[EscalationReason, ...] = get_args(EscalationReason)
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
    nobody = names.nobody_may_read(request, db)
    if nobody == request.has_no_reader:
        return []
    waits = [task.reason for task in store.tasks.open_about(db, request.id)]
    events = request.change_readers(nobody=nobody, somebody_was_to_write="reach_out" in waits)
    called = next((reason for reason in CALLED_FOR if reason in waits), None)
    return events + (call_again(request, called, db) if called and not nobody else [])


def find_who_named_somebody(db: Db) -> Iterable[str]:
    return store.requests.ids_that_name_somebody(db)


@service.every(SECONDS_BETWEEN_LOOKS_AT_READERS, find_who_named_somebody)
def look_for_readers(request_id: str, db: Db) -> list[Event]:
    """Coordinators come, leave and change their names."""
    request = store.requests.find(db, request_id)
    events = tell_who_may_read(request, db) if request and not request.has_ended else []
    if request and events:
        store.requests.save(db, request)
    return events
