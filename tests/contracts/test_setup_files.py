"""Each container's folder: what is in it, and that a second start changes nothing."""

import base64
import hashlib
from pathlib import Path

import pytest

from deploy.setup import SERVICES, files
from shared.vault import KEYS_BY_SERVICE


@pytest.fixture
def distributed(tmp_path: Path) -> Path:
    for folder in ("proxy-data", "demo"):
        (tmp_path / "out" / folder).mkdir(parents=True)
    files.make_secrets(tmp_path / "vault")
    files.distribute(tmp_path / "vault", tmp_path / "out", {"SMTP_URL": "smtp://mail.example"})
    return tmp_path


def names_in(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_each_service_gets_its_own_keys_and_nothing_more(distributed: Path) -> None:
    for service in SERVICES:
        keys = {f"keys/{name}" for name in KEYS_BY_SERVICE[service]}
        given = {"smtp_url"} if service == "notify" else set()
        assert names_in(distributed / "out" / service) == {"mongodb_uri", "amqp_url", *keys, *given}


def test_intake_gets_no_private_key(distributed: Path) -> None:
    secret = {(distributed / "vault/keys" / f"{name}.key").read_text() for name in ("matching", "notify")}
    assert not secret & {file.read_text() for file in (distributed / "out/intake").rglob("*") if file.is_file()}


def test_every_file_is_for_one_reader(distributed: Path) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in (distributed / "out").rglob("*") if file.is_file()}
    assert modes.pop("definitions.json") == 0o444  # hashes only
    assert set(modes.values()) == {0o400}


def test_a_second_start_keeps_every_key_and_password(distributed: Path) -> None:
    before = {
        name: (distributed / "out" / name).read_text() for name in names_in(distributed / "out") if "definitions" not in name
    }
    files.make_secrets(distributed / "vault")
    files.distribute(distributed / "vault", distributed / "out", {"SMTP_URL": "smtp://mail.example"})
    assert {name: (distributed / "out" / name).read_text() for name in before} == before


def test_what_is_no_longer_given_is_taken_away(distributed: Path) -> None:
    files.distribute(distributed / "vault", distributed / "out", {})
    assert "smtp_url" not in names_in(distributed / "out/notify")


def test_a_password_hash_is_what_rabbitmq_expects() -> None:
    raw = base64.b64decode(files.rabbitmq_hash("test12"))
    assert raw[4:] == hashlib.sha256(raw[:4] + b"test12").digest()
