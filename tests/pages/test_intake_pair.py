"""What a supportee's page says while somebody is asked, while two meet, and about who reads what."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_note, add_opening, add_shared_notes, add_to_history
from shared import vault
from shared.clock import now
from shared.contracts import (
    EncryptedFields,
    MatchHoldChanged,
    MatchMade,
    NotesShared,
    NoteWritten,
    OfferMade,
    OfferSeen,
    RequestOpened,
    RequestSubmitted,
    TeamNotesShared,
)
from shared.service import Service
from tests.pages.intake_site import ask_for, make_site, post, published

OFFER = {"offer_id": "o1", "practitioner_id": "juniper"}


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        yield client


@pytest.fixture
def asked(visitor: FlaskClient, intake: Service) -> RequestSubmitted:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    submitted: RequestSubmitted = published(intake, "request.submitted.v1")[0]
    nothing = EncryptedFields(person_id="juniper", wrap="", fields={})
    answer_by = now() + timedelta(days=5)
    made = OfferMade(request_id=submitted.request_id, **OFFER, version=1, answer_by=answer_by, code="A7", encrypted=nothing)
    intake.run(add_to_history, made)
    return submitted


@pytest.fixture
def pair(asked: RequestSubmitted, intake: Service) -> RequestSubmitted:
    about = {"request_id": asked.request_id, "supportee_id": asked.supportee_id}
    intake.run(add_to_history, MatchMade(**about, **OFFER, match_id="m1", version=4))
    return asked


def words_key(submitted: RequestSubmitted, keys: Path) -> bytes:
    return vault.load_vault(keys, "matching").unwrap(submitted.encrypted.wrap, submitted.supportee_id)


def juniper_writes(intake: Service, keys: Path, submitted: RequestSubmitted, words: str, match_id: str | None = None) -> None:
    key = vault.note_key(words_key(submitted, keys), match_id)
    encrypted = vault.encrypt(key, submitted.supportee_id, vault.note_field(f"n/{words}"), words)
    about = {"request_id": submitted.request_id, "supportee_id": submitted.supportee_id, "match_id": match_id}
    written = NoteWritten(**about, note_id=f"n/{words}", practitioner_id="juniper", encrypted=encrypted, version=3)
    intake.run(add_note, written)


def test_asked_is_said_until_the_request_was_opened(visitor: FlaskClient, asked: RequestSubmitted, intake: Service) -> None:
    html = visitor.get("/s").text
    assert "<h1>We have asked Juniper</h1>" in html
    assert "reading" not in html
    intake.run(add_to_history, OfferSeen(request_id=asked.request_id, **OFFER, version=2))
    assert "<h1>Juniper has opened your request</h1>" in visitor.get("/s").text


def test_a_page_drawn_before_it_was_opened_still_counts(visitor: FlaskClient, asked: RequestSubmitted, intake: Service) -> None:
    intake.run(add_to_history, OfferSeen(request_id=asked.request_id, **OFFER, version=2))
    post(visitor, "/s/next", at="/s", next="person", version="1", practitioner_id="")
    assert len(published(intake, "choice.made.v1")) == 1


def test_a_question_asked_first_is_the_headline_until_it_is_answered(
    visitor: FlaskClient, asked: RequestSubmitted, intake: Service, keys: Path
) -> None:
    juniper_writes(intake, keys, asked, "Is text all right?")
    html = visitor.get("/s").text
    assert "<h1>Juniper asks you something first</h1>" in html
    assert "Answer when you like. The request stays open until" in html
    assert "You do not need to do anything." not in html
    post(visitor, "/s/write", to="practitioner", words="Text is good")
    assert "<h1>We have asked Juniper</h1>" in visitor.get("/s").text
    juniper_writes(intake, keys, asked, "And when?")
    assert "<h1>Juniper asks you something first</h1>" in visitor.get("/s").text


def test_a_note_to_coordinators_does_not_answer_the_question(
    visitor: FlaskClient, asked: RequestSubmitted, intake: Service, keys: Path
) -> None:
    juniper_writes(intake, keys, asked, "Is text all right?")
    post(visitor, "/s/write", to="coordinators", words="Who is Juniper?")
    assert "<h1>Juniper asks you something first</h1>" in visitor.get("/s").text


@pytest.mark.parametrize(("to", "reader"), [("practitioner", "juniper"), ("coordinators", None)])
def test_whoever_writes_chooses_who_reads_it(
    visitor: FlaskClient, pair: RequestSubmitted, intake: Service, to: str, reader: str | None
) -> None:
    html = visitor.get("/s/write").text
    assert "Who reads it?" in html
    assert "Juniper does not." in html
    post(visitor, "/s/write", to=to, words="a sentence of theirs")
    [answered] = published(intake, "note.answered.v1")
    assert (answered.to, answered.match_id) == (to, "m1")
    row = intake.db.requests.find_one()
    assert row
    assert row["notes"][0].get("reader") == reader


@pytest.mark.parametrize("path", ["/s/write", "/s/write/coordinators"])
def test_a_way_to_a_coordinator_is_on_the_page_in_each_state(
    visitor: FlaskClient, asked: RequestSubmitted, intake: Service, path: str
) -> None:
    assert 'href="/s/write/coordinators"' in visitor.get("/s").text
    html = visitor.get(path).text
    assert "<h1>Write to the coordinators</h1>" in html
    about = {"request_id": asked.request_id, "supportee_id": asked.supportee_id}
    intake.run(add_to_history, MatchMade(**about, **OFFER, match_id="m1", version=4))
    page = visitor.get("/s").text
    assert 'href="/s/write/coordinators"' in page
    assert "Juniper does not read it." in page


def test_a_pause_keeps_the_place_and_ends_with_a_button(visitor: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    for _ in range(2):
        post(visitor, "/s/pause", at="/s")
    html = visitor.get("/s").text
    assert "<h1>Your meetings with Juniper are paused</h1>" in html
    assert "Your place with Juniper is kept, and their page says that you take a pause." in html
    for _ in range(2):
        post(visitor, "/s/come-back", at="/s")
    assert "<h1>You and Juniper: find a first time</h1>" in visitor.get("/s").text
    assert published(intake, "match.hold_changed.v1") == [
        MatchHoldChanged(request_id=pair.request_id, match_id="m1", on_hold=True, change=1),
        MatchHoldChanged(request_id=pair.request_id, match_id="m1", on_hold=False, change=2),
    ]


def test_from_a_pause_meetings_can_be_ended(visitor: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    post(visitor, "/s/pause", at="/s")
    post(visitor, "/s/end", then="wait", version="4")
    assert len(published(intake, "match.left.v1")) == 1


def test_without_a_yes_there_is_nothing_to_pause(visitor: FlaskClient, asked: RequestSubmitted, intake: Service) -> None:
    post(visitor, "/s/pause", at="/s")
    assert published(intake, "match.hold_changed.v1") == []


def test_notes_of_the_two_are_theirs_until_one_lets_coordinators_read_them(
    visitor: FlaskClient, pair: RequestSubmitted, intake: Service, keys: Path
) -> None:
    juniper_writes(intake, keys, pair, "Shall we say six?", "m1")
    html = visitor.get("/s").text
    assert "What you and Juniper write to each other is yours." in html
    assert "You let them read" not in html
    for _ in range(2):
        post(visitor, "/s/share", at="/s")
    shared = NotesShared(request_id=pair.request_id, practitioner_id="juniper")
    assert published(intake, "notes.shared.v1") == [shared]
    html = visitor.get("/s").text
    assert "You let them read what was written until" in html
    assert "Let a coordinator read this" not in html
    juniper_writes(intake, keys, pair, "A later one", "m1")
    assert "Let a coordinator read this" in visitor.get("/s").text


def test_the_page_says_when_the_practitioner_let_them_read(
    visitor: FlaskClient, pair: RequestSubmitted, intake: Service, keys: Path
) -> None:
    juniper_writes(intake, keys, pair, "Shall we say six?", "m1")
    shared = TeamNotesShared(request_id=pair.request_id, practitioner_id="juniper", shared_at=now())
    intake.run(add_shared_notes, shared)
    assert "Juniper let them read what was written until" in visitor.get("/s").text


@pytest.mark.parametrize("match_id", [None, "m1"])
def test_who_opened_the_request_and_when_stands_on_the_page(
    visitor: FlaskClient, pair: RequestSubmitted, intake: Service, keys: Path, match_id: Any
) -> None:
    assert "Who opened your request" not in visitor.get("/s").text
    key = vault.note_key(words_key(pair, keys), match_id)
    name = vault.encrypt(key, pair.supportee_id, "opening/op1", "Rosalind")
    opened = RequestOpened(opening_id="op1", request_id=pair.request_id, opened_at=now(), encrypted=name, match_id=match_id)
    intake.run(add_opening, opened)
    html = visitor.get("/s").text
    assert "Who opened your request" in html
    assert "<bdi>Rosalind</bdi>" in html
    assert "Rosalind" not in str(list(intake.db.requests.find()))


def test_an_opening_without_a_name_is_said_all_the_same(visitor: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    intake.run(add_opening, RequestOpened(opening_id="op1", request_id=pair.request_id, opened_at=now()))
    assert "<bdi>A coordinator</bdi>" in visitor.get("/s").text


def test_what_was_opened_and_shared_goes_when_they_leave(visitor: FlaskClient, pair: RequestSubmitted, intake: Service) -> None:
    intake.run(add_opening, RequestOpened(opening_id="op1", request_id=pair.request_id, opened_at=now()))
    intake.run(add_shared_notes, TeamNotesShared(request_id=pair.request_id, practitioner_id="juniper", shared_at=now()))
    post(visitor, "/s/leave")
    assert intake.db.requests.find_one() is None
