"""Drafts are limited for each place, and code words, which cost much to make, are made only for whoever typed something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake import code_words
from shared.service import Service
from tests.pages.intake_site import make_site, post

HERE, ELSEWHERE = "2001:db8:1::7", "2001:db8:2::7"


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """For whom words were stretched: the real function, looked at."""
    made: list[str] = []
    real = code_words.derive_keys_from_words
    monkeypatch.setattr(code_words, "derive_keys_from_words", lambda words, secret: made.append("once") or real(words, secret))
    return made


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
def test_no_words_are_made_for_an_empty_form(visitor: FlaskClient, stretched: list[str], question: int) -> None:
    post(visitor, "/ask/1") if question != 1 else None
    kept = post(visitor, f"/ask/{question}", go="save")
    assert kept.headers.get("Location") != "/ask/saved"
    assert kept.status_code in (303, 422)
    post(visitor, "/ask/7")
    assert stretched == []


def test_words_are_made_once_for_whoever_typed_something(visitor: FlaskClient, stretched: list[str]) -> None:
    post(visitor, "/ask/1", mode="suggest")
    assert post(visitor, "/ask/2", name="Wren", go="save").headers["Location"] == "/ask/saved"
    assert stretched == ["once"]
    post(visitor, "/ask/4", reach="page")
    post(visitor, "/ask/7")
    assert stretched == ["once"]


def test_words_wait_until_everything_needed_is_there(visitor: FlaskClient, stretched: list[str]) -> None:
    post(visitor, "/ask/1", mode="suggest")
    post(visitor, "/ask/7", anything="Nothing else.")
    assert stretched == []
    post(visitor, "/ask/2", name="Wren")
    post(visitor, "/ask/4", reach="page")
    post(visitor, "/ask/7", anything="Nothing else.")
    assert stretched == ["once"]
