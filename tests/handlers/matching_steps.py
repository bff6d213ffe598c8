"""Steps that the tests of matching share: people are there, somebody asks, somebody answers, time passes."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from services.matching.handlers.answering import OfferAnswered, answer_offer
from services.matching.handlers.asking import take_the_first_step
from services.matching.handlers.entries import write_entry
from shared.messages import Event
from shared.service import Service
from tests.people import a_request_submitted, an_entry

E = TypeVar("E", bound=Event)


def there_are(matching: Service, *ids: str, **facts: Any) -> None:
    for id in ids:
        matching.run(write_entry, an_entry(id, **facts))


def ask(matching: Service, *choices: Any, **facts: Any) -> list[Event]:
    return matching.run(take_the_first_step, a_request_submitted(matching, *choices, **facts))


def answer(matching: Service, offer_id: str, said: Any, **more: Any) -> list[Event]:
    return matching.run(answer_offer, OfferAnswered(offer_id=offer_id, answer=said, **more))


def open_offer(matching: Service, request_id: str = "r1") -> str:
    row = matching.db.offers.find_one({"request_id": request_id, "open": True})
    assert row, "nobody is being asked"
    return str(row["_id"])


def the(matching: Service, collection: str, id: str) -> dict[str, Any]:
    row = matching.db[collection].find_one({"_id": id})
    assert row
    return row


def kinds(news: list[Event]) -> list[type[Event]]:
    return [type(event) for event in news]


def only(kind: type[E], news: list[Event]) -> E:
    found = [event for event in news if isinstance(event, kind)]
    assert len(found) == 1, kinds(news)
    return found[0]


def tick(matching: Service, handler: Callable[..., list[Event]]) -> list[Event]:
    """One turn of one timer, as the worker does it."""
    timer = next(timer for timer in matching.timers if timer.handler is handler)
    return [event for item in list(timer.find(matching.db)) for event in matching.run(handler, item)]


class Clock:
    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file, self._moved = file, timedelta()
        monkeypatch.setenv("CLOCK_FILE", str(file))

    def pass_by(self, **time: float) -> None:
        self._moved += timedelta(**time)
        self._file.write_text(str(self._moved.total_seconds()))
