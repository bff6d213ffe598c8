"""Notes between two people are theirs until one of them lets coordinators read them; who opened a request stands on its page."""

from typing import Any

import pytest

from services.matching import store
from services.matching.handlers.broker_events import forward_note, withdraw_request
from services.matching.handlers.coordinator import OpenRequest, WriteToSupportee, record_opening, write_to_supportee
from services.matching.handlers.practitioner import WriteToSupportee as PractitionerWrites
from services.matching.handlers.practitioner import mark_offer_seen
from services.matching.handlers.practitioner import write_to_supportee as write_as_practitioner
from services.matching.handlers.reading import view_request
from services.matching.handlers.sharing import share_notes, share_notes_of_supportee
from services.matching.handlers.sign_in import AddCoordinator, add_coordinator
from shared import vault
from shared.contracts import (
    CoordinatorNeeded,
    NoteAnswered,
    NoteForwarded,
    NotesShared,
    OfferSeen,
    RequestOpened,
    RequestWithdrawn,
    TeamNotesShared,
)
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, answer, document, only, open_offer, open_tasks, submit


@pytest.fixture
def pair(matching: Service) -> str:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    answer(matching, offer_id, "yes")
    return offer_id


def pair_key(matching: Service) -> tuple[str, bytes]:
    match = matching.db.matches.find_one({})
    assert match
    row = document(matching, "requests", "r1")
    words = matching.vault.unwrap(row["encrypted"]["wrap"], "supportee of r1")
    return str(match["_id"]), vault.pair_key(words, str(match["_id"]))


def supportee_writes(matching: Service, words: str, id: str = "n1", to: Any = None) -> list[Event]:
    match_id, key = pair_key(matching)
    encrypted = vault.encrypt(key, "supportee of r1", vault.note_field(id), words)
    event = NoteAnswered(note_id=id, request_id="r1", encrypted=encrypted, match_id=match_id, to=to)
    return matching.run(forward_note, event)


def read_by_coordinators(matching: Service) -> list[str]:
    request = store.requests.find(matching.db, "r1")
    assert request
    return [note.words for note in view_request(request, matching.db, "ro").notes]


def practitioner_writes(matching: Service, offer_id: str, words: str) -> None:
    matching.run(write_as_practitioner, PractitionerWrites(offer_id=offer_id, words=words))


def test_what_two_people_write_is_not_shown_to_coordinators(matching: Service, pair: str) -> None:
    practitioner_writes(matching, pair, "Shall we say six?")
    supportee_writes(matching, "Six is good")
    assert read_by_coordinators(matching) == []


def test_what_is_to_and_from_coordinators_is_shown_to_them_and_not_to_the_practitioner(matching: Service, pair: str) -> None:
    events = supportee_writes(matching, "Something is off", to="coordinators")
    assert only(CoordinatorNeeded, events).reason == "wrote"
    assert not [event for event in events if isinstance(event, NoteForwarded)]
    matching.run(write_to_supportee, WriteToSupportee(coordinator_id="ro", request_id="r1", words="I am here"))
    assert read_by_coordinators(matching) == ["Something is off", "I am here"]
    assert store.notes.about(matching.db, "r1", "juniper") == []


def test_the_practitioner_lets_coordinators_read_what_is_written_so_far(matching: Service, pair: str) -> None:
    practitioner_writes(matching, pair, "Shall we say six?")
    events = matching.run(share_notes, pair)
    shared = only(TeamNotesShared, events)
    assert (shared.request_id, shared.practitioner_id) == ("r1", "juniper")
    assert open_tasks(matching) == ["notes_shared"]
    practitioner_writes(matching, pair, "And this is later")
    assert read_by_coordinators(matching) == ["Shall we say six?"]
    assert [entry.action for entry in store.tasks.audit_about(matching.db, "r1")] == ["shared_by_practitioner"]


def test_the_supportee_lets_coordinators_read(matching: Service, pair: str) -> None:
    practitioner_writes(matching, pair, "Shall we say six?")
    matching.run(share_notes_of_supportee, NotesShared(request_id="r1", practitioner_id="juniper"))
    assert read_by_coordinators(matching) == ["Shall we say six?"]
    assert [entry.action for entry in store.tasks.audit_about(matching.db, "r1")] == ["shared_by_supportee"]


def test_to_share_nothing_new_tells_nobody(matching: Service, pair: str) -> None:
    assert matching.run(share_notes, pair) == []
    practitioner_writes(matching, pair, "Shall we say six?")
    assert matching.run(share_notes, pair)
    assert matching.run(share_notes, pair) == []


def test_the_supportee_hears_who_opened_their_request_and_the_broker_does_not(matching: Service, pair: str) -> None:
    matching.run(add_coordinator, AddCoordinator(name="Rosalind", email="ro@example.org", time_zone="UTC"))
    coordinator = matching.db.coordinators.find_one()
    assert coordinator
    command = OpenRequest(coordinator_id=str(coordinator["_id"]), request_id="r1")
    opened = only(RequestOpened, matching.run(record_opening, command))
    match_id, key = pair_key(matching)
    assert (opened.match_id, opened.encrypted is None) == (match_id, False)
    assert vault.decrypt(key, "supportee of r1", f"opening/{opened.opening_id}", opened.encrypted or "") == "Rosalind"
    assert "Rosalind" not in str(list(matching.db.outbox.find()))


def test_after_leaving_nobody_hears_of_an_opening(matching: Service, pair: str) -> None:
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    assert matching.run(record_opening, OpenRequest(coordinator_id="ro", request_id="r1")) == []


def test_the_first_opening_by_who_is_asked_is_said_once(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    assert only(OfferSeen, matching.run(mark_offer_seen, offer_id)).practitioner_id == "juniper"
    assert matching.run(mark_offer_seen, offer_id) == []
