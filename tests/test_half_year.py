"""make half-year finds what went wrong in somebody's life, and nothing where all is well."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from bench.half_year import invariants
from bench.half_year.invariants import Stores
from bench.half_year.pages import Page
from services.intake.domain import Agreement as ShownAgreement
from services.intake.domain import EncryptedNote, Plan, Request
from services.intake.domain import Meetings as ShownMeetings
from services.matching.domain import Agreement, Match, Meetings, Offer
from shared.contracts import AgreementText, Series
from shared.service import Service
from tests.people import a_practitioner, a_request

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ACCEPTED: dict[str, Any] = {
    "id": "o1", "practitioner_id": "kai", "request_id": "r1", "supportee_id": "sam", "slot": 0, "code": "A2", "state": "accepted",
    "made_at": NOW, "answer_by": NOW, "remind_at": NOW,
}  # fmt: skip
SENT: dict[str, Any] = {
    "id": "r1", "person_id": "sam", "mode": "suggest", "choices": (), "language": "en", "time_zone": "UTC", "sent_at": NOW,
    "silent_since": NOW, "notes": (EncryptedNote(id="n1", encrypted="AQ", at=NOW, author="supportee"),),
}  # fmt: skip
SERIES = Series(id="s1", first="2026-12-07", minute=1080, zone="UTC")
WHOSE: dict[str, Any] = {
    "id": "m1", "request_id": "r1", "supportee_zone": "UTC", "practitioner_zone": "UTC", "version": 3, "series": SERIES,
}  # fmt: skip
KEPT: dict[str, Any] = {**WHOSE, "offer_id": "o1", "supportee_id": "sam", "practitioner_id": "kai"}
TEXT = AgreementText(id="t1", number=1, by="supportee", written_at=NOW, encrypted="AQ")
TWO: dict[str, Any] = {"id": "m1", "request_id": "r1", "offer_id": "o1", "supportee_id": "sam", "practitioner_id": "kai"}
MATCH = Match(**TWO, made_at=NOW)
LIVES = Stores(
    at=NOW,
    practitioners={"kai": a_practitioner("kai", taken=1)},
    offers={"o1": Offer(**ACCEPTED)},
    asked={"r1": a_request(id="r1", state="matched")},
    sent={"r1": Request(**SENT)},
    tasks=[],
    ways_in={"sam"},
    notes={"r1": {"n1"}},
    meetings={"m1": Meetings(**KEPT)},
    shown_meetings={"m1": ShownMeetings(**WHOSE)},
    matches={"m1": MATCH},
    agreements={"m1": Agreement(**TWO, newest=TEXT, number=1)},
    shown_agreements={"m1": ShownAgreement(id="m1", request_id="r1", newest=TEXT, number=1)},
)
Check = Callable[[Stores], Iterator[str]]
CHECKS: dict[str, Check] = {
    "I22": invariants._places,
    "I17": invariants._pairs,
    "I18": invariants._reachable,
    "I19": invariants._notes,
    "I23": invariants._meetings,
    "I24": invariants._agreements,
    "I25": invariants._plans,
}


def found_in(stores: Stores) -> set[str]:
    return {finding[:3] for check in CHECKS.values() for finding in check(stores)}


def test_nothing_is_found_where_all_is_well() -> None:
    assert found_in(LIVES) == set()


@pytest.mark.parametrize(
    ("what_went_wrong", "names"),
    [
        ({"practitioners": {"kai": a_practitioner("kai", taken=2)}}, {"I22"}),
        ({"practitioners": {"kai": a_practitioner("kai", taken=0)}}, {"I22"}),
        ({"practitioners": {"kai": a_practitioner("kai", taken=1, pending_codes=("A2",))}}, {"I22"}),
        ({"asked": {"r1": a_request(id="r1", state="waiting")}}, {"I17"}),
        ({"ways_in": set()}, {"I17", "I18"}),
        ({"asked": {}}, {"I17", "I18"}),
        ({"sent": {"r1": Request(**{**SENT, "ended_at": NOW})}}, {"I18", "I24"}),
        ({"notes": {}}, {"I19"}),
        ({"notes": {"r1": {"n1", "n2"}}}, {"I19"}),
        ({"meetings": {"m1": Meetings(**{**KEPT, "version": 4})}}, {"I23"}),
        ({"meetings": {"m1": Meetings(**{**KEPT, "series": replace(SERIES, skipped=("2026-12-14",))})}}, {"I23"}),
        ({"shown_meetings": {}}, {"I23"}),
        ({"agreements": {}}, {"I24"}),
        ({"shown_agreements": {}}, {"I24"}),
        ({"agreements": {"m1": Agreement(**TWO, newest=replace(TEXT, number=2), number=2)}}, {"I24"}),
        ({"agreements": {"m1": Agreement(**TWO, before=TEXT, number=2)}, "shown_agreements": {}}, {"I24"}),
        ({"shown_agreements": {"m1": ShownAgreement(id="m1", request_id="r1", newest=TEXT, changes=1)}}, {"I24"}),
        ({"matches": {"m1": replace(MATCH, plan="AQ")}}, {"I25"}),
        ({"sent": {"r1": Request(**SENT, plan=Plan(text_id="p1", encrypted="AQ", shown_to="m1"))}}, {"I25"}),
        ({"offers": {}, "practitioners": {"kai": a_practitioner("kai", taken=0)}}, {"I23"}),
    ],
)
def test_what_went_wrong_is_named(what_went_wrong: dict[str, Any], names: set[str]) -> None:
    assert found_in(replace(LIVES, **what_went_wrong)) == names


@pytest.mark.parametrize(("undo_until", "names"), [(NOW + timedelta(hours=1), set()), (NOW - timedelta(hours=1), {"I17"})])
def test_a_place_may_be_held_as_long_as_an_end_can_be_taken_back(undo_until: datetime, names: set[str]) -> None:
    ended = Offer(**{**ACCEPTED, "state": "ended", "undo_until": undo_until})
    lives = replace(LIVES, offers={"o1": ended}, asked={"r1": a_request(id="r1", state="waiting")}, meetings={})
    assert found_in(lives) == names


def test_a_row_past_its_retention_is_found(matching: Service) -> None:
    world = SimpleNamespace(services={"matching": matching}, now=lambda: NOW)
    matching.db.audit.insert_many(
        [{"_id": "old", "at": NOW - timedelta(days=182)}, {"_id": "new", "at": NOW - timedelta(days=179)}]
    )
    assert list(invariants._retention(world)) == ["I21 1 of matching.audit are kept longer than 180 days after at"]  # type: ignore[arg-type]


def test_somebody_without_a_plan_answers_what_a_form_asks() -> None:
    html = """<main><form method="post" action="/s/next"><input type="hidden" name="version" value="3">
    <input type="radio" name="who" value="a"><input type="radio" name="who" value="b"><textarea name="words"></textarea>
    <select name="pace"><option value="month">m</option><option value="never" selected>n</option></select>
    <button name="next" value="ask">Ask</button></form></main>"""
    page = Page("http://127.0.0.1/s", html)
    (form,) = page.forms
    sent = dict(form.filled_in(Random(1), {}, form.buttons[0]))
    assert sent.pop("who") in ("a", "b")
    assert sent.pop("words")
    assert sent == {"version": "3", "pace": "never", "next": "ask"}
