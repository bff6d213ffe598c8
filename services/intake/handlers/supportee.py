"""What a supportee does. Encryption happens here; what is slow (code words) is prepared before the transaction."""

import uuid
from dataclasses import dataclass, replace

from services.intake import code_words, encryption, store
from services.intake.domain import AccessLink, Answers, CodeWords, Draft
from services.intake.handlers.service import service
from services.intake.rules import DAYS_TO_KEEP_A_REQUEST, NextChoice, NextStep
from shared import vault
from shared.clock import now
from shared.contracts import ChoiceMade, NoteAnswered, RequestWithdrawn, SignInRequested
from shared.messages import Event
from shared.mongo import Db
from shared.tokens import digest, new_token

MINUTES_TO_SHOW_CODE_WORDS = 30
DAYS_A_SIGN_IN_LINK_WORKS = 1


def new_draft() -> Draft:
    return Draft(person_id=str(uuid.uuid4()), request_id=str(uuid.uuid4()), key=vault.new_key())


def prepare_code_words(draft: Draft, language: str) -> Draft:
    """The draft with code words, made once. Slow: call it before `service.run`. Raises TooBusy."""
    if draft.code_words:
        return draft
    words = code_words.new_code_words(language)
    keys = code_words.derive_keys_from_words(words, service.vault.secret)
    wrap = vault.wrap_under(keys.secret, draft.person_id, draft.key)
    return replace(draft, code_words=CodeWords(words=words, id=keys.id, wrap=wrap))


@dataclass(frozen=True, repr=False)
class SaveDraft:
    """`code_words`: prepared when the person wants to come back by them."""

    draft: Draft
    code_words: CodeWords | None = None


def save_draft(command: SaveDraft, db: Db) -> list[Event]:
    expires_at = store.in_days(service.programme.draft_days)
    store.save_draft(db, encryption.encrypt_draft(command.draft, expires_at))
    if command.code_words:
        store.save_code(db, encryption.access_code(command.draft, command.code_words, expires_at))
    return []


def erase_draft(person_id: str, db: Db) -> list[Event]:
    store.delete_draft(db, person_id)
    store.delete_codes(db, person_id)
    return []


@dataclass(frozen=True, repr=False)
class SubmitRequest:
    """`language`: of the page, for letters."""

    draft: Draft
    code_words: CodeWords
    answers: Answers
    language: str


def submit_request(command: SubmitRequest, db: Db) -> list[Event]:
    draft, answers, token = command.draft, command.answers, new_token()
    expires_at = store.in_days(DAYS_TO_KEEP_A_REQUEST)
    request = encryption.encrypt_request(
        draft,
        command.code_words,
        answers,
        service.vault,
        language=command.language,
        expires_at=expires_at,
        code_words_until=store.in_days(MINUTES_TO_SHOW_CODE_WORDS / (24 * 60)),
    )
    store.add_request(db, request)
    store.save_code(db, encryption.access_code(draft, command.code_words, expires_at))
    store.save_link(db, encryption.access_link(draft, token, expires_at))
    store.delete_draft(db, draft.person_id)
    return [
        encryption.request_submitted(draft, answers, service.vault),
        encryption.contact_shared(draft, answers, service.vault, _link(token), command.language),
    ]


def delete_code_words(request_id: str, db: Db) -> list[Event]:
    store.delete_code_words(db, request_id)
    return []


@dataclass(frozen=True, repr=False)
class SendSignInLink:
    """One of the two, in its normalized form."""

    email: str = ""
    phone: str = ""


def send_sign_in_link(command: SendSignInLink, db: Db) -> list[Event]:
    """The same work whether somebody here has that address or not, up to the moment when something must be written."""
    channel, address = ("email", command.email) if command.email else ("phone", command.phone)
    index = encryption.address_index(service.vault, channel, address)
    request = store.newest_request_at(db, channel, index) if index else None
    person_id, token = request.person_id if request else str(uuid.uuid4()), new_token()
    encrypted = encryption.encrypt_for("notify", person_id, vault.new_key(), {"link": _link(token)}, service.vault)
    if request is None:
        return []
    expires_at = store.in_days(DAYS_A_SIGN_IN_LINK_WORKS)
    store.save_link(
        db,
        AccessLink(token_digest=digest(token), request_id=request.id, person_id=person_id, expires_at=expires_at),
    )
    return [SignInRequested(person_id=person_id, encrypted=encrypted)]


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


def withdraw_request(request_id: str, db: Db) -> list[Event]:
    return [RequestWithdrawn(request_id=request_id)] if store.mark_withdrawn(db, request_id) else []


@dataclass(frozen=True, repr=False)
class WriteNote:
    """`key`: the person's data key, from their session."""

    request_id: str
    key: bytes
    note_id: str
    words: str


def write_note(command: WriteNote, db: Db) -> list[Event]:
    request = store.request(db, command.request_id)
    if request is None:
        return []
    note = encryption.encrypt_note(request, command.key, command.words, command.note_id)
    if not store.add_note(db, request.id, note):
        return []
    return [NoteAnswered(note_id=note.id, request_id=request.id, encrypted=note.encrypted)]


def _link(token: str) -> str:
    return f"{service.public_url}/s/in/{token}"
