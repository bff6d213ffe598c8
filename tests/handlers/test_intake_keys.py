"""A worker of intake with keys of another installation refuses to start."""

from pathlib import Path

import pytest

from services.intake.handlers.broker_events import save_directory_entry
from services.intake.handlers.service import IntakeService
from shared import vault
from shared.programme import read_programme
from shared.service import Service
from tests.people import an_entry_seen


def test_keys_that_decrypt_no_profile_are_refused(intake: Service, tmp_path: Path) -> None:
    vault.generate_keys(tmp_path)
    other = IntakeService("intake")
    programme = read_programme(Path("deploy/programme.toml"))
    other.configure(intake.db, vault.load_vault(tmp_path, "intake"), programme, "https://kt.example")
    other.make_indexes()
    intake.run(save_directory_entry, an_entry_seen(intake, "juniper"))
    with pytest.raises(SystemExit, match=r"KEYS_DIR.* profiles"):
        other.make_indexes()
    intake.make_indexes()


def test_one_profile_that_cannot_be_decrypted_stops_no_worker(intake: Service) -> None:
    for id in ("juniper", "kai"):
        intake.run(save_directory_entry, an_entry_seen(intake, id))
    intake.db.directory.update_one({"_id": "kai"}, {"$set": {"encrypted_profile": "of another key"}})
    intake.make_indexes()
