"""What code words, a link or a session open. Reading only: nothing is changed, so nothing is run."""

from dataclasses import dataclass

from services.intake import code_words, encryption, store
from services.intake.domain import Draft
from services.intake.encryption import own_answers, own_code_words, own_notes
from services.intake.handlers.service import service
from shared import vault

__all__ = ["RequestAccess", "by_code_words", "by_link", "own_answers", "own_code_words", "own_notes", "read_draft"]


@dataclass(frozen=True, repr=False)
class RequestAccess:
    """`key`: the person's data key; None when the link opens the state of the request only."""

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
    return read_draft(code.person_id, key)


def by_link(token: str) -> RequestAccess | None:
    link = store.link(service.db, token)
    if link is None:
        return None
    key = vault.unwrap_under(token, link.person_id, link.wrap) if link.wrap else None
    return RequestAccess(link.person_id, link.request_id, key)


def read_draft(person_id: str, key: bytes) -> Draft | None:
    stored = store.draft(service.db, person_id)
    return encryption.decrypt_draft(stored, key) if stored else None
