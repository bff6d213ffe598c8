"""Asking for somebody else: nothing is stored before that person says yes, and they decide."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.intake import invitations
from services.intake.invitations import NoInvitation, invite, open_invitation
from shared.clock import now
from shared.mongo import Db
from shared.service import Service
from tests.pages.intake_site import make_site, post

WORDS = "Company in the mornings.\nSomebody who knows <b>voices</b>."


@pytest.fixture
def site(intake: Service, keys: Path) -> Flask:
    return make_site(intake, keys)


@pytest.fixture
def friend(site: Flask) -> FlaskClient:
    return site.test_client()


@pytest.fixture
def wren(site: Flask) -> FlaskClient:
    return site.test_client()


def everything(db: Db) -> dict[str, list[object]]:
    return {name: list(db[name].find()) for name in sorted(db.list_collection_names())}


def link_for(friend: FlaskClient, **typed: str) -> str:
    answer = post(friend, "/for-someone", **{"name": "Wren", "words": WORDS, **typed})
    found = re.search(r"<code[^>]*>https?://[^/<]+(/for/[^<]+)</code>", answer.text)
    assert found, answer.text
    return found[1]


def test_nothing_is_stored_until_the_person_says_yes(friend: FlaskClient, wren: FlaskClient, intake: Service) -> None:
    before = everything(intake.db)
    link = link_for(friend)
    html = wren.get(link).text
    assert "Company in the mornings." in html
    assert "&lt;b&gt;voices&lt;/b&gt;" in html
    assert everything(intake.db) == before
    assert post(wren, link, go="yes").location == "/ask/1"
    assert intake.db.drafts.count_documents({}) == 1


def test_who_says_yes_finds_the_words_in_their_form_and_can_change_them(friend: FlaskClient, wren: FlaskClient) -> None:
    post(wren, link_for(friend), go="yes")
    assert 'value="Wren"' in wren.get("/ask/2").text
    assert "Company in the mornings.\nSomebody who knows" in wren.get("/ask/3").text
    assert post(wren, "/ask/3", words="Mine").status_code == 303
    assert "Company" not in wren.get("/ask/3").text


def test_what_the_person_has_written_before_stays(friend: FlaskClient, wren: FlaskClient) -> None:
    post(wren, "/ask/1", mode="suggest")
    post(wren, "/ask/3", words="Mine")
    post(wren, link_for(friend), go="yes")
    assert "Mine" in wren.get("/ask/3").text
    assert 'value="Wren"' in wren.get("/ask/2").text


def test_who_says_no_leaves_nothing_but_that_the_link_is_used_up(friend: FlaskClient, wren: FlaskClient, intake: Service) -> None:
    link, before = link_for(friend), everything(intake.db)
    assert post(wren, link, go="no").location == "/for-someone/thrown-away"
    assert "opens nothing any more" in wren.get("/for-someone/thrown-away").text
    after = everything(intake.db)
    [row] = intake.db.links.find()
    assert set(row) == {"_id", "purpose", "expires_at"}
    assert {name: rows for name, rows in after.items() if name != "links"} == {
        name: rows for name, rows in before.items() if name != "links"
    }


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_link_is_answered_once(friend: FlaskClient, wren: FlaskClient, site: Flask, answer: str) -> None:
    link, other = link_for(friend), site.test_client()
    page = other.get(link)
    post(wren, link, go=answer)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    assert other.post(link, data={"csrf_token": token[1], "go": "yes"}).status_code == 410
    assert other.get(link).status_code == 410


def test_looking_many_times_uses_nothing_up(friend: FlaskClient, wren: FlaskClient, intake: Service) -> None:
    link, before = link_for(friend), everything(intake.db)
    for _ in range(20):
        assert wren.get(link).status_code == 200
    assert everything(intake.db) == before


def test_a_link_that_was_changed_or_made_up_opens_nothing(friend: FlaskClient, wren: FlaskClient) -> None:
    link = link_for(friend)
    middle = len(link) // 2
    changed = link[:middle] + ("A" if link[middle] != "A" else "B") + link[middle + 1 :]
    for wrong in (changed, link[:-1], "/for/x.y", "/for/nothing", f"/for/{'z' * 43}.{link.partition('.')[2]}"):
        assert wren.get(wrong).status_code == 410, wrong


def test_the_link_says_nothing_in_clear_and_fits_into_a_request(friend: FlaskClient) -> None:
    assert "Wren" not in link_for(friend)
    longest = link_for(friend, name="李" * 80, words="\N{GRINNING FACE}" * 500)
    assert len(longest) < 3_400


def test_a_link_ends_after_two_weeks() -> None:
    moment = now()
    token = invite("secret", "Wren", WORDS, moment)
    assert open_invitation("secret", token, moment + invitations.LASTS - timedelta(minutes=1)).words == WORDS
    with pytest.raises(NoInvitation):
        open_invitation("secret", token, moment + invitations.LASTS)
    with pytest.raises(NoInvitation):
        open_invitation("another secret", token, moment)


def test_an_empty_or_long_form_says_so_beside_the_field_and_keeps_what_was_typed(friend: FlaskClient) -> None:
    empty = post(friend, "/for-someone", name="Wren", words=" ")
    assert empty.status_code == 422
    assert "Write a few words" in empty.text
    assert 'value="Wren"' in empty.text
    long = post(friend, "/for-someone", words="x" * 501)
    assert long.status_code == 422
    assert "longer than 500 characters" in long.text
    assert "x" * 501 in long.text
