"""Steps that the tests of matching share: people are there, somebody asks, somebody answers, time passes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from services.matching.handlers.assignment import assign_free_places
from services.matching.handlers.broker_events import start_request
from services.matching.handlers.coordinator import write_profile
from services.matching.handlers.practitioner import AnswerOffer, SetAvailability, answer_offer, set_availability
from shared.messages import Event, from_json, parse_event
from shared.service import Service
from tests.people import a_profile, a_request_submitted

E = TypeVar("E", bound=Event)


def add_practitioners(matching: Service, *ids: str, **fields: Any) -> None:
    for id in ids:
        matching.run(write_profile, a_profile(id, **fields))


def submit(matching: Service, *choices: Any, **fields: Any) -> list[Event]:
    return matching.run(start_request, a_request_submitted(matching, *choices, **fields))


def answer(matching: Service, offer_id: str, answer: Any, **more: Any) -> list[Event]:
    return matching.run(answer_offer, AnswerOffer(offer_id=offer_id, answer=answer, **more))


def make_room(matching: Service, practitioner_id: str, places: int) -> list[Event]:
    command = SetAvailability(practitioner_id=practitioner_id, state="open", places=places, offers_at_once=places)
    return matching.run(set_availability, command)


def assign(matching: Service) -> list[Event]:
    """What the assignment job says when it has done all there is to do."""
    known = {row["_id"] for row in matching.db.outbox.find({}, {"_id": 1})}
    while assign_free_places(matching, threading.Event()):
        pass
    new = matching.db.outbox.find({"_id": {"$nin": list(known)}}).sort("$natural", 1)
    return [parse_event(from_json(row["body"])) for row in new]


def open_offer(matching: Service, request_id: str = "r1") -> str:
    row = matching.db.offers.find_one({"request_id": request_id, "is_open": True})
    assert row, "nobody is being asked"
    return str(row["_id"])


def document(matching: Service, collection: str, id: str) -> dict[str, Any]:
    row = matching.db[collection].find_one({"_id": id})
    assert row
    return row


def open_tasks(matching: Service) -> list[str]:
    return [row["reason"] for row in matching.db.coordinator_tasks.find({"is_open": True})]


def places_of(matching: Service, id: str) -> tuple[int, int]:
    """(occupied places, pending offers)"""
    row = document(matching, "practitioners", id)
    return len(row["occupied_slots"]), len(row["pending_codes"])


@contextmanager
def profiled(matching: Service) -> Iterator[list[dict[str, Any]]]:
    """Every operation on matching's database, as mongod saw it."""
    seen: list[dict[str, Any]] = []
    matching.db.command("profile", 2)
    try:
        yield seen
        asked = {"$or": [{"op": {"$ne": "command"}}, {"command.aggregate": {"$exists": True}}]}
        seen += matching.db["system.profile"].find({"ns": {"$not": {"$regex": r"system\."}}, **asked})
    finally:
        matching.db.command("profile", 0)
        matching.db.drop_collection("system.profile")


def types_of(events: list[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


def only(event_type: type[E], events: list[Event]) -> E:
    found = [event for event in events if isinstance(event, event_type)]
    assert len(found) == 1, types_of(events)
    return found[0]


def run_timer(matching: Service, handler: Callable[..., list[Event]]) -> list[Event]:
    """One turn of one timer, as the worker does it."""
    timer = next(timer for timer in matching.timers if timer.handler is handler)
    return [event for item in list(timer.find(matching.db)) for event in matching.run(handler, item)]


class Clock:
    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file, self._moved = file, timedelta()
        monkeypatch.setenv("CLOCK_FILE", str(file))

    def advance(self, **time: float) -> None:
        self._moved += timedelta(**time)
        self._file.write_text(str(self._moved.total_seconds()))
