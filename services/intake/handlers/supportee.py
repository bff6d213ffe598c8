"""What a supportee does. What they wrote is encrypted here, for whoever must read it; what is slow (code words) is prepared
before the transaction.

Intake holds no private key. It can read a draft or a request only with the person's own key, which comes with a visit: from
their cookie, by their code words, or by the link in their e-mail.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from services.intake import code_words, lifetimes, store
from services.intake.domain import AccessCode, AccessLink, Answers, CodeWords, Draft, EncryptedNote, Request, SharedNotes
from services.intake.handlers.access import NoteKeys
from services.intake.handlers.service import service
from services.intake.rules import NextChoice, NextStep, Pace, no_longer_open
from shared import sessions, vault
from shared.clock import now
from shared.contracts import (
    ChoiceMade,
    ContactAllowed,
    ContactShared,
    EncryptedFields,
    MatchHoldChanged,
    MatchLeavingUndone,
    MatchLeft,
    NoteAnswered,
    NoteReader,
    NotesReleased,
    NotesShared,
    RequestExtended,
    RequestSubmitted,
)
from shared.messages import Event
from shared.mongo import Db
from shared.sessions import NewSession
from shared.tokens import digest, new_token

MINUTES_TO_SHOW_CODE_WORDS = 30
LETTER_LINK_LASTS = timedelta(days=14)
CODED_FOR_MATCHING = ("mode", "choices", "avoid", "languages", "meeting_types", "parts", "time_zone", "help", "age_group")
WRITTEN_FOR_MATCHING = (
    "name", "pronouns", "words", "avoid_words", "access", "anything", "before_we_write", "language_other",
)  # fmt: skip


def new_draft() -> Draft:
    return Draft(person_id=str(uuid.uuid4()), request_id=str(uuid.uuid4()), key=vault.new_key(), begun_at=now())


def prepare_code_words(draft: Draft, language: str) -> Draft:
    """The draft with code words, made once. Slow: call it before `service.run`. Raises TooBusy."""
    if draft.code_words:
        return draft
    words = code_words.new_code_words(language)
    keys = code_words.derive_keys_from_words(words, service.vault.secret)
    wrap = vault.wrap_under(keys.secret, draft.person_id, draft.key)
    return replace(draft, code_words=CodeWords(words=words, id=keys.id, wrap=wrap))


def save_draft(draft: Draft, db: Db) -> list[Event]:
    expires_at = now() + timedelta(days=service.programme.draft_days)
    saved = store.save_draft(db, draft, expires_at)
    if saved and draft.code_words and draft.code_words.saved:
        store.save_code(db, _access_code(draft, draft.code_words, expires_at))
    return []


def erase_draft(person_id: str, db: Db) -> list[Event]:
    store.delete_draft(db, person_id)
    store.delete_codes(db, person_id)
    sessions.end_all(db, person_id)
    return []


class NoLongerOpen(Exception):
    """Somebody they chose cannot be asked right now, and they do not know that yet."""


@dataclass(frozen=True, repr=False)
class SubmitRequest:
    """`language`: of the page, for notifications. `session`: by which they see their request from now on. `told`: who cannot be
    asked right now, as their page said. `held`: it came in a flood."""

    draft: Draft
    code_words: CodeWords
    answers: Answers
    language: str
    session: NewSession
    told: frozenset[str] = frozenset()
    held: bool = False

    @property
    def chosen(self) -> list[str]:
        return [choice.practitioner_id for choice in self.answers.choices]


def submit_request(command: SubmitRequest, db: Db) -> list[Event]:
    """Raises NoLongerOpen."""
    if set(no_longer_open(command.answers.choices, store.states_of(db, command.chosen))) - command.told:
        raise NoLongerOpen
    draft, token = command.draft, _token_of_first_email(command.answers)
    request = _request(command)
    store.add_request(db, request)
    store.save_code(db, _access_code(draft, command.code_words), is_new=not command.code_words.saved)
    if token:
        store.add_link(db, _first_link(draft, token))
    store.delete_draft(db, draft.person_id)
    sessions.save(db, command.session)
    submitted = _request_submitted(draft, command.answers, command.language)
    hear_by, person_writes = request.hear_by(service.programme.answer_days), request.mode == "reach_out"
    contact = replace(contact_shared(command, token), held=command.held, hear_by=hear_by, person_writes=person_writes)
    return [replace(submitted, held=command.held), contact]


def _token_of_first_email(answers: Answers) -> str | None:
    return new_token() if "email" in answers.channels and "ask_words" not in answers.safely else None


def _request(command: SubmitRequest) -> Request:
    """As it is kept: their own copy of what they typed is under their key alone."""
    draft, answers = command.draft, command.answers
    own = {"answers": json.dumps(draft.typed), "code_words": command.code_words.words}
    encrypted, moment = vault.encrypt_fields(draft.key, draft.person_id, own), now()
    request = Request(
        id=draft.request_id,
        person_id=draft.person_id,
        mode=answers.mode,
        choices=tuple(command.chosen),
        language=command.language,
        time_zone=answers.time_zone,
        sent_at=moment,
        silent_since=moment,
        pace=answers.pace,
        encrypted_answers=encrypted["answers"],
        encrypted_code_words=encrypted["code_words"],
        code_words_until=now() + timedelta(minutes=MINUTES_TO_SHOW_CODE_WORDS),
        email_index=address_index("email", answers.email_address),
        phone_index=address_index("phone", answers.phone_number),
        unread=needs_reading(answers),
        on_their_word="on_their_word" in answers.safely,
        names_somebody=bool(answers.avoid_words.strip()),
        asks_for_words="ask_words" in answers.safely,
        texts_are_safe="texts_safe" in answers.safely,
        held=command.held,
    )
    return replace(request, next_look_at=lifetimes.next_look(request, moment))


def _access_code(draft: Draft, words: CodeWords, expires_at: datetime | None = None) -> AccessCode:
    return AccessCode(id=words.id, person_id=draft.person_id, wrap=words.wrap, expires_at=expires_at)


def _first_link(draft: Draft, token: str) -> AccessLink:
    """Of the first e-mail: like every other it opens the state and the notes, and never their own copy."""
    wrap = vault.wrap_under(vault.link_secret(token), draft.person_id, vault.words_key(draft.key))
    return AccessLink(
        id=digest(token),
        purpose="letter",
        subject_id=draft.request_id,
        person_id=draft.person_id,
        expires_at=now() + LETTER_LINK_LASTS,
        note_wraps={"words": wrap},
    )


def words_for_matching(draft: Draft, answers: Answers) -> EncryptedFields:
    written = {name: getattr(answers, name).strip() for name in WRITTEN_FOR_MATCHING}
    return service.vault.encrypt_for("matching", draft.person_id, written, vault.words_key(draft.key))


def _request_submitted(draft: Draft, answers: Answers, language: str) -> RequestSubmitted:
    coded: dict[str, Any] = {name: getattr(answers, name) for name in CODED_FOR_MATCHING}
    return RequestSubmitted(
        request_id=draft.request_id,
        supportee_id=draft.person_id,
        submitted_at=now(),
        encrypted=words_for_matching(draft, answers),
        page_language=language,
        person_index=person_index(answers),
        **coded,
    )


class FromAnswers(Protocol):
    """What a contact is made of."""

    @property
    def draft(self) -> Draft: ...

    @property
    def answers(self) -> Answers: ...

    @property
    def language(self) -> str: ...


def contact_shared(command: FromAnswers, token: str | None) -> ContactShared:
    """`token`: of the link in the first e-mail; None: there is none, or it has left long ago."""
    draft, answers = command.draft, command.answers
    known_as = "" if answers.no_name else answers.greet_as.strip() or answers.name.strip()
    contact = {"email": answers.email_address, "phone": answers.phone_number, "known_as": known_as}
    link = {"link": f"{service.public_url}/s/in/{token}"}
    return ContactShared(
        person_id=draft.person_id,
        request_id=draft.request_id,
        version=1,
        channels=answers.channels,
        language=command.language,
        time_zone=answers.time_zone,
        quiet_from=answers.quiet_from,
        quiet_until=answers.quiet_until,
        encrypted=_encrypted_contact(draft, contact if answers.channels else {}),
        only_news="only_news" in answers.safely,
        read_first=needs_reading(answers),
        on_their_word="on_their_word" in answers.safely,
        first_link=service.vault.encrypt_for("notify", draft.person_id, link) if token else None,
        opens_by_link="ask_words" not in answers.safely,
    )


def needs_reading(answers: Answers) -> bool:
    return bool(answers.before_we_write.strip())


def _encrypted_contact(draft: Draft, contact: Mapping[str, str]) -> EncryptedFields:
    return service.vault.encrypt_for("notify", draft.person_id, contact, vault.contact_key(draft.key))


def address_index(channel: str, address: str) -> str | None:
    return service.vault.blind_index(channel, address.casefold()) if address else None


def person_index(answers: Answers) -> tuple[str, ...]:
    """Of their address and number, for practitioners' own lists; not to be compared with what requests are found by here."""
    addresses = {"email": answers.email_address, "phone": answers.phone_number}
    found = (address_index(f"person/{channel}", address) for channel, address in addresses.items())
    return tuple(index for index in found if index)


def delete_code_words(request_id: str, db: Db) -> list[Event]:
    store.delete_code_words(db, request_id)
    return []


@dataclass(frozen=True)
class ChooseNext:
    """`version`: of the newest event that the page showed when they chose."""

    request_id: str
    version: int
    next: NextStep
    practitioner_id: str | None = None


def choose_next(command: ChooseNext, db: Db) -> list[Event]:
    choice = NextChoice(version=command.version, next=command.next, practitioner_id=command.practitioner_id, at=now())
    if not store.save_choice(db, command.request_id, choice):
        return []
    return [ChoiceMade(request_id=command.request_id, next=command.next, practitioner_id=command.practitioner_id)]


@dataclass(frozen=True)
class EndMeetings:
    """`version`: as above."""

    request_id: str
    version: int
    practitioner_id: str
    then: Literal["someone_else", "wait"]


def end_meetings(command: EndMeetings, db: Db) -> list[Event]:
    """Without a reason. Within a day they may take it back."""
    choice = NextChoice(version=command.version, next="end", practitioner_id=command.practitioner_id, at=now())
    if not store.save_choice(db, command.request_id, choice):
        return []
    return [MatchLeft(request_id=command.request_id, practitioner_id=command.practitioner_id, then=command.then)]


@dataclass(frozen=True)
class UndoEnd:
    request_id: str
    version: int
    practitioner_id: str


def undo_end(command: UndoEnd, db: Db) -> list[Event]:
    choice = NextChoice(version=command.version, next="undo_end", practitioner_id=command.practitioner_id, at=now())
    if not store.save_choice(db, command.request_id, choice):
        return []
    return [MatchLeavingUndone(request_id=command.request_id, practitioner_id=command.practitioner_id)]


def record_sign_of_life(request_id: str, db: Db) -> list[Event]:
    """They opened their page, or did something there."""
    return _keep(request_id, now(), db)


def keep_longer(request_id: str, db: Db) -> list[Event]:
    """They pressed "Yes, keep my request"."""
    return _keep(request_id, now() + lifetimes.KEPT_LONGER, db)


def _keep(request_id: str, silent_since: datetime, db: Db) -> list[Event]:
    request = store.request(db, request_id)
    if request is None or request.ended_at:
        return []
    store.record_sign_of_life(db, request_id, silent_since)
    return [RequestExtended(request_id=request_id, extended_at=now())] if request.gone_silent_at else []


@dataclass(frozen=True)
class ChoosePace:
    request_id: str
    pace: Pace


def choose_pace(command: ChoosePace, db: Db) -> list[Event]:
    """Counted from now, so that nothing comes at once."""
    request, moment = store.request(db, command.request_id), now()
    if request and request.ended_at is None:
        paced = replace(request, pace=command.pace, told_at=moment)
        store.save_look(db, replace(paced, next_look_at=lifetimes.next_look(paced, moment)))
    return []


def allow_writing(request_id: str, db: Db) -> list[Event]:
    """They say on their page that we may write to them now."""
    request = store.request(db, request_id)
    if request is None or not store.mark_allowed(db, request_id):
        return []
    return [ContactAllowed(person_id=request.person_id, request_id=request_id, was_read=not request.unread)]


def allow_writing_unread(request_id: str, db: Db) -> list[Event]:
    """The same where nobody may read what we should know first."""
    request = store.request(db, request_id)
    if request is None or not store.mark_allowed_unread(db, request_id):
        return []
    return [ContactAllowed(person_id=request.person_id, request_id=request_id, was_read=False, without_reading=True)]


@dataclass(frozen=True, repr=False)
class WriteNote:
    """`keys`: from their session. `reader`: the practitioner who reads it; None: the coordinators. `coordinator_id`: only this
    one of them."""

    request_id: str
    keys: NoteKeys
    note_id: str
    words: str
    reader: str | None = None
    coordinator_id: str | None = None


def write_note(command: WriteNote, db: Db) -> list[Event]:
    request = store.request(db, command.request_id)
    if request is None:
        return []
    match_id = request.status.match_id
    key = command.keys.of(match_id)
    if key is None:
        return []
    encrypted = vault.encrypt(key, request.person_id, vault.note_field(command.note_id), command.words)
    note = EncryptedNote(
        id=command.note_id,
        encrypted=encrypted,
        at=now(),
        author="supportee",
        reader=command.reader,
        coordinator_id=command.coordinator_id,
        match_id=match_id,
    )
    if not store.add_note(db, request.id, note):
        return []
    to: NoteReader = "practitioner" if command.reader else "coordinators"
    answered = NoteAnswered(note_id=note.id, request_id=request.id, encrypted=note.encrypted, match_id=match_id, to=to)
    return [replace(answered, coordinator_id=note.coordinator_id)]


def release_notes(request_id: str, db: Db) -> list[Event]:
    """Any coordinator may read what they wrote to one alone."""
    return [NotesReleased(request_id=request_id)] if store.release_notes(db, request_id) else []


@dataclass(frozen=True)
class ShareNotes:
    request_id: str
    practitioner_id: str


def share_notes(command: ShareNotes, db: Db) -> list[Event]:
    """Coordinators may read what the two have written to each other so far."""
    shared = SharedNotes(practitioner_id=command.practitioner_id, by="supportee", at=now())
    store.add_shared_notes(db, command.request_id, shared)
    return [NotesShared(request_id=command.request_id, practitioner_id=command.practitioner_id)]


@dataclass(frozen=True)
class ChangeHold:
    request_id: str
    match_id: str
    on_hold: bool


def change_hold(command: ChangeHold, db: Db) -> list[Event]:
    """They take a pause from their meetings, or come back. Their place stays theirs."""
    change = store.change_hold(db, command.request_id, command.match_id, on_hold=command.on_hold)
    if change is None:
        return []
    held = MatchHoldChanged(request_id=command.request_id, match_id=command.match_id, on_hold=command.on_hold, change=change)
    return [held]
