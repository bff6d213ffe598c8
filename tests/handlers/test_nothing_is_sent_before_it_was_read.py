"""What somebody wants us to know before we write is obeyed or read before anything leaves: over all three services."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake import forms
from services.intake.domain import Draft, TypedAnswers
from services.intake.handlers.broker_events import show_whether_anybody_may_read
from services.intake.handlers.corrections import CorrectAnswers, correct_answers
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.supportee import (
    SubmitRequest,
    allow_writing,
    allow_writing_unread,
    new_draft,
    prepare_code_words,
    submit_request,
)
from services.intake.store import request as stored_request
from services.matching.coordinators import add_coordinator
from services.matching.handlers.coordinator import (
    AskPractitioner,
    ChangeTask,
    OpenRequest,
    ReleaseContact,
    WriteToSupportee,
    ask_practitioner,
    record_opening,
    release_contact,
    resolve_task,
    write_to_supportee,
)
from services.matching.handlers.held import look_for_readers
from services.notify.domain import reason_not_to_send
from services.notify.handlers.contacts import allow_contact, record_contact
from services.notify.handlers.contacts import release_contact as hear_release
from services.notify.store import find_contact, find_notification
from shared.clock import now
from shared.contracts import ContactAllowed, ContactReleased, RequestReadersChanged
from shared.service import Service
from shared.sessions import new_session
from tests.handlers.matching_steps import Clock, add_practitioners, answer, open_offer, open_tasks, run_timer
from tests.receivers import wren
from tests.three_services import Services

HUSBAND = "My husband reads this mailbox. Please write only when I say so."
BY_BOTH: TypedAnswers = {
    "reach": ["email", "text"], "email": "wren@people.example", "phone": "+12025550133", "quiet_from": "0", "quiet_until": "0",
}  # fmt: skip


@pytest.fixture
def services(intake: Service, matching: Service, notify: Service) -> Services:
    made = Services(intake, matching, notify)
    add_practitioners(matching, "juniper", "kai", places=3, offers_at_once=3)
    made.deliver()
    return made


def ask(services: Services, never: str = "", **safely: object) -> Draft:
    """By e-mail and text. Everything that follows from it has happened. `never`: whom they would never meet."""
    typed: dict[int, TypedAnswers] = {
        1: {"mode": "chosen", "choice": ["juniper"], "if_not": ["suggest"], "avoid_words": never},
        2: {"name": "Wren"},
        4: {**BY_BOTH, **safely},  # type: ignore[dict-item]
    }
    draft = prepare_code_words(replace(new_draft(), typed=typed), "en")
    answers, wrong = forms.read_all(typed, "America/New_York")
    assert answers, wrong
    assert draft.code_words
    session = new_session("supportee", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=timedelta(days=1))
    services.intake.run(submit_request, SubmitRequest(draft, draft.code_words, answers, "en", session))
    services.deliver()
    return draft


def told(services: Services, draft: Draft) -> list[tuple[str, str]]:
    rows = services.notify.db.notifications.find({"person_id": draft.person_id, "state": {"$ne": "cancelled"}})
    return sorted((row["template"], row["channel"]) for row in rows)


def read_it(services: Services, draft: Draft, *, on_their_word: bool = False) -> list[object]:
    services.matching.run(record_opening, OpenRequest(coordinator_id="ro", request_id=draft.request_id))
    command = ReleaseContact(coordinator_id="ro", request_id=draft.request_id, on_their_word=on_their_word)
    events = services.matching.run(release_contact, command)
    services.deliver()
    return list(events)


def much_happens(services: Services, draft: Draft) -> None:
    """Not this time, suggestions, a note of a coordinator."""
    answer(services.matching, open_offer(services.matching, draft.request_id), "not_this_time")
    note = WriteToSupportee(coordinator_id="ro", request_id=draft.request_id, words="We are here.")
    services.matching.run(write_to_supportee, note)
    services.deliver()


def is_held(services: Services, draft: Draft) -> bool:
    found = stored_request(services.intake.db, draft.request_id)
    assert found
    return found.is_held


def test_the_husbands_sentence_sends_no_letter_and_no_text_and_makes_one_task(services: Services) -> None:
    draft = ask(services, before_we_write=HUSBAND)
    assert told(services, draft) == []
    assert open_tasks(services.matching) == ["read_first"]
    much_happens(services, draft)
    assert told(services, draft) == []
    assert open_tasks(services.matching) == ["read_first"]
    assert is_held(services, draft)
    assert stored_request(services.intake.db, draft.request_id).status.state == "suggested"  # type: ignore[union-attr]


def test_whoever_wrote_no_sentence_is_told_at_once(services: Services) -> None:
    draft = ask(services, before_we_write="  ")
    assert told(services, draft) == [("request_received", "email"), ("request_received", "text")]
    assert open_tasks(services.matching) == []
    assert not is_held(services, draft)


def test_once_a_coordinator_read_it_one_message_goes_for_all_that_happened(services: Services) -> None:
    draft = ask(services, before_we_write=HUSBAND)
    much_happens(services, draft)
    assert read_it(services, draft)
    assert told(services, draft) == [("message", "email"), ("message", "text")]
    assert open_tasks(services.matching) == []
    assert not is_held(services, draft)


def test_when_nothing_happened_since_the_receipt_goes_as_long_as_its_day_is_to_come(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon, late = ask(services, before_we_write=HUSBAND), ask(services, before_we_write=HUSBAND)
    read_it(services, soon)
    assert told(services, soon) == [("request_received", "email"), ("request_received", "text")]
    Clock(tmp_path / "clock", monkeypatch).advance(days=6)
    read_it(services, late)
    assert told(services, late) == [("message", "email"), ("message", "text")]


def test_only_on_their_page_means_until_they_say_more_there(services: Services) -> None:
    draft = ask(services, before_we_write=HUSBAND)
    read_it(services, draft, on_their_word=True)
    much_happens(services, draft)
    assert told(services, draft) == []
    assert open_tasks(services.matching) == []
    services.intake.run(allow_writing, draft.request_id)
    services.deliver()
    assert told(services, draft) == [("message", "email"), ("message", "text")]
    assert not is_held(services, draft)
    services.intake.run(allow_writing, draft.request_id)
    services.deliver()
    assert len(told(services, draft)) == 2


def test_not_before_i_say_so_is_obeyed_without_anybody_reading(services: Services) -> None:
    draft = ask(services, safely=["on_their_word"])
    assert open_tasks(services.matching) == []
    much_happens(services, draft)
    assert told(services, draft) == []
    services.intake.run(allow_writing, draft.request_id)
    services.deliver()
    assert told(services, draft) == [("message", "email"), ("message", "text")]


def test_their_own_word_alone_does_not_release_what_nobody_has_read(services: Services) -> None:
    draft = ask(services, safely=["on_their_word"], before_we_write="Never on a Friday.")
    services.intake.run(allow_writing, draft.request_id)
    services.deliver()
    assert told(services, draft) == []
    read_it(services, draft)
    assert len(told(services, draft)) == 2


def test_only_you_have_a_message_is_all_they_are_ever_told(services: Services) -> None:
    draft = ask(services, safely=["only_news"])
    much_happens(services, draft)
    assert {template for template, _ in told(services, draft)} == {"message"}
    assert not is_held(services, draft)


def test_another_name_is_how_they_are_greeted(services: Services) -> None:
    draft = ask(services, greet_as="Herr Müller")
    contact = find_contact(services.notify.db, draft.person_id)
    assert contact
    assert services.notify.vault.decrypt_fields(contact.encrypted)["known_as"] == "Herr Müller"


def test_whoever_has_not_opened_it_has_not_read_it(services: Services) -> None:
    draft = ask(services, before_we_write=HUSBAND)
    command = ReleaseContact(coordinator_id="ro", request_id=draft.request_id, on_their_word=False)
    assert services.matching.run(release_contact, command) == []
    services.deliver()
    assert told(services, draft) == []
    assert open_tasks(services.matching) == ["read_first"]


def test_nothing_else_that_a_coordinator_does_releases_it(services: Services) -> None:
    draft = ask(services, before_we_write=HUSBAND)
    command = AskPractitioner(coordinator_id="ro", request_id=draft.request_id, practitioner_id="kai")
    assert services.matching.run(ask_practitioner, command)
    task = services.matching.db.coordinator_tasks.find_one({"reason": "read_first"})
    assert task
    services.matching.run(resolve_task, ChangeTask(coordinator_id="ro", task_id=task["_id"]))
    answer(services.matching, open_offer(services.matching, draft.request_id), "yes")
    services.deliver()
    assert told(services, draft) == []
    assert open_tasks(services.matching) == ["read_first"]
    read_it(services, draft)
    assert len(told(services, draft)) == 2


def test_whoever_left_is_not_written_to_when_it_is_read_after_all(services: Services) -> None:
    draft = ask(services, safely=["on_their_word"], before_we_write=HUSBAND)
    services.intake.run(withdraw_request, draft.request_id)
    services.deliver()
    for heard, event in (
        (hear_release, ContactReleased(request_id=draft.request_id, supportee_id=draft.person_id, write="now")),
        (allow_contact, ContactAllowed(request_id=draft.request_id, person_id=draft.person_id, was_read=True)),
    ):
        services.notify.run(heard, event)  # type: ignore[arg-type]
    assert told(services, draft) == []


@pytest.mark.parametrize("first", ["read", "said"])
def test_what_was_read_and_then_said_ends_the_same_in_any_order(notify: Service, first: str) -> None:
    record_contact(wren(notify, read_first=True), notify.db)
    read = (hear_release, ContactReleased(request_id="r1", supportee_id="wren", write="on_their_word"))
    said = (allow_contact, ContactAllowed(request_id="r1", person_id="wren", was_read=True))
    for heard, event in (read, said, read, said) if first == "read" else (said, read, said, read):
        heard(event, notify.db)  # type: ignore[operator]
    contact = find_contact(notify.db, "wren")
    assert contact
    assert not contact.is_held
    assert notify.db.notifications.count_documents({}) == 2


def test_a_new_address_is_held_like_the_old_one_and_new_words_hold_what_is_on_its_way(notify: Service) -> None:
    record_contact(wren(notify, on_their_word=True), notify.db)
    record_contact(wren(notify, version=2), notify.db)
    assert notify.db.notifications.count_documents({}) == 0
    allow_contact(ContactAllowed(request_id="r1", person_id="wren", was_read=False), notify.db)
    assert notify.db.notifications.count_documents({"state": "pending"}) == 2
    record_contact(wren(notify, version=3, read_first=True), notify.db)
    assert notify.db.notifications.count_documents({"state": "pending"}) == 0
    hear_release(ContactReleased(request_id="r1", supportee_id="wren", write="now"), notify.db)
    assert notify.db.notifications.count_documents({"state": "pending", "template": "message"}) == 2


def test_what_is_being_sent_already_is_looked_at_once_more(notify: Service) -> None:
    record_contact(wren(notify), notify.db)
    row = notify.db.notifications.find_one({})
    contact = find_contact(notify.db, "wren")
    assert row
    assert contact
    notification = find_notification(notify.db, row["_id"])
    assert notification
    assert reason_not_to_send(notification, contact, now()) is None
    refused = reason_not_to_send(notification, replace(contact, unread=True), now())
    assert refused
    assert refused.result == "cancelled"


@pytest.fixture
def kai_alone(services: Services) -> Services:
    """Kai Moreno is the only coordinator."""
    add_coordinator("Kai Moreno", "kai@example.org", into=services.matching)
    services.deliver()
    return services


def correct(services: Services, draft: Draft, question: int, **typed: object) -> Draft:
    after = replace(draft, typed={**draft.typed, question: {**draft.typed[question], **typed}})  # type: ignore[dict-item]
    before, answers = (forms.read_all(each.typed, "America/New_York")[0] for each in (draft, after))
    assert before
    assert answers
    services.intake.run(correct_answers, CorrectAnswers(after, question, answers, before, "en"))
    services.deliver()
    return after


def has_no_reader(services: Services, draft: Draft) -> bool:
    found = stored_request(services.intake.db, draft.request_id)
    assert found
    return found.unread and found.has_no_reader


def test_whoever_named_every_coordinator_learns_that_nobody_can_read_it(kai_alone: Services) -> None:
    named, other = (ask(kai_alone, never, before_we_write=HUSBAND) for never in ("Kai from the choir", "Robin"))
    assert has_no_reader(kai_alone, named)
    assert not has_no_reader(kai_alone, other)
    assert told(kai_alone, named) == []


def test_without_any_coordinator_nobody_is_said_to_be_named(services: Services) -> None:
    assert not has_no_reader(services, ask(services, "Kai from the choir", before_we_write=HUSBAND))


def test_taking_the_sentence_back_ends_it_everywhere(kai_alone: Services) -> None:
    draft = ask(kai_alone, "Kai", before_we_write=HUSBAND)
    assert "read_first" in open_tasks(kai_alone.matching)
    correct(kai_alone, draft, 4, before_we_write="")
    assert not is_held(kai_alone, draft)
    assert "read_first" not in open_tasks(kai_alone.matching)
    assert {channel for _, channel in told(kai_alone, draft)} == {"email", "text"}


def test_taking_back_a_sentence_that_others_could_read_ends_it_too(services: Services) -> None:
    draft = ask(services, before_we_write=HUSBAND)
    correct(services, draft, 4, before_we_write="")
    assert not is_held(services, draft)
    assert open_tasks(services.matching) == []
    assert len(told(services, draft)) == 2


def test_a_corrected_address_ends_nothing_while_the_sentence_stands(kai_alone: Services) -> None:
    draft = ask(kai_alone, "Kai", before_we_write=HUSBAND)
    correct(kai_alone, draft, 4, email="wren@elsewhere.example")
    assert has_no_reader(kai_alone, draft)
    assert told(kai_alone, draft) == []


def test_they_let_us_write_though_nobody_read_it(kai_alone: Services) -> None:
    draft = ask(kai_alone, "Kai", before_we_write=HUSBAND, safely=["on_their_word"])
    for _ in range(2):
        kai_alone.intake.run(allow_writing_unread, draft.request_id)
        kai_alone.deliver()
    assert not is_held(kai_alone, draft)
    assert "read_first" not in open_tasks(kai_alone.matching)
    assert len(told(kai_alone, draft)) == 2


def test_nobody_passes_over_a_person_who_can_read_it(services: Services) -> None:
    add_coordinator("Ro", "ro@example.org", into=services.matching)
    draft = ask(services, "Kai", before_we_write=HUSBAND)
    assert services.intake.run(allow_writing_unread, draft.request_id) == []
    assert is_held(services, draft)


def test_fewer_names_let_a_coordinator_read_it(kai_alone: Services) -> None:
    draft = ask(kai_alone, "Kai", before_we_write=HUSBAND)
    correct(kai_alone, draft, 1, avoid_words="Robin")
    assert not has_no_reader(kai_alone, draft)
    assert is_held(kai_alone, draft)
    read_it(kai_alone, draft)
    assert len(told(kai_alone, draft)) == 2


def test_a_coordinator_who_comes_later_may_read_it(kai_alone: Services) -> None:
    draft = ask(kai_alone, "Kai", before_we_write=HUSBAND)
    assert run_timer(kai_alone.matching, look_for_readers) == []
    add_coordinator("Ro", "ro@example.org", into=kai_alone.matching)
    assert run_timer(kai_alone.matching, look_for_readers)
    kai_alone.deliver()
    assert not has_no_reader(kai_alone, draft)
    assert run_timer(kai_alone.matching, look_for_readers) == []


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_newest_word_about_readers_holds(services: Services, newest_first: bool) -> None:
    draft = ask(services, before_we_write=HUSBAND)
    said = [RequestReadersChanged(request_id=draft.request_id, nobody=number == 98, version=number) for number in (98, 99)]
    for event in reversed(said) if newest_first else said:
        services.intake.run(show_whether_anybody_may_read, event)
    assert not has_no_reader(services, draft)
