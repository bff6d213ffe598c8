"""Requests about which nobody is asked before a coordinator read whom they would never meet, at most for the time to answer."""

from collections.abc import Iterable
from datetime import timedelta

from services.matching import store
from services.matching.domain import Request
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.service import service
from services.matching.handlers.tasks import call_coordinators
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 60


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
