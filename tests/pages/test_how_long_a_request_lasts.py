"""The page of somebody who waits names the day on which their request ends without a word from them, and moves it."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_to_history, end_request
from shared import i18n
from shared.clock import now
from shared.contracts import EncryptedFields, OfferMade, RequestLapsed, RequestWaiting
from shared.service import Service
from tests.pages.test_intake_pages import ask_for, code_words, post, visitor

__all__ = ["visitor"]
NEW_YORK = "America/New_York"


@pytest.fixture
def waiting(visitor: FlaskClient, intake: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Somebody who looks for themselves waits; the file `clock` beside moves the time."""
    monkeypatch.setitem(os.environ, "CLOCK_FILE", str(tmp_path / "clock"))
    ask_for(visitor, reach="page")
    post(visitor, "/ask/check")
    [row] = intake.db.requests.find()
    waits = RequestWaiting(request_id=row["_id"], supportee_id="p", waiting_for="place", version=1)
    intake.run(add_to_history, waits)
    return visitor


def day_named(html: str) -> str:
    return html.split("your request ends on ")[1].split(".")[0]


def in_days(days: int) -> str:
    return i18n.day(now() + timedelta(days=days), NEW_YORK, "en")


def silent_since(intake: Service) -> datetime:
    [row] = intake.db.requests.find()
    moment: datetime = row["silent_since"]
    return moment


def test_the_day_is_on_the_page_from_the_first_day_and_the_button_moves_it_by_thirty_days(
    waiting: FlaskClient, intake: Service
) -> None:
    assert day_named(waiting.get("/s").text) == in_days(90)
    assert post(waiting, "/s/keep", at="/s").headers["Location"] == "/s"
    html = waiting.get("/s").text
    assert day_named(html) == in_days(120)
    assert "Yes, keep my request" not in html
    before = silent_since(intake)
    post(waiting, "/s/keep", at="/s")
    assert silent_since(intake) == before


def test_looking_changes_nothing_and_opening_it_with_the_words_is_a_sign_of_life(
    waiting: FlaskClient, intake: Service, tmp_path: Path
) -> None:
    words, sent = code_words(waiting.get("/ask/sent").text), silent_since(intake)
    (tmp_path / "clock").write_text(str(timedelta(days=40).total_seconds()))
    assert post(waiting, "/s", code=words).headers["Location"] == "/s"
    opened = silent_since(intake)
    assert opened - sent >= timedelta(days=40)
    (tmp_path / "clock").write_text(str(timedelta(days=40, hours=9).total_seconds()))
    for _ in range(5):
        waiting.get("/s")
        waiting.head("/s")
    assert silent_since(intake) == opened
    post(waiting, "/s/words-kept", at="/s")
    assert silent_since(intake) - opened >= timedelta(hours=9)


def test_no_day_stands_there_while_somebody_is_asked(waiting: FlaskClient, intake: Service) -> None:
    [row] = intake.db.requests.find()
    encrypted = EncryptedFields(person_id="juniper", wrap="", fields={})
    asked = {"offer_id": "o1", "practitioner_id": "juniper", "answer_by": now(), "code": "A7", "encrypted": encrypted}
    intake.run(add_to_history, OfferMade(request_id=row["_id"], version=2, **asked))
    html = waiting.get("/s").text
    assert "We have asked Juniper" in html
    assert "your request ends on" not in html
    post(waiting, "/s/keep", at="/s")
    assert silent_since(intake) == row["silent_since"]


def test_how_often_is_chosen_on_the_form_and_changed_on_the_page(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, reach="email", email="wren@people.example", pace="month")
    assert "Once a month" in visitor.get("/ask/check").text
    post(visitor, "/ask/check")
    assert [row["pace"] for row in intake.db.requests.find()] == ["month"]
    assert "How often we write while you wait: once a month" in visitor.get("/s").text
    assert post(visitor, "/s/pace", at="/s", pace="never").headers["Location"] == "/s"
    assert [row["pace"] for row in intake.db.requests.find()] == ["never"]
    assert post(visitor, "/s/pace", at="/s", pace="hourly").status_code == 400


def test_after_the_end_the_page_says_so_and_how_to_ask_again(waiting: FlaskClient, intake: Service) -> None:
    [row] = intake.db.requests.find()
    intake.run(end_request, RequestLapsed(request_id=row["_id"], supportee_id="p", version=2))
    html = waiting.get("/s").text
    assert "<h1>Your request has ended</h1>" in html
    assert "We did not hear from you for a long time" in html
    assert "/ask" in html
    for path in ("/s/keep", "/s/leave", "/s/pace"):
        post(waiting, path, at="/s", pace="month")
    [after] = intake.db.requests.find()
    assert (after["pace"], "withdrawn_at" in after) == ("two_weeks", False)
