"""Notes between a supportee and whoever reads their request: who gets them, and what the broker sees of them."""

import pytest

from services.intake import store as intake_store
from services.intake.domain import Request
from services.intake.handlers.access import NoteKeys, own_notes
from services.intake.handlers.broker_events import add_note
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.supportee import WriteNote, write_note
from services.matching import store as matching_store
from services.matching.handlers import coordinator, practitioner
from services.matching.handlers.broker_events import forward_note
from services.matching.handlers.broker_events import withdraw_request as withdraw_in_matching
from services.notify.handlers.offers import enqueue_forwarded_note
from services.notify.handlers.requests import enqueue_note
from shared import vault
from shared.contracts import CoordinatorNeeded, NoteAnswered, NoteForwarded, NoteWritten, RequestWithdrawn
from shared.messages import Event
from shared.service import RetryLater, Service
from shared.vault import DecryptionError
from tests.handlers.matching_steps import (
    add_practitioners,
    answer,
    document,
    only,
    open_offer,
    open_tasks,
    submit,
    types_of,
)
from tests.intake_requests import a_stored_request
from tests.receivers import ana, encrypted_for_notify, record_contact, wren


def key_of(matching: Service, request_id: str = "r1") -> bytes:
    row = document(matching, "requests", request_id)
    return matching.vault.unwrap(row["encrypted"]["wrap"], row["supportee_id"])


def writes_back(matching: Service, words: str, note_id: str = "n1") -> list[Event]:
    encrypted = vault.encrypt(key_of(matching), "supportee of r1", vault.note_field(note_id), words)
    return matching.run(
        forward_note, NoteAnswered(note_id=note_id, request_id="r1", encrypted=encrypted), idempotency_key=note_id
    )


@pytest.fixture
def asked(matching: Service) -> Service:
    add_practitioners(matching, "juniper")
    submit(matching, ("juniper", "next_choice"))
    return matching


def test_what_a_practitioner_asks_first_is_put_to_the_supportee_and_the_offer_stays_open(asked: Service) -> None:
    note = only(NoteWritten, answer(asked, open_offer(asked), "ask_first", question="Is text all right?"))
    assert (note.practitioner_id, note.supportee_id) == ("juniper", "supportee of r1")
    opened = vault.decrypt(key_of(asked), note.supportee_id, vault.note_field(note.note_id), note.encrypted)
    assert opened == "Is text all right?"
    assert open_tasks(asked) == ["asks_first"]
    assert open_offer(asked)


def test_a_note_cannot_be_passed_off_as_another(asked: Service) -> None:
    note = only(NoteWritten, answer(asked, open_offer(asked), "ask_first", question="Is text all right?"))
    with pytest.raises(DecryptionError):
        vault.decrypt(key_of(asked), note.supportee_id, vault.note_field("another"), note.encrypted)


def test_the_answer_goes_to_whoever_asked_with_a_link_of_its_own(asked: Service) -> None:
    offer_id = open_offer(asked)
    answer(asked, offer_id, "ask_first", question="Is text all right?")
    events = writes_back(asked, "Text is good")
    assert types_of(events) == [NoteForwarded]
    assert (only(NoteForwarded, events).offer_id, only(NoteForwarded, events).practitioner_id) == (offer_id, "juniper")
    assert open_tasks(asked) == []
    assert [note.practitioner_id for note in matching_store.notes.about(asked.db, "r1", "juniper")] == ["juniper", None]


def test_a_note_that_comes_twice_is_one_note(asked: Service) -> None:
    assert writes_back(asked, "Hello")
    assert writes_back(asked, "Hello") == []
    assert asked.db.notes.count_documents({}) == 1


def test_without_anybody_who_began_to_talk_a_note_goes_to_the_coordinators(asked: Service) -> None:
    assert only(CoordinatorNeeded, writes_back(asked, "Could we wait until spring?")).reason == "wrote"
    assert open_tasks(asked) == ["wrote"]
    assert matching_store.notes.about(asked.db, "r1", "juniper") == []


def test_after_a_yes_both_write_to_each_other(asked: Service) -> None:
    offer_id = open_offer(asked)
    answer(asked, offer_id, "yes")
    events = asked.run(
        practitioner.write_to_supportee, practitioner.WriteToSupportee(offer_id=offer_id, words="Tuesdays at six?")
    )
    assert only(NoteWritten, events).practitioner_id == "juniper"
    assert only(NoteForwarded, writes_back(asked, "Yes, gladly")).offer_id == offer_id


def test_whoever_said_not_this_time_writes_no_more_and_reads_no_more(asked: Service) -> None:
    offer_id = open_offer(asked)
    answer(asked, offer_id, "ask_first", question="Is text all right?")
    answer(asked, offer_id, "not_this_time")
    assert (
        asked.run(practitioner.write_to_supportee, practitioner.WriteToSupportee(offer_id=offer_id, words="One more thing")) == []
    )
    assert only(CoordinatorNeeded, writes_back(asked, "Text is good")).reason == "wrote"
    assert len(matching_store.notes.about(asked.db, "r1", "juniper")) == 1


def test_a_coordinator_answers_what_was_written_to_them(asked: Service) -> None:
    writes_back(asked, "Could we wait until spring?")
    note = coordinator.WriteToSupportee(coordinator_id="ro", request_id="r1", words="Of course")
    events = asked.run(coordinator.write_to_supportee, note)
    assert only(NoteWritten, events).practitioner_id is None
    assert open_tasks(asked) == []
    assert [entry.action for entry in matching_store.tasks.audit_about(asked.db, "r1")] == ["wrote"]
    assert "Of course" not in repr(note)


def test_when_they_leave_the_notes_go_and_none_comes_after(asked: Service) -> None:
    encrypted = vault.encrypt(key_of(asked), "supportee of r1", vault.note_field("n2"), "late")
    writes_back(asked, "Hello")
    asked.run(withdraw_in_matching, RequestWithdrawn(request_id="r1"))
    assert asked.db.notes.count_documents({}) == 0
    assert asked.run(forward_note, NoteAnswered(note_id="n2", request_id="r1", encrypted=encrypted)) == []
    assert (
        asked.run(
            coordinator.write_to_supportee, coordinator.WriteToSupportee(coordinator_id="ro", request_id="r1", words="Hello")
        )
        == []
    )


def test_a_note_that_overtakes_its_request_waits_for_it(matching: Service) -> None:
    with pytest.raises(RetryLater):
        matching.run(forward_note, NoteAnswered(note_id="n1", request_id="r9", encrypted="AQ"))


# intake


KEY = vault.new_key()


def keys_of(own: bytes) -> NoteKeys:
    return NoteKeys(vault.words_key(own), {})


@pytest.fixture
def request_id(intake: Service) -> str:
    return a_stored_request(intake.db).id


def stored(intake: Service, request_id: str) -> Request:
    found = intake_store.request(intake.db, request_id)
    assert found
    return found


def a_note(note_id: str = "n1", words: str = "Is text all right?") -> NoteWritten:
    encrypted = vault.encrypt(vault.words_key(KEY), "p1", vault.note_field(note_id), words)
    return NoteWritten(
        note_id=note_id, request_id="r1", supportee_id="p1", practitioner_id="juniper", encrypted=encrypted, version=2
    )


def test_intake_stores_a_note_once_and_can_read_it_only_with_their_key(intake: Service, request_id: str) -> None:
    for _ in range(2):
        intake.run(add_note, a_note())
    request = stored(intake, request_id)
    assert [(note.author, note.words) for note in own_notes(request, keys_of(KEY))] == [("juniper", "Is text all right?")]
    with pytest.raises(DecryptionError):
        own_notes(request, keys_of(vault.new_key()))
    assert "text all right" not in str(list(intake.db.requests.find()))


def test_what_they_write_is_published_once_and_shown_on_their_page(intake: Service, request_id: str) -> None:
    note = WriteNote(request_id, keys_of(KEY), "n2", "Text is good")
    assert types_of(intake.run(write_note, note)) == [NoteAnswered]
    assert intake.run(write_note, note) == []
    assert [found.words for found in own_notes(stored(intake, request_id), keys_of(KEY))] == ["Text is good"]


def test_leaving_takes_the_notes_along(intake: Service, request_id: str) -> None:
    intake.run(add_note, a_note())
    intake.run(withdraw_request, request_id)
    intake.run(add_note, a_note("n3"))
    assert intake.run(write_note, WriteNote(request_id, keys_of(KEY), "n4", "late")) == []
    assert intake_store.request(intake.db, request_id) is None


# notify


def test_both_are_told_that_there_is_something_to_read(notify: Service) -> None:
    record_contact(ana(notify), notify.db)
    record_contact(wren(notify), notify.db)
    notify.db.notifications.delete_many({})
    enqueue_note(a_note(), notify.db)
    encrypted = encrypted_for_notify(notify.vault, "ana", link="https://kt.example/o/x", short_link="https://kt.example/o/y")
    passed_on = NoteForwarded(offer_id="o1", note_id="n2", practitioner_id="ana", encrypted=encrypted)
    enqueue_forwarded_note(passed_on, notify.db)
    sent = {(one["template"], one["person_id"]) for one in notify.db.notifications.find()}
    assert sent == {("note", "wren"), ("note_for_you", "ana")}
