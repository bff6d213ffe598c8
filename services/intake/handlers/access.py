"""What code words, a link or a session open. Reading only: nothing is changed, so nothing is run."""

import json
from dataclasses import dataclass
from datetime import datetime

from services.intake import code_words, store
from services.intake.domain import Draft, EncryptedNote, Note, Opening, Request, TypedAnswers
from services.intake.handlers.service import service
from shared import vault
from shared.clock import now
from shared.vault import DecryptionError


@dataclass(frozen=True, repr=False)
class RequestAccess:
    """`key`: the person's own key; None when the link opens the state of the request only."""

    person_id: str
    request_id: str
    key: bytes | None


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


def by_link(token: str) -> RequestAccess | None:
    link = store.link(service.db, token)
    if link is None or store.request(service.db, link.subject_id) is None:
        return None
    key = vault.unwrap_under(token, link.person_id, link.wrap) if link.wrap else None
    return RequestAccess(link.person_id, link.subject_id, key)


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


def own_notes(request: Request, key: bytes) -> list[Note]:
    """The notes between them and others, oldest first."""
    oldest_first = sorted(request.notes, key=lambda note: note.at)
    return [
        Note(
            id=note.id,
            at=note.at,
            author=note.author,
            reader=note.reader,
            words=_own(request, key, vault.note_field(note.id), note),
        )
        for note in oldest_first
    ]


def own_openings(request: Request, key: bytes | None) -> list[tuple[str, datetime]]:
    """Which coordinator opened their request, and when, the newest first. The name is empty where no key opens it."""
    newest_first = sorted(request.openings, key=lambda opening: opening.at, reverse=True)
    return [(_name_of(request, key, opening), opening.at) for opening in newest_first]


def _name_of(request: Request, key: bytes | None, opening: Opening) -> str:
    try:
        return _own(request, key, f"opening/{opening.id}", opening) if key and opening.encrypted else ""
    except DecryptionError:
        return ""


def _own(request: Request, key: bytes, field: str, what: EncryptedNote | Opening) -> str:
    opens = vault.note_key(vault.words_key(key), what.match_id)
    return vault.decrypt(opens, request.person_id, field, what.encrypted or "")
