"""Encryption. The only module that touches cryptography primitives.

Each person has one random key of their own, and a data key for each purpose derived from it, one way (HKDF-SHA256):

    own       their own copy of what they wrote; wrapped under secrets that only they hold (cookie, code words, link)
    words     own -> words: name, words and what is written before a match; wrapped for matching
    contact   own -> contact: addresses; wrapped for notify
    pair      words -> pair/<match id>: what belongs to one match, its notes among it; wrapped for matching, so that it lives on
              when the words' wrap is gone

Fields are encrypted with AES-256-GCM, with the person's id and the field's name as associated data: a value moved to another
person or field does not decrypt. A wrap for a service is HPKE (RFC 9180, X25519, HKDF-SHA256, AES-256-GCM) to its public key.
Encrypted values are base64url text; their first byte is the format's version.

It protects a copy of one service's database, queue or log. It does not protect a server that is taken with its keys.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.contracts import EncryptedFields

VERSION = b"\x01"
KEY_BYTES = 32
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class DecryptionError(ValueError):
    """Wrong key, wrong person, wrong field, or an erased person: all alike."""


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def derive_key(secret: str, purpose: str) -> bytes:
    """A key that only the holder of a high-entropy secret (cookie, link token, key derived from code words) can make."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"kitchen-table/{purpose}".encode()).derive(secret.encode())


def words_key(own: bytes) -> bytes:
    return _derived(own, "words")


def contact_key(own: bytes) -> bytes:
    return _derived(own, "contact")


def pair_key(words: bytes, match_id: str) -> bytes:
    return _derived(words, f"pair/{match_id}")


def note_key(words: bytes, match_id: str | None) -> bytes:
    """Of a note that belongs to this match, or of one that was written without a match."""
    return pair_key(words, match_id) if match_id else words


def link_secret(token: str) -> str:
    """Under which note keys are wrapped for a link: whoever wraps them need not know the link itself."""
    return _text(derive_key(token, "link"))


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"kitchen-table/data-key/{purpose}".encode()).derive(key)


def encrypt(key: bytes, person_id: str, name: str, text: str) -> str:
    nonce = secrets.token_bytes(12)
    return _text(VERSION + nonce + AESGCM(key).encrypt(nonce, text.encode(), _associated_data(person_id, name)))


def decrypt(key: bytes, person_id: str, name: str, blob: str) -> str:
    raw = _raw(blob)
    try:
        return AESGCM(key).decrypt(raw[1:13], raw[13:], _associated_data(person_id, name)).decode()
    except (InvalidTag, ValueError) as error:
        raise DecryptionError(name) from error


def encrypt_fields(key: bytes, person_id: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {name: encrypt(key, person_id, name, text) for name, text in fields.items() if text}


def decrypt_fields(key: bytes, person_id: str, fields: Mapping[str, str]) -> dict[str, str]:
    return {name: decrypt(key, person_id, name, blob) for name, blob in fields.items()}


def note_field(note_id: str) -> str:
    """The field's name of one note, so that no note can be passed off as another."""
    return f"note/{note_id}"


def agreement_field(text_id: str) -> str:
    """As above, of one version of what two people agree on."""
    return f"agreement/{text_id}"


def look_back_field(who: str) -> str:
    """Of what this one of two people answered, looking back."""
    return f"look_back/{who}"


def wrap_under(secret: str, person_id: str, key: bytes) -> str:
    """Wrap a data key under a secret that only a person holds: cookie, link token, key derived from code words."""
    return encrypt(derive_key(secret, "wrap"), person_id, "data-key", _text(key))


def unwrap_under(secret: str, person_id: str, wrapped: str) -> bytes:
    return _bytes(decrypt(derive_key(secret, "wrap"), person_id, "data-key", wrapped))


@dataclass(frozen=True)
class Vault:
    """The keys that one service holds: every receiver's public key, and at most its own private key.

    `secret` is the service's own high-entropy text, for `derive_key`.
    """

    public: Mapping[str, X25519PublicKey] = field(repr=False)
    private: X25519PrivateKey | None = field(default=None, repr=False)
    index_key: bytes = field(default=b"", repr=False)
    directory_key: bytes = field(default=b"", repr=False)
    secret: str = field(default="", repr=False)

    def wrap(self, key: bytes, person_id: str, to: str) -> str:
        return _text(VERSION + SUITE.encrypt(key, self.public[to], _associated_data(person_id, "data-key")))

    def encrypt_for(self, receiver: str, person_id: str, fields: Mapping[str, str], key: bytes | None = None) -> EncryptedFields:
        """Under this data key or a new one, wrapped for the one service that may decrypt them."""
        key = key or new_key()
        return EncryptedFields(
            person_id=person_id, wrap=self.wrap(key, person_id, receiver), fields=encrypt_fields(key, person_id, fields)
        )

    def unwrap(self, wrapped: str, person_id: str) -> bytes:
        if self.private is None:
            raise DecryptionError("this service holds no private key")
        raw = _raw(wrapped)
        try:
            return SUITE.decrypt(raw[1:], self.private, _associated_data(person_id, "data-key"))
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("data-key") from error

    def decrypt_fields(self, encrypted: EncryptedFields) -> dict[str, str]:
        """What another service encrypted for this one."""
        key = self.unwrap(encrypted.wrap, encrypted.person_id)
        return decrypt_fields(key, encrypted.person_id, encrypted.fields)

    def blind_index(self, purpose: str, value: str) -> str:
        """A keyed hash for look-ups by value. `value` must already be in one canonical form."""
        if not self.index_key:
            raise DecryptionError("this service holds no index key")
        return hmac.new(self.index_key, f"{purpose}/{value}".encode(), hashlib.sha256).hexdigest()

    def encrypt_profile(self, practitioner_id: str, text: str) -> str:
        return encrypt(self.directory_key, practitioner_id, "profile", text)

    def decrypt_profile(self, practitioner_id: str, blob: str) -> str:
        return decrypt(self.directory_key, practitioner_id, "profile", blob)


RECEIVERS = ("matching", "notify")


def generate_keys(folder: Path) -> None:
    """Make whatever key is missing. Each service is given only the files it may have (KEYS_BY_SERVICE)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in RECEIVERS:
        if not (folder / f"{name}.key").exists():
            private = X25519PrivateKey.generate()
            _write(folder / f"{name}.key", _text(private.private_bytes_raw()))
            _write(folder / f"{name}.pub", _text(private.public_key().public_bytes_raw()))
    symmetric = ["directory.key", *(f"{service}.{use}" for service in KEYS_BY_SERVICE for use in ("index", "secret"))]
    for name in symmetric:
        if not (folder / name).exists():
            _write(folder / name, _text(secrets.token_bytes(KEY_BYTES)))


KEYS_BY_SERVICE = {
    "intake": ("matching.pub", "notify.pub", "directory.key", "intake.index", "intake.secret"),
    "matching": ("matching.key", "matching.pub", "notify.pub", "directory.key", "matching.index", "matching.secret"),
    "notify": ("notify.key", "notify.pub", "matching.pub", "notify.index", "notify.secret"),
}


def load_vault(folder: Path, service: str) -> Vault:
    """Raises SystemExit, naming KEYS_DIR and the file, when a key is missing, unreadable or of another size."""
    keys = {name: _read_key(folder / name) for name in KEYS_BY_SERVICE[service]}
    private = keys.get(f"{service}.key")
    return Vault(
        public={name: X25519PublicKey.from_public_bytes(keys[f"{name}.pub"]) for name in RECEIVERS if f"{name}.pub" in keys},
        private=X25519PrivateKey.from_private_bytes(private) if private else None,
        index_key=keys[f"{service}.index"],
        directory_key=keys.get("directory.key", b""),
        secret=_text(keys[f"{service}.secret"]),
    )


def _read_key(file: Path) -> bytes:
    try:
        key = _bytes(file.read_text().strip())
    except OSError:
        raise SystemExit(f"KEYS_DIR: {file.name} is missing or cannot be read; deploy/setup makes it") from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SystemExit(f"KEYS_DIR: {file.name} does not hold a key of {KEY_BYTES} bytes in base64url")
    return key


def _associated_data(person_id: str, name: str) -> bytes:
    return f"{len(person_id)}:{person_id}/{name}".encode()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Raises ValueError at any character that base64url does not have."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _raw(blob: str) -> bytes:
    try:
        raw = _bytes(blob)
    except ValueError as error:
        raise DecryptionError("not an encrypted value") from error
    if raw[:1] != VERSION or len(raw) < 29:
        raise DecryptionError("unknown format")
    return raw


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text + "\n")
