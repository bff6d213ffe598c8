"""What the page "What we keep and delete" says of leaving, against what the three databases hold afterwards."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from services.intake import forms
from services.intake.domain import Draft, TypedAnswers
from services.intake.handlers import access
from services.intake.handlers.supportee import (
    SubmitRequest,
    WriteNote,
    new_draft,
    prepare_code_words,
    submit_request,
    withdraw_request,
    write_note,
)
from shared import vault
from shared.mongo import Doc
from shared.service import Service
from shared.sessions import new_session
from shared.vault import DecryptionError
from tests.three_services import Services, texts_in

TYPED: dict[int, TypedAnswers] = {
    1: {"mode": "suggest", "avoid_words": "my neighbour"},
    2: {"name": "Zephyrine"},
    3: {"words": "the marmalade week", "help": ["listening"]},
    4: {"reach": ["email"], "email": "zephyrine@people.example"},
}
ADDRESS, WORDS = {"zephyrine@people.example", "Zephyrine"}, {"Zephyrine", "the marmalade week", "my neighbour"}
NOTE = "the bench by the gooseberries"


@pytest.fixture
def services(intake: Service, matching: Service, notify: Service) -> Services:
    return Services(intake, matching, notify)


@pytest.fixture
def left(services: Services) -> Draft:
    """Somebody asked, wrote a note, and left."""
    draft = prepare_code_words(replace(new_draft(), typed=TYPED), "en")
    answers, _ = forms.read_all(TYPED, "America/New_York")
    assert answers
    assert draft.code_words
    session = new_session("supportee", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=timedelta(days=1))
    services.intake.run(submit_request, SubmitRequest(draft, draft.code_words, answers, "en", session))
    services.deliver()
    services.intake.run(write_note, WriteNote(draft.request_id, draft.key, "n1", NOTE))
    services.deliver()
    assert readable(draft, *services.matching.db.requests.find(), *services.matching.db.notes.find()) >= WORDS | {NOTE}
    assert readable(draft, *services.intake.db.requests.find()) >= {NOTE}
    services.intake.run(withdraw_request, draft.request_id)
    services.deliver()
    return draft


def readable(draft: Draft, *documents: Doc) -> set[str]:
    """Everything in there that this person's own key opens, or one derived from it, under whatever field's name."""
    found: set[str] = set()
    names = ["answers", "draft", "code_words", vault.note_field("n1"), "email", "phone", "link", "known_as", "name", "words"]
    for text in texts_in(documents):
        for name in [*names, "avoid_words", "access", "anything", "before_we_write", "language_other", "pronouns"]:
            found |= _opened(draft, name, text)
    return found


def _opened(draft: Draft, name: str, text: str) -> set[str]:
    opened = set()
    for key in (draft.key, vault.words_key(draft.key), vault.contact_key(draft.key)):
        with suppress(DecryptionError):
            opened.add(vault.decrypt(key, draft.person_id, name, text))
    return opened


def test_gone_at_once_are_answers_and_notes_on_the_pages_and_in_matching(services: Services, left: Draft) -> None:
    everything_but_events = [
        document
        for service in (services.intake, services.matching)
        for name in service.db.list_collection_names()
        if name != "outbox"
        for document in service.db[name].find()
    ]
    assert readable(left, *everything_but_events) == set()


def test_kept_for_some_days_are_encrypted_copies_in_the_outboxes(services: Services, left: Draft) -> None:
    kept = readable(left, *services.intake.db.outbox.find())
    assert kept >= WORDS | ADDRESS | {NOTE}


def test_kept_until_the_request_expires_are_its_page_and_what_opens_it(services: Services, left: Draft) -> None:
    assert left.code_words
    found = access.by_code_words(left.code_words.words)
    assert isinstance(found, access.RequestAccess)
    [request] = services.intake.db.requests.find()
    assert request["email_index"]
    assert {link["purpose"] for link in services.intake.db.links.find()} == {"status", "code_words"}
    ends = {name for name in ("requests", "links") if _expires(services.intake, name)}
    assert ends == {"requests", "links"}


def test_kept_for_some_days_are_the_address_in_notify_and_the_choices_in_matching(services: Services, left: Draft) -> None:
    assert readable(left, *services.notify.db.contacts.find()) >= ADDRESS
    assert services.matching.db.requests.count_documents({"_id": left.request_id}) == 1
    assert _expires(services.notify, "contacts")
    assert _expires(services.matching, "requests")


def _expires(service: Service, collection: str) -> bool:
    return any("expireAfterSeconds" in index for index in service.db[collection].index_information().values())
