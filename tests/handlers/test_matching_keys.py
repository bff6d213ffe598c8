"""A worker with keys of another installation refuses to start."""

from pathlib import Path

import pytest

from services.matching.handlers.service import MatchingService
from shared import vault
from shared.programme import read_programme
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, submit


@pytest.fixture
def other_keys(matching: Service, tmp_path: Path) -> MatchingService:
    vault.generate_keys(tmp_path)
    service = MatchingService()
    programme = read_programme(Path("deploy/programme.toml"))
    service.configure(matching.db, vault.load_vault(tmp_path, "matching"), programme, "https://kt.example")
    return service


def test_keys_that_decrypt_no_request_are_refused(matching: Service, other_keys: Service) -> None:
    other_keys.make_indexes()
    submit(matching, mode="anyone")
    with pytest.raises(SystemExit, match=r"KEYS_DIR.* requests"):
        other_keys.make_indexes()
    matching.make_indexes()


def test_keys_that_decrypt_no_practitioner_are_refused(matching: Service, other_keys: Service) -> None:
    add_practitioners(matching, "juniper")
    with pytest.raises(SystemExit, match=r"KEYS_DIR.* practitioners"):
        other_keys.make_indexes()
    matching.make_indexes()


def test_one_request_that_cannot_be_decrypted_stops_no_worker(matching: Service) -> None:
    submit(matching, mode="anyone", id="r1")
    submit(matching, mode="anyone", id="r2")
    matching.db.requests.update_one({"_id": "r2"}, {"$set": {"encrypted.wrap": "of an erased key"}})
    matching.make_indexes()
