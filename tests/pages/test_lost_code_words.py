"""Whoever came in without their code words can have the lost ones open nothing any more."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.way_in import SendLink, send_link
from shared.contracts import SignInRequested
from shared.service import Service
from shared.vault import load_vault
from tests.pages.intake_site import ask_for, code_words, make_site, post
from tests.pages.matching_site import press

EMAIL = "wren@example.org"
WITH_EMAIL = {"reach": ["email"], "email": EMAIL}


@pytest.fixture
def visitor(intake: Service, keys: Path) -> FlaskClient:
    return make_site(intake, keys).test_client()


def send(visitor: FlaskClient, **how: object) -> str:
    """Returns the code words."""
    ask_for(visitor, "juniper", **how)
    post(visitor, "/ask/check")
    return code_words(visitor.get("/ask/sent").text)


def by_link(visitor: FlaskClient, intake: Service, keys: Path) -> FlaskClient:
    """Another browser, let in by a link that was asked for."""
    [asked] = intake.run(send_link, SendLink(EMAIL))
    assert isinstance(asked, SignInRequested)
    link = load_vault(keys, "notify").decrypt_fields(asked.encrypted)["link"].split("/", 3)[3]
    other = visitor.application.test_client()
    assert post(other, f"/{link}").headers["Location"] == "/s"
    return other


def opens(visitor: FlaskClient, words: str) -> bool:
    return post(visitor.application.test_client(), "/s", code=words).status_code == 303


def test_lost_words_open_nothing_any_more_and_the_page_stays_open(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    words = send(visitor, **WITH_EMAIL)
    other = by_link(visitor, intake, keys)
    assert opens(visitor, words)
    assert post(other, "/s/words-lost", at="/s").headers["Location"] == "/s"
    assert not opens(visitor, words)
    assert "Your old words open nothing any more" in other.get("/s").text
    assert "Find my request" in visitor.get("/s").text, "whoever came in by the words is let in no more"


def test_the_own_copy_goes_with_the_words(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    send(visitor, **WITH_EMAIL)
    post(by_link(visitor, intake, keys), "/s/words-lost", at="/s")
    row = intake.db.requests.find_one()
    assert row
    assert {"encrypted_answers", "encrypted_code_words", "code_words_until"} & set(row) == set()
    assert intake.db.links.count_documents({"purpose": "code_words"}) == 0


def test_whoever_came_by_the_words_keeps_them(visitor: FlaskClient) -> None:
    words = send(visitor, **WITH_EMAIL)
    assert "/s/words-lost" not in visitor.get("/s").text
    post(visitor, "/s/words-lost", at="/s")
    assert opens(visitor, words)


def test_after_a_second_press_the_page_is_open_too(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    send(visitor, **WITH_EMAIL)
    other = by_link(visitor, intake, keys)
    for _ in range(2):
        post(other, "/s/words-lost", at="/s")
    assert "Your old words open nothing any more" in other.get("/s").text


def test_a_new_link_comes_after_the_words_are_gone(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    send(visitor, **WITH_EMAIL)
    post(by_link(visitor, intake, keys), "/s/words-lost", at="/s")
    assert by_link(visitor, intake, keys).get("/s").status_code == 200


def test_the_plan_for_hard_days_goes_with_the_words_and_its_page_says_that_none_can_be_kept(
    visitor: FlaskClient, intake: Service, keys: Path
) -> None:
    send(visitor, **WITH_EMAIL)
    assert press(visitor, "/s/plan/write", "/s/plan/write", helps="Tea.").status_code == 303
    other = by_link(visitor, intake, keys)
    assert "your plan for hard days are erased with them" in other.get("/s").text
    assert 'href="/s/plan"' in other.get("/s").text
    post(other, "/s/words-lost", at="/s")
    row = intake.db.requests.find_one()
    assert row
    assert not row["plan"].get("encrypted")
    assert 'href="/s/plan"' not in other.get("/s").text
    page = other.get("/s/plan").text
    assert "So none can be kept here." in page
    assert "Your code words open it" not in page
    assert "/s/plan/write" not in page


def test_whoever_came_by_a_link_reads_that_a_plan_takes_the_words(visitor: FlaskClient, intake: Service, keys: Path) -> None:
    send(visitor, **WITH_EMAIL)
    page = by_link(visitor, intake, keys).get("/s/plan").text
    assert "You write it once your code words have opened your request" in page
