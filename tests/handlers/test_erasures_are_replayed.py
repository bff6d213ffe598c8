"""A copy of the databases is brought back: whoever left since then leaves again, by the ledger that was saved apart from it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from services.intake.handlers.erasure import withdraw_request
from shared.mongo import Doc
from tests.lifetimes import ThreeServices, three

__all__ = ["three"]
Kitchen = Callable[..., "subprocess.CompletedProcess[str]"]
COPIED = ("intake", "matching", "notify")
Copy = dict[tuple[str, str], list[Doc]]


@pytest.fixture
def kitchen(three: ThreeServices, mongodb_uri: str, keys: Path) -> Iterator[Kitchen]:
    """The command looks at the database that is named after its service: what intake holds here is there while it runs."""
    settings = {"MONGODB_URI": mongodb_uri, "AMQP_URL": "amqp://unused", "KEYS_DIR": str(keys), "PUBLIC_URL": "http://localhost"}
    client: MongoClient[Doc] = MongoClient(mongodb_uri)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "deploy.kitchen", "erasures", *arguments]
        _copy_rows(three.intake.db.client[three.intake.db.name], client["intake"])
        told = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True)
        _copy_rows(client["intake"], three.intake.db.client[three.intake.db.name])
        return told

    yield run
    client.drop_database("intake")
    client.close()


def _copy_rows(source: Database[Doc], target: Database[Doc]) -> None:
    for name in {*source.list_collection_names(), *target.list_collection_names()}:
        target[name].delete_many({})
        rows = list(source[name].find())
        if rows:
            target[name].insert_many(rows)


def a_copy(three: ThreeServices) -> Copy:
    return {(s.name, name): list(s.db[name].find()) for s in three.all() for name in s.db.list_collection_names()}


def bring_back(three: ThreeServices, copy: Copy) -> None:
    for service in three.all():
        for name in service.db.list_collection_names():
            service.db[name].delete_many({})
            rows = copy.get((service.name, name), [])
            if rows:
                service.db[name].insert_many(rows)


def holds(three: ThreeServices, person_id: str) -> set[str]:
    """Which services hold an address or words of this person."""
    found = {"intake"} if three.intake.db.requests.find_one({"person_id": person_id}) else set()
    found |= (
        {"matching"}
        if three.matching.db.requests.find_one({"supportee_id": person_id, "encrypted": {"$exists": True}})
        else set()
    )
    return found | ({"notify"} if three.notify.db.contacts.find_one({"_id": person_id}) else set())


def test_whoever_left_after_the_copy_leaves_again_everywhere_and_nobody_else(
    three: ThreeServices, kitchen: Kitchen, tmp_path: Path
) -> None:
    three.practitioner(places=3)
    left, stays = three.ask(), three.ask()
    copy = a_copy(three)
    three.intake.run(withdraw_request, left.request_id)
    three.deliver()
    saved = kitchen("save")
    assert [json.loads(line)["request_id"] for line in saved.stdout.splitlines()] == [left.request_id]
    assert left.person_id not in saved.stdout
    file = tmp_path / "erasures.jsonl"
    file.write_text(saved.stdout)

    bring_back(three, copy)
    assert holds(three, left.person_id) == set(COPIED)
    assert "1 of 1 would leave again" in kitchen("replay", str(file), "--dry-run").stdout
    assert holds(three, left.person_id) == set(COPIED)
    assert "1 of 1 leave again" in kitchen("replay", str(file)).stdout
    three.published = {row["_id"] for row in copy["intake", "outbox"] + copy["matching", "outbox"]}
    three.deliver()
    assert holds(three, left.person_id) == set()
    assert holds(three, stays.person_id) == set(COPIED)
    [row] = three.intake.db.erasures.find()
    assert "open" not in row, "both services have said that they erased it"
    assert "0 of 1 leave again" in kitchen("replay", str(file)).stdout


def test_what_is_no_ledger_is_said_and_nothing_is_erased(three: ThreeServices, kitchen: Kitchen, tmp_path: Path) -> None:
    draft = three.ask()
    file = tmp_path / "something.txt"
    file.write_text("hello\n")
    told = kitchen("replay", str(file))
    assert (told.returncode, "is no ledger" in told.stderr) == (2, True)
    assert holds(three, draft.person_id) == set(COPIED)
