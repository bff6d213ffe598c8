"""Each service's private key against everything that the three databases hold after a whole journey."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.intake import forms, store
from services.intake.domain import Draft, Request, TypedAnswers
from services.intake.handlers.access import own_answers, own_notes
from services.intake.handlers.supportee import (
    SendSignInLink,
    SubmitRequest,
    WriteNote,
    new_draft,
    prepare_code_words,
    send_sign_in_link,
    submit_request,
    write_note,
)
from services.matching.handlers import practitioner, reading
from services.matching.handlers.coordinator import write_profile
from services.matching.handlers.sign_in import AddCoordinator, RequestSignIn, add_coordinator
from services.matching.handlers.sign_in import send_sign_in_link as sign_in
from shared import vault
from shared.service import Service
from shared.sessions import new_session
from shared.vault import RECEIVERS, DecryptionError
from tests.handlers.matching_steps import answer, open_offer
from tests.people import a_profile
from tests.three_services import Services, texts_in

TYPED: dict[int, TypedAnswers] = {
    1: {"mode": "chosen", "choice": ["juniper"], "avoid_words": "SENTINEL avoid"},
    2: {"name": "SENTINEL name", "pronouns": "SENTINEL pronouns"},
    3: {"words": "SENTINEL words", "help": ["listening"]},
    4: {"reach": ["email", "text"], "email": "sentinel@people.example", "phone": "+12025550187",
        "before_we_write": "SENTINEL wait"},
    5: {"access": "SENTINEL access"},
    7: {"anything": "SENTINEL anything"},
}  # fmt: skip
WORDS = {f"SENTINEL {name}" for name in ("avoid", "name", "pronouns", "words", "wait", "access", "anything")}
QUESTION, REPLY, AFTER, BACK = "SENTINEL question", "SENTINEL reply", "SENTINEL after", "SENTINEL back"
PAIR = {AFTER, BACK, "SENTINEL name", "SENTINEL pronouns", "SENTINEL access"}
FIELDS = (
    "answers", "draft", "code_words", "name", "pronouns", "words", "avoid_words", "access", "anything", "before_we_write",
    "language_other", "email", "phone", "link", "short_link", "known_as",
)  # fmt: skip


@dataclass
class Journey:
    services: Services
    draft: Draft

    @property
    def person_id(self) -> str:
        return self.draft.person_id

    def request(self) -> Request:
        found = store.request(self.services.intake.db, self.draft.request_id)
        assert found
        return found

    def writes(self, note_id: str, words: str) -> None:
        self.services.intake.run(write_note, WriteNote(self.draft.request_id, self.draft.key, note_id, words))
        self.services.deliver()


@pytest.fixture
def journey(intake: Service, matching: Service, notify: Service) -> Journey:
    """Every field is filled in; asked first, answered, yes, a note each; everybody asked for a link to sign in."""
    services = Services(intake, matching, notify)
    matching.run(write_profile, a_profile("juniper", phone="+12025550188"))
    matching.run(add_coordinator, AddCoordinator(name="Ro", email="ro@example.org", time_zone="UTC"))
    services.deliver()
    draft = prepare_code_words(replace(new_draft(), typed=TYPED), "en")
    answers, _ = forms.read_all(TYPED, "America/New_York")
    assert answers
    assert draft.code_words
    session = new_session("supportee", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=timedelta(days=1))
    intake.run(submit_request, SubmitRequest(draft, draft.code_words, answers, "en", session))
    services.deliver()
    made = Journey(services, draft)
    offer_id = open_offer(matching, draft.request_id)
    answer(matching, offer_id, "ask_first", question=QUESTION)
    services.deliver()
    made.writes("n1", REPLY)
    answer(matching, offer_id, "yes")
    services.deliver()
    matching.run(practitioner.write_to_supportee, practitioner.WriteToSupportee(offer_id=offer_id, words=AFTER))
    services.deliver()
    made.writes("n2", BACK)
    intake.run(send_sign_in_link, SendSignInLink(email="sentinel@people.example"))
    for email, role in (("ro@example.org", "coordinator"), ("juniper@example.org", "practitioner")):
        matching.run(sign_in, RequestSignIn(email=email, role=role))
    services.deliver()
    return made


@dataclass(frozen=True)
class Opened:
    where: str
    by: str
    key: bytes


def opened_wraps(journey: Journey, keys: Path) -> list[Opened]:
    """Every text anywhere that a private key unwraps, for any person of the journey."""
    people = [journey.person_id, "juniper", *(row["_id"] for row in journey.services.matching.db.coordinators.find())]
    vaults = {name: vault.load_vault(keys, name) for name in RECEIVERS}
    found = []
    for where, row in journey.services.rows():
        for text in set(texts_in(row)):
            for by, holder in vaults.items():
                for person_id in people:
                    with suppress(DecryptionError):
                        found.append(Opened(where, by, holder.unwrap(text, person_id)))
    return found


def contents_opened_by(journey: Journey, data_keys: set[bytes]) -> set[str]:
    """What these keys open, whatever the field's name is, of everything that is stored about the supportee."""
    notes = [vault.note_field(row["_id"]) for row in journey.services.matching.db.notes.find()]
    texts = {text for _, row in journey.services.rows() for text in texts_in(row)}
    return set(_contents(journey.person_id, data_keys, [*FIELDS, *notes], texts))


def _contents(person_id: str, data_keys: set[bytes], names: list[str], texts: set[str]) -> Iterator[str]:
    for text in texts:
        for key in data_keys:
            for name in names:
                with suppress(DecryptionError):
                    yield vault.decrypt(key, person_id, name, text)


def test_who_opens_which_wrap_in_the_three_databases(journey: Journey, keys: Path) -> None:
    own, words = journey.draft.key, vault.words_key(journey.draft.key)
    match_id = journey.request().status.match_id
    assert match_id
    purposes = {own: "own", words: "words", vault.contact_key(own): "contact", vault.pair_key(words, match_id): "pair"}
    table = {(one.where, one.by, purposes.get(one.key, "one event's")) for one in opened_wraps(journey, keys)}
    assert table == {
        ("intake.outbox", "matching", "words"),
        ("intake.outbox", "notify", "contact"),
        ("intake.outbox", "notify", "one event's"),  # the link that was asked for
        ("matching.requests", "matching", "words"),
        ("matching.matches", "matching", "pair"),
        ("matching.outbox", "notify", "one event's"),  # links and contacts of the team
        ("matching.practitioners", "notify", "one event's"),  # a practitioner's address, kept to be sent on
        ("notify.contacts", "notify", "contact"),
        ("notify.contacts", "notify", "one event's"),  # the team's
        ("notify.notifications", "notify", "one event's"),  # links of one notification
    }


def test_the_key_of_matching_opens_words_and_notes_and_no_address(journey: Journey, keys: Path) -> None:
    opened = contents_opened_by(journey, {one.key for one in opened_wraps(journey, keys) if one.by == "matching"})
    assert opened == WORDS | {QUESTION, REPLY} | PAIR


def test_the_key_of_notify_opens_addresses_and_no_word(journey: Journey, keys: Path) -> None:
    opened = contents_opened_by(journey, {one.key for one in opened_wraps(journey, keys) if one.by == "notify"})
    links = {text for text in opened if text.startswith("https://kt.example/")}
    assert opened - links == {"sentinel@people.example", "+12025550187", "SENTINEL name"}  # known_as: how a letter greets


def test_neither_opens_the_own_copy_that_its_person_opens(journey: Journey, keys: Path) -> None:
    assert journey.draft.key not in {one.key for one in opened_wraps(journey, keys)}
    assert own_answers(journey.request(), journey.draft.key) == TYPED
    assert [note.words for note in own_notes(journey.request(), journey.draft.key)] == [QUESTION, REPLY, AFTER, BACK]


def test_what_belongs_to_the_pair_outlives_the_words(journey: Journey, keys: Path) -> None:
    """The words' wrap goes: the two still know each other's name and read their notes, and nothing else opens any more."""
    matching = journey.services.matching
    matching.db.requests.update_one({"_id": journey.draft.request_id}, {"$unset": {"encrypted": 1}})
    journey.services.intake.db.outbox.delete_many({})
    opened = contents_opened_by(journey, {one.key for one in opened_wraps(journey, keys) if one.by == "matching"})
    assert opened == PAIR
    [row] = matching.db.offers.find({"request_id": journey.draft.request_id})
    offer = reading.offer_of(row["_id"], "juniper", matching.db)
    assert offer
    view = reading.view_offer(offer, matching.db)
    assert view.words == {"name": "SENTINEL name", "pronouns": "SENTINEL pronouns", "access": "SENTINEL access"}
    assert [note.words for note in view.notes] == [AFTER, BACK]
    me = reading.view_practitioner("juniper", matching.db)
    assert me
    assert [one.name for one in me.matched] == ["SENTINEL name"]


def test_both_can_still_write_when_the_words_are_gone(journey: Journey) -> None:
    matching = journey.services.matching
    matching.db.requests.update_one({"_id": journey.draft.request_id}, {"$unset": {"encrypted": 1}})
    [row] = matching.db.offers.find({"request_id": journey.draft.request_id})
    matching.run(practitioner.write_to_supportee, practitioner.WriteToSupportee(offer_id=row["_id"], words="SENTINEL later"))
    journey.services.deliver()
    journey.writes("n3", "SENTINEL thanks")
    offer = reading.offer_of(row["_id"], "juniper", matching.db)
    assert offer
    assert [note.words for note in reading.view_offer(offer, matching.db).notes][-2:] == ["SENTINEL later", "SENTINEL thanks"]
    assert [note.words for note in own_notes(journey.request(), journey.draft.key)][-2:] == ["SENTINEL later", "SENTINEL thanks"]
