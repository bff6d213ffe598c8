"""One person's whole journey through the three services, and what each private key opens of what is stored afterwards."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from services.intake import forms, store
from services.intake.domain import Draft, Request, TypedAnswers
from services.intake.handlers.access import NoteKeys
from services.intake.handlers.agreements import WriteAgreement, write_agreement
from services.intake.handlers.supportee import (
    SubmitRequest,
    WriteNote,
    new_draft,
    prepare_code_words,
    submit_request,
    write_note,
)
from services.intake.handlers.way_in import SendLink, send_link
from services.matching.handlers import practitioner
from services.matching.handlers.coordinator import (
    GoOn,
    OpenRequest,
    ReleaseContact,
    let_go_on,
    record_opening,
    release_contact,
    write_profile,
)
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
AGREED = '{"helps": "SENTINEL helps"}'
PAIR = {AFTER, BACK, AGREED, "SENTINEL name", "SENTINEL pronouns", "SENTINEL access"}
FIELDS = (
    "answers", "draft", "code_words", "name", "pronouns", "words", "avoid_words", "access", "anything", "before_we_write",
    "language_other", "email", "phone", "link", "short_link", "known_as",
    "agreement/t1",
)  # fmt: skip


@dataclass
class Journey:
    services: Services
    draft: Draft

    @property
    def person_id(self) -> str:
        return self.draft.person_id

    @property
    def note_keys(self) -> NoteKeys:
        return NoteKeys(vault.words_key(self.draft.key), {})

    def request(self) -> Request:
        found = store.request(self.services.intake.db, self.draft.request_id)
        assert found
        return found

    def writes(self, note_id: str, words: str) -> None:
        self.services.intake.run(write_note, WriteNote(self.draft.request_id, self.note_keys, note_id, words, "juniper"))
        self.services.deliver()

    def writes_down_what_they_agree_on(self) -> None:
        [match] = self.services.matching.db.matches.find()
        about = {"request_id": self.draft.request_id, "person_id": self.person_id, "match_id": match["_id"]}
        command = WriteAgreement(**about, keys=self.note_keys, text_id="t1", sections=json.loads(AGREED))
        self.services.intake.run(write_agreement, command)
        self.services.deliver()


def walk(
    intake: Service, matching: Service, notify: Service, typed: dict[int, TypedAnswers] = TYPED, *, agree: bool = True
) -> Journey:
    """Every field is filled in; asked first, answered, yes, a note each, something that they agree on; everybody asked for a link
    to sign in."""
    services = Services(intake, matching, notify)
    matching.run(write_profile, a_profile("juniper", phone="+12025550188"))
    matching.run(add_coordinator, AddCoordinator(name="Ro", email="ro@example.org", time_zone="UTC"))
    services.deliver()
    draft = prepare_code_words(replace(new_draft(), typed=typed), "en")
    answers, _ = forms.read_all(typed, "America/New_York")
    assert answers
    assert draft.code_words
    session = new_session("supportee", draft.person_id, subject_id=draft.request_id, key=draft.key, lasts=timedelta(days=1))
    command = SubmitRequest(draft, draft.code_words, answers, "en", session)
    intake.run(submit_request, command, idempotency_key=f"request/{draft.request_id}")
    services.deliver()
    matching.run(record_opening, OpenRequest(coordinator_id="ro", request_id=draft.request_id))
    released = ReleaseContact(coordinator_id="ro", request_id=draft.request_id, on_their_word=False)
    assert matching.run(release_contact, released)
    assert matching.run(let_go_on, GoOn(coordinator_id="ro", request_id=draft.request_id))
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
    if agree:
        made.writes_down_what_they_agree_on()
    intake.run(send_link, SendLink("sentinel@people.example"))
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
