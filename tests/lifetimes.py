"""The three services with a clock that moves, for tests of what becomes of a request over weeks."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake import forms
from services.intake.domain import Draft, TypedAnswers
from services.intake.handlers.supportee import SubmitRequest, new_draft, prepare_code_words, submit_request
from services.matching.handlers import profiles
from services.matching.handlers.assignment import assign_free_places
from shared.clock import now
from shared.mongo import Doc
from shared.service import Service
from shared.sessions import new_session
from tests.people import a_profile
from tests.three_services import Services

TYPED: dict[int, TypedAnswers] = {
    1: {"mode": "anyone"},
    2: {"name": "Zephyrine"},
    3: {"words": "the marmalade week", "help": ["listening"]},
    4: {"reach": ["email"], "email": "zephyrine@people.example"},
}


@dataclass(kw_only=True)
class ThreeServices(Services):
    clock: Path
    days: float = 0
    written: dict[str, tuple[datetime, str, str]] = field(default_factory=dict)

    def run_timers(self) -> None:
        for service in self.all():
            for timer in service.timers:
                for item in list(timer.find(service.db)):
                    service.run(timer.handler, item)
        assign_free_places(self.matching, threading.Event())
        self.deliver()
        for service in self.all():  # what a relay does
            service.db.outbox.update_many({"sent_at": None}, {"$set": {"sent_at": now()}, "$unset": {"next_at": ""}})

    def until_day(self, day: float) -> None:
        """The clock goes there in one jump; then every timer looks once."""
        self.remember()
        self.days = day
        self.clock.write_text(str(timedelta(days=day).total_seconds()))
        self.run_timers()

    def day_by_day(self, *days: int) -> Iterator[int]:
        """In the first minutes of each of these days."""
        for day in days:
            self.until_day(day + 0.01)
            yield day

    def events(self, event_type: str) -> list[Doc]:
        found = (row for service in self.all() for row in service.db.outbox.find({"type": event_type}).sort("made_at", 1))
        return [json.loads(row["body"])["data"] for row in found]

    def told(self, request_id: str) -> list[str]:
        """The templates of what was written to this person, in order, also of what was deleted since."""
        self.remember()
        return [template for _, about, template in sorted(self.written.values()) if about == request_id]

    def remember(self) -> None:
        for row in self.notify.db.notifications.find({"request_id": {"$exists": True}}):
            self.written[row["_id"]] = (row["created_at"], row["request_id"], row["template"])

    def practitioner(self, id: str = "juniper", *, heard: bool = True, **facts: Any) -> None:
        """`heard`: False leaves what matching says of it with the broker."""
        self.matching.run(profiles.write, a_profile(id, **facts))
        assign_free_places(self.matching, threading.Event())
        if heard:
            self.deliver()

    def ask(self, **answers: TypedAnswers) -> Draft:
        """`q1` to `q7`: what was typed instead of the usual."""
        typed = {**TYPED, **{int(name[1:]): value for name, value in answers.items()}}
        draft = prepare_code_words(replace(new_draft(), typed=typed), "en")
        read, wrong = forms.read_all(typed, "America/New_York")
        assert read, wrong
        assert draft.code_words
        session = new_session("supportee", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=timedelta(days=1))
        self.intake.run(submit_request, SubmitRequest(draft, draft.code_words, read, "en", session))
        self.deliver()
        return draft


@pytest.fixture
def three(intake: Service, matching: Service, notify: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ThreeServices:
    clock = tmp_path / "clock"
    clock.write_text("0")
    monkeypatch.setitem(os.environ, "CLOCK_FILE", str(clock))
    return ThreeServices(intake=intake, matching=matching, notify=notify, clock=clock)
