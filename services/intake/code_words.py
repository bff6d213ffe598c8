"""Seven code words instead of an account: some 77 bits that a person can copy by hand.

Argon2id makes 64 bytes of them. The digest of the first half finds the stored code; the second half, which is stored nowhere,
unwraps the person's own key. Unknown, wrong and erased words cost the same work and get the same answer.
"""

import base64
import hashlib
import hmac
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw

from shared.vault import derive_key

WORDS_IN_A_CODE = 7
MEMORY_KIB, PASSES, BYTES = 32 * 1024, 2, 64
SECONDS_TO_WAIT = 5
_running = threading.BoundedSemaphore(2)  # sixteen unbounded ones took 10 s and 1 GiB


class TooBusy(Exception):
    """Too many code words are looked up at this moment; trying again in a little while is right."""


@dataclass(frozen=True, repr=False)
class CodeKeys:
    """`id` finds the stored code, `secret` unwraps the person's own key."""

    id: str
    secret: str


def new_code_words(language: str) -> str:
    return " ".join(secrets.choice(word_list(language)) for _ in range(WORDS_IN_A_CODE))


@cache
def word_list(language: str) -> tuple[str, ...]:
    file = Path(__file__).parent / "words" / f"{language}.txt"
    return tuple(line for line in file.read_text().splitlines() if not line.startswith("#"))


def derive_keys_from_words(words: str, service_secret: str) -> CodeKeys:
    """Slow on purpose (some 50 ms, 32 MiB): never inside a transaction. Raises TooBusy."""
    pepper = derive_key(service_secret, "code-words")
    mixed = hmac.new(pepper, normalized(words).encode(), hashlib.sha256).digest()
    if not _running.acquire(timeout=SECONDS_TO_WAIT):
        raise TooBusy
    try:
        raw = hash_secret_raw(mixed, pepper, PASSES, MEMORY_KIB, 1, BYTES, Type.ID)
    finally:
        _running.release()
    return CodeKeys(hashlib.sha256(raw[:32]).hexdigest(), base64.b64encode(raw[32:]).decode())


def normalized(words: str) -> str:
    """However it was typed or pasted: capitals, accents, spaces and hyphens make no difference."""
    letters = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in letters if letter.isalpha())[:200]
