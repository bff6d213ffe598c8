"""Six code words instead of an account: 77 bits that a person can copy by hand.

Argon2id makes 64 bytes of them. The first half's digest finds the row; the second half, which is stored nowhere, unwraps the
person's data key. Unknown, wrong and erased words cost the same work and get the same answer.
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

HOW_MANY = 6
MEMORY_KIB, TIMES, BYTES = 32 * 1024, 2, 64
SECONDS_TO_WAIT_FOR_A_TURN = 5
_turns = threading.BoundedSemaphore(2)  # sixteen unbounded ones took 10 s and 1 GiB


class TooBusy(Exception):
    """Too many people look for their codes at this moment; trying again in a little while is right."""


@dataclass(frozen=True, repr=False)
class Stretched:
    id: str
    secret: str


def new_words(language: str) -> str:
    return " ".join(secrets.choice(words_in(language)) for _ in range(HOW_MANY))


@cache
def words_in(language: str) -> tuple[str, ...]:
    file = Path(__file__).parent / "words" / f"{language}.txt"
    return tuple(line for line in file.read_text().splitlines() if not line.startswith("#"))


def stretch(words: str, service_secret: str) -> Stretched:
    pepper = derive_key(service_secret, "code-words")
    mixed = hmac.new(pepper, plain(words).encode(), hashlib.sha256).digest()
    if not _turns.acquire(timeout=SECONDS_TO_WAIT_FOR_A_TURN):
        raise TooBusy
    try:
        raw = hash_secret_raw(mixed, pepper, TIMES, MEMORY_KIB, 1, BYTES, Type.ID)
    finally:
        _turns.release()
    return Stretched(hashlib.sha256(raw[:32]).hexdigest(), base64.b64encode(raw[32:]).decode())


def plain(words: str) -> str:
    """However it was typed or pasted: capitals, accents, spaces and hyphens make no difference."""
    letters = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in letters if letter.isalpha())[:200]
