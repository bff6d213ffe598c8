"""What intake's pages say while a person reads whom somebody would never meet."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_to_history
from shared.clock import now
from shared.contracts import CoordinatorNeeded, EncryptedFields, OfferMade, RequestSubmitted
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
    assert "We ask Juniper now." in visitor.get("/ask/sent").text
    assert READ_FIRST not in visitor.get("/s").text


def test_whoever_asked_for_a_person_is_promised_that_person(visitor: FlaskClient, intake: Service) -> None:
    ask(visitor, mode="reach_out", avoid_words="my neighbour Kai")
    assert READ_FIRST not in visitor.get("/ask/check").text
    post(visitor, "/ask/check")
    assert "Someone from the team writes to you by" in visitor.get("/ask/sent").text
    submitted = published(intake, "request.submitted.v1")[0]
    assert isinstance(submitted, RequestSubmitted)
    assert "avoid_words" in submitted.encrypted.fields
