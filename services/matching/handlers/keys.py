"""Which keys open what a supportee wrote, for matching: the words' key, and the key of each match (shared/vault.py).

What is under the words' key ends with the words, a week after a yes; what two people need while they meet is under the key of
their match.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.matching.domain import Match, Request
from services.matching.handlers.service import service
from shared import vault
from shared.contracts import EncryptedFields
from shared.vault import DecryptionError

KEPT_WITH_MATCH = ("name", "pronouns", "access", "language_other")
Keys = Mapping[str | None, bytes]
"""Match id -> its key; None -> the words' key. What cannot be opened is not in it."""


def encrypt_for_match(request: Request, match_id: str) -> EncryptedFields | None:
    """What the two need while they meet. None when the words cannot be opened any more."""
    words = open_keys(request).get(None)
    if words is None or request.encrypted is None:
        return None
    kept = _opened(words, request.encrypted, KEPT_WITH_MATCH)
    return service.vault.encrypt_for("matching", request.supportee_id, kept, vault.pair_key(words, match_id))


def open_keys(request: Request, matches: Iterable[Match] = ()) -> Keys:
    encrypted: dict[str | None, EncryptedFields | None] = {None: request.encrypted}
    encrypted |= {match.id: match.encrypted for match in matches}
    found = {id: _unwrapped(fields) for id, fields in encrypted.items() if fields}
    return {id: key for id, key in found.items() if key}


def fields_of(request: Request, match: Match | None, names: Sequence[str]) -> dict[str, str]:
    """From their words while those are there, else what was kept with the match."""
    fields = request.encrypted or (match.encrypted if match else None)
    key = _unwrapped(fields) if fields else None
    try:
        return _opened(key, fields, names) if key and fields else {}
    except DecryptionError:
        return {}


def _opened(key: bytes, encrypted: EncryptedFields, names: Sequence[str]) -> dict[str, str]:
    wanted = {name: encrypted.fields[name] for name in names if name in encrypted.fields}
    return vault.decrypt_fields(key, encrypted.person_id, wanted)


def _unwrapped(encrypted: EncryptedFields) -> bytes | None:
    try:
        return service.vault.unwrap(encrypted.wrap, encrypted.person_id)
    except DecryptionError:
        return None
