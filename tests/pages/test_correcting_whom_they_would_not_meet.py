"""After Send: whom somebody would rather not meet is corrected, with the fields of question 1, and it holds at once."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.matching.coordinators import add_coordinator
from services.matching.domain import Request
from services.matching.handlers import reading
from services.matching.handlers.coordinator import ChangeTask, take_task
from services.matching.store import requests as stored
from shared.contracts import RequestChanged
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners
from tests.pages.intake_site import make_site, post, published
from tests.three_services import Services

PAGE = "/s/change/1"


@dataclass
class House:
    services: Services
    visitor: FlaskClient

    def ask(self, **first: Any) -> None:
        post(self.visitor, "/ask/1", **first)
        post(self.visitor, "/ask/2", name="Wren")
        post(self.visitor, "/ask/4", reach="page")
        for question in (3, 5, 6, 7):
            post(self.visitor, f"/ask/{question}", **({"time_zone": "America/New_York"} if question == 5 else {}))
        assert post(self.visitor, "/ask/check").headers["Location"] == "/ask/sent"
        self.services.deliver()

    def save(self, **fields: Any) -> TestResponse:
        html = self.visitor.get(PAGE).text
        looked_for = re.search(r'name="looked_for" value="([^"]*)"', html)
        assert looked_for
        answer = post(self.visitor, PAGE, **{"looked_for": looked_for[1], **fields})
        self.services.deliver()
        return answer

    def asked(self) -> list[str]:
        return [row["practitioner_id"] for row in self.services.matching.db.offers.find({"is_open": True})]

    def request(self) -> Request:
        [row] = self.services.matching.db.requests.find()
        found = stored.find(self.services.matching.db, row["_id"])
        assert found
        return found


@pytest.fixture
def house(intake: Service, matching: Service, notify: Service, keys: Path) -> House:
    services = Services(intake, matching, notify)
    add_practitioners(matching, "juniper", "kai", "ana", places=3, offers_at_once=3)
    services.deliver()
    return House(services, make_site(intake, keys).test_client())


CHOSE_BOTH = {"mode": "chosen", "choice": ["juniper", "kai"], "if_not": ["next_choice", "ask_me"]}


def test_what_was_ticked_and_written_is_there(house: House) -> None:
    house.ask(mode="suggest", avoid=["kai"], avoid_words="my neighbour")
    html = house.visitor.get(PAGE).text
    assert 'name="avoid" value="kai" checked' in html
    assert ">my neighbour</textarea>" in html
    assert 'name="mode"' not in html


def test_a_name_is_looked_for_as_in_the_question_and_looking_changes_nothing(house: House) -> None:
    house.ask(mode="suggest")
    found = house.save(find_avoid="kai", go="find_avoid")
    assert (found.status_code, 'name="avoid" value="kai"' in found.text) == (200, True)
    assert published(house.services.intake, "request.changed.v1") == []
    again = house.save(find_avoid="kai", looked_for="kai", avoid=["kai"])
    assert again.headers["Location"] == "/s/answers?done=saved"
    assert house.request().avoid == ("kai",)
    assert "Kai" in house.visitor.get("/s/answers").text


def test_a_name_that_nobody_has_stays_in_the_answers(house: House) -> None:
    house.ask(mode="suggest")
    assert house.save(find_avoid="Zebedee").status_code == 200
    house.save(find_avoid="Zebedee", looked_for="Zebedee")
    assert "Zebedee" in house.visitor.get("/s/answers").text


def test_too_many_words_are_said_beside_the_field(house: House) -> None:
    house.ask(mode="suggest")
    answer = house.save(avoid_words="x" * 501)
    assert (answer.status_code, "x" * 501 in answer.text) == (422, True)
    assert published(house.services.intake, "request.changed.v1") == []


def test_whoever_is_asked_and_stands_there_now_is_let_off_and_the_next_one_is_asked(house: House) -> None:
    house.ask(**CHOSE_BOTH)
    assert house.asked() == ["juniper"]
    house.save(avoid=["juniper"])
    assert house.asked() == ["kai"]
    [released] = published(house.services.matching, "offer.released.v1")
    assert released.reason == "chose_another"
    assert "juniper" not in str(house.services.intake.db.requests.find_one({}, {"choices": 1}))


def test_whoever_was_chosen_alone_is_chosen_no_more(house: House) -> None:
    house.ask(mode="chosen", choice="juniper", if_not="ask_me")
    house.save(avoid=["juniper"])
    assert house.asked() == []
    assert "We have asked Juniper" not in house.visitor.get("/s").text
    house.save(avoid=["juniper"], avoid_words="and my neighbour")
    assert house.request().avoid_index


def test_an_offer_to_somebody_else_goes_on(house: House) -> None:
    house.ask(**CHOSE_BOTH)
    house.save(avoid=["ana"])
    assert house.asked() == ["juniper"]
    assert published(house.services.matching, "offer.released.v1") == []


def test_whom_they_were_shown_and_name_now_is_shown_no_more(house: House) -> None:
    house.ask(mode="suggest")
    assert "Ask Kai" in house.visitor.get("/s").text
    house.save(avoid=["kai"])
    html = house.visitor.get("/s").text
    assert "Ask Kai" not in html
    assert "Ask Juniper" in html


def test_a_name_in_words_keeps_away_who_has_it(house: House) -> None:
    house.ask(mode="suggest")
    house.save(avoid_words="Kai from the choir")
    assert "Ask Kai" not in house.visitor.get("/s").text


def test_whoever_is_taken_out_may_be_met_again(house: House) -> None:
    house.ask(mode="suggest", avoid=["kai"])
    assert house.request().avoid == ("kai",)
    house.save()
    assert house.request().avoid == ()


def test_a_request_that_waited_to_be_read_goes_on_when_the_words_are_taken_out(house: House) -> None:
    house.ask(mode="anyone", avoid_words="Zebedee")
    assert house.asked() == []
    house.save()
    assert len(house.asked()) == 1
    assert house.services.matching.db.coordinator_tasks.count_documents({"is_open": True}) == 0


def test_a_coordinator_who_is_named_now_loses_what_they_hold(house: House) -> None:
    matching = house.services.matching
    add_coordinator("Zebedee Quill", "zebedee@example.org", into=matching)
    add_coordinator("Robin", "robin@example.org", into=matching)
    house.services.deliver()
    house.ask(mode="reach_out")
    zebedee = matching.db.coordinators.find_one({"name_index": {"$size": 2}}) or {}
    task = matching.db.coordinator_tasks.find_one({}) or {}
    matching.run(take_task, ChangeTask(coordinator_id=zebedee["_id"], task_id=task["_id"]))
    assert reading.find_request(house.request().id, matching.db, zebedee["_id"])
    house.save(avoid_words="Zebedee")
    assert reading.find_request(house.request().id, matching.db, zebedee["_id"]) is None
    assert "holder" not in (matching.db.coordinator_tasks.find_one({}) or {})
    needed = published(matching, "coordinator.needed.v1")[-1]
    assert (needed.reason, needed.not_for is not None, needed.taken) == ("reach_out", True, False)


def test_a_correction_of_something_else_leaves_whom_they_named(house: House) -> None:
    house.ask(mode="suggest", avoid=["kai"])
    post(house.visitor, "/s/change/2", name="Robin")
    house.services.deliver()
    assert house.request().avoid == ("kai",)


def test_an_older_release_said_nothing_of_it_and_it_stays(house: House) -> None:
    house.ask(mode="suggest", avoid=["kai"])
    request = house.request()
    assert request.encrypted
    older = RequestChanged(request_id=request.id, change=1, time_zone=request.time_zone, encrypted=request.encrypted)
    assert older.avoid is None
    request.correct(older)
    assert request.avoid == ("kai",)
