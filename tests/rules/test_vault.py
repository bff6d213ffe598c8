"""What is encrypted for one person, field or service decrypts nowhere else."""

import hmac
import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import vault
from shared.vault import DecryptionError, Vault

KEY = bytes(range(32))
# AES-256-GCM of "Ana" under KEY, nonce 00..0b, made apart from this module; a new format gets a new version byte.
KNOWN_BLOB = "AQABAgMEBQYHCAkKCwZst4hNHNA9cSrruOiAkjWcABM"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    vault.generate_keys(made)
    return made


@pytest.fixture(scope="module")
def intake(folder: Path) -> Vault:
    return vault.load_vault(folder, "intake")


@pytest.fixture(scope="module")
def matching(folder: Path) -> Vault:
    return vault.load_vault(folder, "matching")


@given(st.text(min_size=1), st.text(min_size=1), st.text())
@settings(max_examples=50)
def test_what_is_encrypted_decrypts_to_the_same_text(person: str, name: str, text: str) -> None:
    assert vault.decrypt(KEY, person, name, vault.encrypt(KEY, person, name, text)) == text


def test_an_encrypted_value_moved_to_another_person_or_field_does_not_decrypt() -> None:
    places = list(itertools.product(["ana", "an", "kai"], ["name", "words", "a/name"]))
    blobs = {place: vault.encrypt(KEY, *place, "words") for place in places}
    for here, there in itertools.permutations(places, 2):
        with pytest.raises(DecryptionError):
            vault.decrypt(KEY, *there, blobs[here])


@given(st.integers(min_value=0))
@settings(max_examples=50)
def test_an_encrypted_value_with_one_changed_character_does_not_decrypt(place: int) -> None:
    blob = vault.encrypt(KEY, "ana", "name", "Ana")
    at = place % (len(blob) - 1)
    changed = blob[:at] + ("A" if blob[at] != "A" else "B") + blob[at + 1 :]
    with pytest.raises(DecryptionError):
        vault.decrypt(KEY, "ana", "name", changed)


def test_a_known_encrypted_value_still_decrypts() -> None:
    assert vault.decrypt(KEY, "ana", "name", KNOWN_BLOB) == "Ana"


def test_intake_wraps_for_matching_and_only_matching_unwraps(intake: Vault, matching: Vault, folder: Path) -> None:
    wrapped = intake.wrap(KEY, "ana", "matching")
    assert matching.unwrap(wrapped, "ana") == KEY
    for other in (intake, vault.load_vault(folder, "notify")):
        with pytest.raises(DecryptionError):
            other.unwrap(wrapped, "ana")


def test_a_wrap_moved_to_another_person_does_not_open(intake: Vault, matching: Vault) -> None:
    with pytest.raises(DecryptionError):
        matching.unwrap(intake.wrap(KEY, "ana", "matching"), "kai")


def test_intake_is_given_no_private_key_of_any_service() -> None:
    assert not [name for name in vault.KEYS_BY_SERVICE["intake"] if name in {"matching.key", "notify.key"}]


def test_the_key_under_code_words_opens_with_those_words_only() -> None:
    wrapped = vault.wrap_under("river cedar", "ana", KEY)
    assert vault.unwrap_under("river cedar", "ana", wrapped) == KEY
    with pytest.raises(DecryptionError):
        vault.unwrap_under("river cedars", "ana", wrapped)


def test_the_same_address_has_another_index_in_each_service(intake: Vault, matching: Vault) -> None:
    assert intake.blind_index("email", "a@example.org") == intake.blind_index("email", "a@example.org")
    assert intake.blind_index("email", "a@example.org") != matching.blind_index("email", "a@example.org")
    assert intake.blind_index("email", "a@example.org") != intake.blind_index("phone", "a@example.org")


def test_making_keys_again_keeps_those_that_are_there(folder: Path) -> None:
    before = {file.name: file.read_text() for file in folder.iterdir()}
    vault.generate_keys(folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == before


def test_key_files_are_readable_by_their_owner_only(folder: Path) -> None:
    assert {file.stat().st_mode & 0o077 for file in folder.iterdir()} == {0}


def test_a_vault_never_shows_its_keys(matching: Vault) -> None:
    assert repr(matching) == "Vault()"


@pytest.mark.parametrize("typed_in", ["!", " ", "=", "+"])
def test_characters_that_are_not_base64url_are_refused_and_not_skipped(typed_in: str) -> None:
    with pytest.raises(DecryptionError):
        vault.decrypt(KEY, "ana", "name", KNOWN_BLOB[:9] + typed_in * 4 + KNOWN_BLOB[9:])


@pytest.mark.parametrize("name", vault.KEYS_BY_SERVICE["intake"])
@pytest.mark.parametrize("content", [None, "", "c2hvcnQ", "no base64url at all!"])
def test_a_missing_short_or_odd_key_stops_the_start_and_is_named(tmp_path: Path, name: str, content: str | None) -> None:
    vault.generate_keys(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SystemExit) as stopped:
        vault.load_vault(tmp_path, "intake")
    assert "KEYS_DIR" in str(stopped.value)
    assert name in str(stopped.value)
    assert not content or content not in str(stopped.value)


def hkdf(key: bytes, info: str) -> bytes:
    """RFC 5869 with SHA-256 and no salt, for one block, from the standard library."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, f"kitchen-table/data-key/{info}".encode() + b"\x01", "sha256")


def test_the_key_of_each_purpose_is_hkdf_of_the_one_above_it() -> None:
    words = vault.words_key(KEY)
    assert words == hkdf(KEY, "words")
    assert vault.contact_key(KEY) == hkdf(KEY, "contact")
    assert vault.pair_key(words, "m1") == hkdf(words, "pair/m1") == vault.note_key(words, "m1")
    assert vault.note_key(words, None) == words


def test_no_purpose_opens_what_is_meant_for_another() -> None:
    words = vault.words_key(KEY)
    keys = [KEY, words, vault.contact_key(KEY), vault.pair_key(words, "m1"), vault.pair_key(words, "m2")]
    for encrypting, opening in itertools.permutations(keys, 2):
        with pytest.raises(DecryptionError):
            vault.decrypt(opening, "ana", "name", vault.encrypt(encrypting, "ana", "name", "Ana"))
