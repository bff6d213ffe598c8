"""What intake's pages say while a person reads whom somebody would never meet."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_to_history, show_whether_anybody_may_read
from shared.clock import now
from shared.contracts import CoordinatorNeeded, EncryptedFields, OfferMade, RequestReadersChanged, RequestSubmitted
from shared.service import Service
from tests.pages.intake_site import make_site, post, published

READ_FIRST = "A person reads first whom you would rather not meet. Until then nobody is asked."
GOES_ON = "without those whose name you wrote."


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


def day_it_goes_on(html: str) -> str:
    [day] = re.findall(r"It goes on by ([^<]+?) at the latest", html)
    return day


def ask(visitor: FlaskClient, **first: object) -> None:
    post(visitor, "/ask/1", **first)
    post(visitor, "/ask/2", name="Wren")
    post(visitor, "/ask/4", reach="page")


def test_the_check_page_the_sent_page_and_their_own_page_say_that_it_is_read_first(visitor: FlaskClient, intake: Service) -> None:
    ask(visitor, mode="chosen", choice="juniper", if_not="ask_me", avoid_words="my neighbour Kai")
    assert READ_FIRST in visitor.get("/ask/check").text
    post(visitor, "/ask/check")
    sent = visitor.get("/ask/sent").text
    assert READ_FIRST in sent
    assert GOES_ON in sent
    assert "We ask Juniper" not in sent
    assert "We look at what you sent" not in sent
    status = visitor.get("/s").text
    assert READ_FIRST in status
    assert GOES_ON in status
    assert day_it_goes_on(sent) == day_it_goes_on(status)
    request_id = published(intake, "request.submitted.v1")[0].request_id
    needed = CoordinatorNeeded(request_id=request_id, supportee_id="p", reason="names_somebody", reaching_out=False, version=2)
    intake.run(add_to_history, needed)
    assert READ_FIRST in visitor.get("/s").text
    encrypted = EncryptedFields(person_id="juniper", wrap="AQ", fields={})
    made = OfferMade(
        offer_id="o1",
        request_id=request_id,
        practitioner_id="juniper",
        version=3,
        answer_by=now(),
        code="A2",
        encrypted=encrypted,
    )
    intake.run(add_to_history, made)
    assert READ_FIRST not in visitor.get("/s").text


def test_whoever_named_nobody_reads_nothing_of_it(visitor: FlaskClient) -> None:
    ask(visitor, mode="chosen", choice="juniper", if_not="ask_me", avoid="kai")
    assert READ_FIRST not in visitor.get("/ask/check").text
    post(visitor, "/ask/check")
    assert "We ask Juniper, if your times fit together." in visitor.get("/ask/sent").text
    assert READ_FIRST not in visitor.get("/s").text


def test_whoever_asked_for_a_person_is_promised_that_person(visitor: FlaskClient, intake: Service) -> None:
    ask(visitor, mode="reach_out", avoid_words="my neighbour Kai")
    assert READ_FIRST not in visitor.get("/ask/check").text
    post(visitor, "/ask/check")
    assert "Someone from the team writes to you by" in visitor.get("/ask/sent").text
    submitted = published(intake, "request.submitted.v1")[0]
    assert isinstance(submitted, RequestSubmitted)
    assert "avoid_words" in submitted.encrypted.fields


def _every_coordinator_is_named(visitor: FlaskClient, intake: Service) -> None:
    ask(visitor, mode="reach_out", avoid_words="Kai")
    post(visitor, "/ask/check")
    request_id = _request_id(intake)
    needed = CoordinatorNeeded(request_id=request_id, supportee_id="p", reason="reach_out", reaching_out=True, version=1)
    intake.run(add_to_history, needed)
    changed = RequestReadersChanged(request_id=request_id, nobody=True, version=2, somebody_was_to_write=True)
    intake.run(show_whether_anybody_may_read, changed)


def _request_id(intake: Service) -> str:
    return str(published(intake, "request.submitted.v1")[0].request_id)


def test_where_every_coordinator_is_named_the_page_promises_nobody(visitor: FlaskClient, intake: Service) -> None:
    _every_coordinator_is_named(visitor, intake)
    html = visitor.get("/s").text
    assert "<h1>Nobody can write to you yet</h1>" in html
    assert "will write to you by" not in html
    assert "Everybody who could is among the people you would rather not meet." in html


def test_where_every_coordinator_is_named_no_note_to_them_is_offered(visitor: FlaskClient, intake: Service) -> None:
    _every_coordinator_is_named(visitor, intake)
    html = visitor.get("/s").text
    assert "Write to a coordinator" not in html
    assert "Let a coordinator write to me" not in html
    assert "No coordinator can read a note of yours" in html
    assert visitor.get("/s/write/coordinators").headers["Location"] == "/s"


def test_a_note_to_coordinators_from_an_older_page_is_not_sent_and_stays(visitor: FlaskClient, intake: Service) -> None:
    ask(visitor, mode="reach_out", avoid_words="Kai")
    post(visitor, "/ask/check")
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get("/s/write/coordinators").text)
    assert token
    changed = RequestReadersChanged(request_id=_request_id(intake), nobody=True, version=2)
    intake.run(show_whether_anybody_may_read, changed)
    form = {"csrf_token": token[1], "form_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "to": "coordinators", "words": "a willow"}
    answer = visitor.post("/s/write", data=form)
    assert answer.status_code == 422
    assert "a willow" in answer.text
    assert published(intake, "note.answered.v1") == []
