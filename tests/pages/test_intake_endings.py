"""Each sentence that a supportee's page says about the end of their meetings."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_to_history
from shared.clock import now
from shared.contracts import (
    CoordinatorNeeded,
    MatchEnded,
    MatchEndingSettled,
    MatchEndingUndone,
    MatchLeavingUndone,
    MatchLeft,
    MatchMade,
    SuggestionsMade,
)
from shared.service import Service
from tests.pages.intake_site import ask_for, make_site, post, published

PAIR = {"match_id": "m1", "offer_id": "o1", "practitioner_id": "juniper"}
FOR_THE_PAGE = {"match_id": "m1", "practitioner_id": "juniper"}


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


@pytest.fixture
def about(visitor: FlaskClient, intake: Service) -> dict[str, str]:
    """Juniper said yes."""
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    submitted = published(intake, "request.submitted.v1")[0]
    about = {"request_id": submitted.request_id, "supportee_id": submitted.supportee_id}
    intake.run(add_to_history, MatchMade(**about, **PAIR, version=2))
    return about


def ended(by: Any, then: Any = "ask_me", *, version: int = 3, hours: float = 24, **about: str) -> MatchEnded:
    until = now() + timedelta(hours=hours)
    return MatchEnded(**about, **PAIR, ended_by=by, then=then, undo_until=until, version=version)


def end(visitor: FlaskClient, then: str = "wait", version: str = "2") -> int:
    return post(visitor, "/s/end", at="/s", then=then, version=version).status_code


def test_after_a_yes_the_headline_is_what_comes_next(visitor: FlaskClient, about: dict[str, str]) -> None:
    html = visitor.get("/s").text
    assert "<h1>You and Juniper: find a first time</h1>" in html
    assert "Meet someone else, or end our meetings" in html


@pytest.mark.parametrize("then", ["wait", "someone_else"])
def test_meetings_are_ended_in_one_step_and_once(visitor: FlaskClient, about: dict[str, str], intake: Service, then: Any) -> None:
    for _ in range(2):
        assert end(visitor, then) == 303
    left = MatchLeft(request_id=about["request_id"], practitioner_id="juniper", then=then)
    assert published(intake, "match.left.v1") == [left]
    assert "You ended your meetings with Juniper. In a moment this page shows what happens next." in visitor.get("/s").text


def test_what_comes_then_has_to_be_chosen(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    answer = post(visitor, "/s/end", version="2")
    assert (answer.status_code, "Choose what happens then" in answer.text) == (422, True)
    assert published(intake, "match.left.v1") == []


def test_an_older_page_ends_nothing(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    assert end(visitor, version="1") == 303
    assert published(intake, "match.left.v1") == []


def test_without_a_yes_there_is_nothing_to_end(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    assert visitor.get("/s/end").headers["Location"] == "/s"


def test_when_the_practitioner_ended_them_they_did_nothing_wrong_and_choose(
    visitor: FlaskClient, about: dict[str, str], intake: Service
) -> None:
    intake.run(add_to_history, ended("practitioner", **about))
    html = visitor.get("/s").text
    assert "<h1>Your meetings with Juniper have come to an end</h1>" in html
    assert "You did nothing wrong." in html
    for what in ("Ask to meet someone else", "Let a coordinator write to me", "Leave and end my request"):
        assert what in html
    assert "Take it back" not in html
    assert "A coordinator knows of it" not in html
    needed = {"reason": "yes_taken_back", "reaching_out": False, "version": 4}
    intake.run(add_to_history, CoordinatorNeeded(**about, **needed))  # type: ignore[arg-type]
    assert "A coordinator knows of it, and you can write to them." in visitor.get("/s").text


def test_whoever_ended_them_is_not_offered_again(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    intake.run(add_to_history, ended("practitioner", **about))
    html = visitor.get("/s/someone-else").text
    assert 'value="kai"' in html
    assert 'value="juniper"' not in html


@pytest.mark.parametrize("by", ["practitioner", "supportee"])
def test_nobody_offers_to_wait_for_whom_they_have_met(
    visitor: FlaskClient, about: dict[str, str], intake: Service, by: Any
) -> None:
    intake.run(add_to_history, ended(by, **about))
    html = visitor.get("/s").text
    assert "Wait for the person I chose" not in html
    assert "Wait until someone is free" in html


def test_whom_they_chose_and_nobody_has_asked_may_be_waited_for(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper", "kai")
    post(visitor, "/ask/check")
    [submitted] = published(intake, "request.submitted.v1")
    about = {"request_id": submitted.request_id, "supportee_id": submitted.supportee_id}
    intake.run(add_to_history, MatchMade(**about, **PAIR, version=2))
    intake.run(add_to_history, ended("practitioner", **about))
    assert "Wait for the person I chose" in visitor.get("/s").text


def test_their_own_end_can_be_taken_back_for_a_day(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    end(visitor)
    intake.run(add_to_history, ended("supportee", "wait", **about))
    html = visitor.get("/s").text
    assert "<h1>Your meetings with Juniper have come to an end</h1>" in html
    assert "Take it back and go on meeting Juniper" in html
    for _ in range(2):
        post(visitor, "/s/end/undo", at="/s")
    undone = MatchLeavingUndone(request_id=about["request_id"], practitioner_id="juniper")
    assert published(intake, "match.leaving_undone.v1") == [undone]
    intake.run(add_to_history, MatchEndingUndone(**about, **PAIR, undone_by="supportee", version=4))
    html = visitor.get("/s").text
    assert "<h1>You and Juniper: find a first time</h1>" in html
    assert "Take it back" not in html


def test_it_can_be_taken_back_while_others_are_suggested(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    intake.run(add_to_history, ended("supportee", "someone_else", **about))
    intake.run(add_to_history, SuggestionsMade(**about, practitioner_ids=("kai",), version=4))
    html = visitor.get("/s").text
    assert "<h1>One person you could meet</h1>" in html
    assert "Take it back and go on meeting Juniper" in html


def test_after_a_day_the_button_is_gone(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    intake.run(add_to_history, ended("supportee", "wait", hours=-0.1, **about))
    assert "Take it back" not in visitor.get("/s").text
    visitor.post("/s/end/undo")
    assert published(intake, "match.leaving_undone.v1") == []


def test_when_both_ended_them_nobody_takes_it_back(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    intake.run(add_to_history, ended("supportee", "wait", **about))
    intake.run(add_to_history, MatchEndingSettled(request_id=about["request_id"], **FOR_THE_PAGE, version=4))
    assert "Take it back" not in visitor.get("/s").text


def test_the_page_does_not_wait_for_what_cannot_be_taken_back(
    visitor: FlaskClient, about: dict[str, str], intake: Service
) -> None:
    intake.run(add_to_history, ended("supportee", "wait", **about))
    post(visitor, "/s/end/undo", at="/s")
    assert "<h1>We heard you</h1>" in visitor.get("/s").text
    intake.run(add_to_history, MatchEndingSettled(request_id=about["request_id"], **FOR_THE_PAGE, version=4))
    html = visitor.get("/s").text
    assert "<h1>Your meetings with Juniper have come to an end</h1>" in html


def test_spanish_says_the_same(visitor: FlaskClient, about: dict[str, str], intake: Service) -> None:
    visitor.get("/s?lang=es")
    intake.run(add_to_history, ended("practitioner", **about))
    html = visitor.get("/s?lang=es").text
    assert "Tus encuentros con Juniper terminaron" in html
    assert "No hiciste nada malo." in html
