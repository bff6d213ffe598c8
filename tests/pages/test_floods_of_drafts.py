"""Drafts are limited for each place, and code words, which cost much to make, are made only for whoever typed something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.web.helpers import current_draft
from shared.service import Service
from tests.pages.intake_site import make_site, post

HERE, ELSEWHERE = "2001:db8:1::7", "2001:db8:2::7"


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


def code_words(visitor: FlaskClient) -> str | None:
    """Of this visitor's draft, once they were made."""
    visitor.get("/ask/2")
    draft = current_draft()
    return draft.code_words.words if draft and draft.code_words else None


def send(visitor: FlaskClient, token: str, address: str) -> int:
    data = {"csrf_token": token, "mode": "suggest"}
    return visitor.post("/ask/1", data=data, environ_base={"REMOTE_ADDR": address}).status_code


def test_one_place_may_write_many_drafts_and_not_any_number(visitor: FlaskClient, intake: Service) -> None:
    token = visitor.get("/ask/1").text.split('name="csrf_token" value="')[1].split('"')[0]
    neighbour = "2001:db8:1::8"  # in the same household's network
    answers = [send(visitor, token, (HERE, neighbour)[number % 2]) for number in range(201)]
    assert answers[:200] == [303] * 200
    assert answers[200] == 429
    assert send(visitor, token, HERE) == 429
    assert send(visitor, token, ELSEWHERE) == 303
    assert not any("2001:db8" in str(row) for name in intake.db.list_collection_names() for row in intake.db[name].find())


@pytest.mark.parametrize("question", [1, 3, 5, 6, 7])
def test_no_words_are_made_for_an_empty_form(visitor: FlaskClient, question: int) -> None:
    if question != 1:
        post(visitor, "/ask/1")
    kept = post(visitor, f"/ask/{question}", go="save")
    assert kept.headers.get("Location") != "/ask/saved"
    assert kept.status_code in (303, 422)
    post(visitor, "/ask/7")
    assert code_words(visitor) is None


def test_words_are_made_once_for_whoever_typed_something(visitor: FlaskClient) -> None:
    post(visitor, "/ask/1", mode="suggest")
    assert code_words(visitor) is None
    assert post(visitor, "/ask/2", name="Wren", go="save").headers["Location"] == "/ask/saved"
    words = code_words(visitor)
    assert words
    post(visitor, "/ask/4", reach="page")
    post(visitor, "/ask/7")
    assert code_words(visitor) == words


def test_words_wait_until_everything_needed_is_there(visitor: FlaskClient) -> None:
    post(visitor, "/ask/1", mode="suggest")
    post(visitor, "/ask/7", anything="Nothing else.")
    assert code_words(visitor) is None
    post(visitor, "/ask/2", name="Wren")
    post(visitor, "/ask/4", reach="page")
    post(visitor, "/ask/7", anything="Nothing else.")
    assert code_words(visitor)
