"""What code words, a link or a session open. Reading only: nothing is changed, so nothing is run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.intake import code_words, store
from services.intake.domain import Draft, EncryptedNote, Note, Opening, Request, TypedAnswers
from services.intake.handlers.service import service
from shared import vault
from shared.clock import now
from shared.sessions import Session
from shared.vault import DecryptionError


@dataclass(frozen=True, repr=False)
class RequestAccess:
    """`key`: the person's own key, which code words bring; a link brings `note_keys` at most, as a session has them."""

    person_id: str
    request_id: str
    key: bytes | None
    note_keys: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class NoteKeys:
    """What somebody was let in with, for their notes."""

    words: bytes | None
    matches: Mapping[str, bytes]

    def of(self, match_id: str | None) -> bytes | None:
        """The key of the notes of this match, or of those without one."""
        if self.words:
            return vault.note_key(self.words, match_id)
        return self.matches.get(match_id) if match_id else None


def note_keys(session: Session) -> NoteKeys:
    words = vault.words_key(session.key) if session.key else session.note_keys.get("words")
    return NoteKeys(words, session.note_keys)


def by_code_words(words: str) -> RequestAccess | Draft | None:
    """Their request, or the draft that they have not sent yet. Slow, whether the words are right or not. Raises TooBusy."""
    keys = code_words.derive_keys_from_words(words, service.vault.secret)
    code = store.code(service.db, keys.id)
    if code is None:
        return None
    key = vault.unwrap_under(keys.secret, code.person_id, code.wrap)
    request = store.request_of(service.db, code.person_id)
    if request:
        return RequestAccess(request.person_id, request.id, key)
    return store.draft(service.db, code.person_id, key)


def own_answers(request: Request, key: bytes) -> dict[int, TypedAnswers]:
    """Question -> what was typed; empty once they left."""
    if not request.encrypted_answers:
        return {}
    typed = json.loads(vault.decrypt(key, request.person_id, "answers", request.encrypted_answers))
    return {int(question): answers for question, answers in typed.items()}


def own_code_words(request: Request, key: bytes) -> str:
    """The words, for as long as they may be shown again; then nothing."""
    until, encrypted = request.code_words_until, request.encrypted_code_words
    if not encrypted or not until or until <= now():
        return ""
    return vault.decrypt(key, request.person_id, "code_words", encrypted)


def own_notes(request: Request, keys: NoteKeys) -> list[Note]:
    """The notes between them and others that these keys open, oldest first."""
    oldest_first = sorted(request.notes, key=lambda note: note.at)
    return [_opened(note, key, request) for note in oldest_first if (key := keys.of(note.match_id))]


def _opened(note: EncryptedNote, key: bytes, request: Request) -> Note:
    words = vault.decrypt(key, request.person_id, vault.note_field(note.id), note.encrypted)
    return Note(id=note.id, at=note.at, author=note.author, reader=note.reader, coordinator_id=note.coordinator_id, words=words)


def own_openings(request: Request, keys: NoteKeys) -> list[tuple[str, datetime]]:
    """Which coordinator opened their request, and when, the newest first. The name is empty where no key opens it."""
    newest_first = sorted(request.openings, key=lambda opening: opening.at, reverse=True)
    return [(_name_of(request, keys.of(opening.match_id), opening), opening.at) for opening in newest_first]


def _name_of(request: Request, key: bytes | None, opening: Opening) -> str:
    try:
        return (
            vault.decrypt(key, request.person_id, f"opening/{opening.id}", opening.encrypted) if key and opening.encrypted else ""
        )
    except DecryptionError:
        return ""
