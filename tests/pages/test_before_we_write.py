"""What the pages say of writing to somebody, and the buttons that change it: the supportee's and the coordinators'."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import show_what_was_read, show_whether_anybody_may_read
from services.matching.handlers.broker_events import start_request
from shared.contracts import ContactReleased, ContactShared, RequestReadersChanged
from shared.messages import from_json, parse_event
from shared.service import Service
from tests.handlers.matching_steps import open_tasks
from tests.pages.intake_site import ask_for, make_site, post
from tests.pages.matching_site import press
from tests.people import a_request_submitted

UNREAD = "We send you no email and no text before a person has read what we should know first."
BY_EMAIL = {"reach": "email", "email": "wren@people.example"}
HUSBAND = "My husband reads this mailbox. Please write only when I say so."


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


def contact(intake: Service) -> ContactShared:
    events = [parse_event(from_json(row["body"])) for row in intake.db.outbox.find({})]
    return next(event for event in events if isinstance(event, ContactShared))


def test_free_text_is_read_first_and_every_page_says_so(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper", **BY_EMAIL, before_we_write=HUSBAND)
    assert UNREAD in visitor.get("/ask/check").text
    assert post(visitor, "/ask/check").headers["Location"] == "/ask/sent"
    sent = visitor.get("/ask/sent").text
    assert UNREAD in sent
    assert UNREAD in visitor.get("/s").text
    assert "You may write to me now" not in visitor.get("/s").text
    assert contact(intake).read_first
    assert not contact(intake).on_their_word
    released = ContactReleased(request_id=contact(intake).request_id, supportee_id=contact(intake).person_id, write="now")
    intake.run(show_what_was_read, released)
    assert "We send you no email" not in visitor.get("/s").text


def test_no_day_is_named_by_which_we_write_to_somebody_we_may_not_write_to(visitor: FlaskClient) -> None:
    ask_for(visitor, **BY_EMAIL, before_we_write=HUSBAND)
    post(visitor, "/ask/check")
    assert "You hear from us by" not in visitor.get("/ask/sent").text


def test_they_say_on_their_page_when_we_may_write(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper", **BY_EMAIL, safely=["on_their_word", "only_news"], greet_as="Robin")
    check = visitor.get("/ask/check").text
    for line in (
        "before you say on your page that we may.",
        "Do not write before I say so on my page",
        "Robin",
        "You have a message",
    ):
        assert line in check
    post(visitor, "/ask/check")
    assert contact(intake).on_their_word
    assert contact(intake).only_news
    assert not contact(intake).read_first
    assert "You may write to me now" in visitor.get("/s").text
    assert post(visitor, "/s/may-write", at="/s").headers["Location"] == "/s"
    html = visitor.get("/s").text
    assert "You may write to me now" not in html
    assert "We send you no" not in html
    assert intake.db.outbox.count_documents({"body": {"$regex": "contact.allowed.v1"}}) == 1


def test_where_nobody_may_read_it_the_page_says_so_and_what_they_can_do(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper", **BY_EMAIL, before_we_write=HUSBAND, safely=["on_their_word"])
    post(visitor, "/ask/check")
    assert "nobody can read it now" not in visitor.get("/s").text
    nobody = RequestReadersChanged(request_id=contact(intake).request_id, nobody=True, version=2)
    intake.run(show_whether_anybody_may_read, nobody)
    html = visitor.get("/s").text
    assert "nobody can read it now" in html
    assert 'href="/s/change/4"' in html
    assert "You may write to me now" not in html
    post(visitor, "/s/may-write", at="/s")
    assert "nobody can read it now" in visitor.get("/s").text
    post(visitor, "/s/may-write", at="/s", without_reading="yes")
    assert "We send you no email" not in visitor.get("/s").text


def test_whoever_looks_for_themselves_reads_nothing_of_sending(visitor: FlaskClient) -> None:
    ask_for(visitor, "juniper", reach="page", safely=["on_their_word"], before_we_write=HUSBAND)
    assert "We send you no" not in visitor.get("/ask/check").text
    post(visitor, "/ask/check")
    assert "You may write to me now" not in visitor.get("/s").text


def test_what_nobody_offers_is_refused(visitor: FlaskClient) -> None:
    post(visitor, "/ask/1", mode="suggest")
    assert post(visitor, "/ask/4", **BY_EMAIL, safely="never").status_code == 422


@pytest.mark.parametrize(
    ("action", "words"), [("released", "We write to them from now on."), ("held_back", "only on their page")]
)
def test_a_coordinator_reads_it_and_decides(ro: FlaskClient, matching: Service, keys: Path, action: str, words: str) -> None:
    matching.run(start_request, a_request_submitted(matching, mode="suggest", words={"before_we_write": HUSBAND}))
    assert "Read first: nothing is sent to them until then" in ro.get("/c").text
    closed = ro.get("/c/requests/r1").text
    assert "I read it" not in closed
    assert HUSBAND not in closed
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    opened = ro.get("/c/requests/r1").text
    assert HUSBAND in opened
    assert opened.count("This is done") == len(open_tasks(matching)) - 1 == 1  # of the other task, that nobody suits
    page = press(ro, "/c/requests/r1", f"/c/requests/r1/{action}").location
    html = ro.get(page).text
    assert words in html
    assert "I read it" not in html
    assert "read_first" not in open_tasks(matching)
    assert "Take that back" not in ro.get("/c").text
