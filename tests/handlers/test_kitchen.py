"""The operator's command line, as an operator runs it: a process of its own, with the settings of a container."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pika
import psutil
import pytest
from pymongo import MongoClient

from shared.bus import topology
from shared.clock import now
from tests.faults.bus import nodes


def june(day: int) -> datetime:
    return datetime(2026, 6, day, tzinfo=UTC)


Kitchen = Callable[..., subprocess.CompletedProcess[str]]
SERVICES = ("intake", "matching", "notify")
PEOPLE = "name,email,phone,time_zone\nAna,ana@people.example,+12025550101,America/Denver\n"
EVENT = {"id": "e1", "type": "request.submitted.v1", "data": {"name": "Wren", "request_id": "r1"}}


@pytest.fixture(scope="module")
def settings(mongodb_uri: str, amqp_url: str, keys: Path) -> Iterator[dict[str, str]]:
    topology.declare(amqp_url, {service: [] for service in SERVICES})
    yield {"MONGODB_URI": mongodb_uri, "AMQP_URL": amqp_url, "KEYS_DIR": str(keys), "PUBLIC_URL": "http://localhost"}
    with MongoClient[object](mongodb_uri) as client:
        for service in SERVICES:
            client.drop_database(service)


@pytest.fixture
def kitchen(settings: dict[str, str]) -> Kitchen:
    def run(*arguments: str, input: str = "", without: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in {**os.environ, **settings, **more}.items() if name != without}
        command = [sys.executable, "-m", "deploy.kitchen", *arguments]
        return subprocess.run(command, env=environment, input=input, capture_output=True, text=True)

    return run


@pytest.fixture
def dead_letter(amqp_url: str) -> Iterator[str]:
    """The id of one that lies in matching's dead queue."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    properties = pika.BasicProperties(message_id="e1", type=EVENT["type"], headers={"x-reason": "KeyError"})
    channel.confirm_delivery()
    channel.basic_publish("", topology.dead_queue_of("matching"), json.dumps(EVENT).encode(), properties)
    yield "e1"
    for queue in (topology.dead_queue_of("matching"), topology.queue_of("matching")):
        channel.queue_purge(queue)
    connection.close()


def test_status_counts_what_waits_and_says_that_nobody_works(kitchen: Kitchen, dead_letter: str) -> None:
    told = kitchen("status", "--json")
    rows = {row["service"]: row for row in json.loads(told.stdout)}
    assert set(rows) == set(SERVICES)
    assert (rows["matching"]["database"], rows["matching"]["broker"], rows["matching"]["dead"]) == ("ok", "ok", 1)
    assert (rows["intake"]["workers"], rows["intake"]["dead"]) == (0, 0)
    assert told.returncode == 1
    assert "matching" in kitchen("status").stdout


def test_status_counts_requests_that_matching_never_reacted_to(kitchen: Kitchen, mongodb_uri: str) -> None:
    with MongoClient[dict[str, object]](mongodb_uri, tz_aware=True) as client:
        request = {"_id": "r1", "history": [], "reemissions": 5, "expires_at": now() + timedelta(days=1)}
        client.intake.requests.insert_one(request)
        rows = json.loads(kitchen("status", "--json").stdout)
        client.intake.requests.delete_many({})
    assert {row["service"]: row["unanswered"] for row in rows} == {"intake": 1, "matching": None, "notify": None}


def test_status_says_since_when_work_waits_for_the_assignment_job(kitchen: Kitchen, settings: dict[str, str]) -> None:
    with MongoClient[dict[str, object]](settings["MONGODB_URI"]) as client:
        client["matching"].assignment_triggers.insert_one({"_id": "t1", "practitioner_id": "ana", "created_at": june(1)})
        rows = {row["service"]: row for row in json.loads(kitchen("status", "--json").stdout)}
        client["matching"].assignment_triggers.delete_many({})
    assert rows["matching"]["unassigned_since"] == "2026-06-01T00:00:00+00:00"
    assert rows["intake"]["unassigned_since"] is None


def test_status_says_which_server_is_away(kitchen: Kitchen) -> None:
    told = kitchen("status", "--json", AMQP_URL="amqp://guest:guest@127.0.0.1:9/%2F")
    assert {(row["database"], row["broker"]) for row in json.loads(told.stdout)} == {("ok", "away")}
    assert told.returncode == 1


def test_a_setting_that_is_missing_is_named(kitchen: Kitchen) -> None:
    told = kitchen("status", without="MONGODB_URI")
    assert told.returncode == 1
    assert "MONGODB_URI" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_outage_is_one_line_and_no_traceback(kitchen: Kitchen) -> None:
    told = kitchen("dead-letters", "list", AMQP_URL="amqp://guest:guest@127.0.0.1:9/%2F")
    assert told.returncode == 1
    assert "AMQP_URL" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_dead_letter_is_listed_and_shown_without_its_values(kitchen: Kitchen, dead_letter: str) -> None:
    rows = json.loads(kitchen("dead-letters", "list", "matching", "--json").stdout)
    assert [(row["service"], row["event_id"], row["type"]) for row in rows] == [("matching", "e1", "request.submitted.v1")]
    assert "e1" in kitchen("dead-letters", "list").stdout
    shown = kitchen("dead-letters", "show", "matching", dead_letter, "--json").stdout
    assert json.loads(shown)["fields"]["data"] == {"name": "str", "request_id": "str"}
    assert "Wren" not in shown + kitchen("dead-letters", "show", "matching", dead_letter).stdout


def test_a_dry_run_leaves_a_dead_letter_where_it_is(kitchen: Kitchen, dead_letter: str) -> None:
    assert "1 would be sent again" in kitchen("dead-letters", "replay", "matching", "all", "--dry-run").stdout
    assert "1 would be dropped" in kitchen("dead-letters", "drop", "matching", "e1", "--reason", "test", "--dry-run").stdout
    assert len(json.loads(kitchen("dead-letters", "list", "--json").stdout)) == 1


def test_a_dead_letter_is_replayed_to_its_service(kitchen: Kitchen, dead_letter: str) -> None:
    assert "1 sent again" in kitchen("dead-letters", "replay", "matching", dead_letter).stdout
    rows = {row["service"]: row for row in json.loads(kitchen("status", "--json").stdout)}
    assert (rows["matching"]["dead"], rows["matching"]["waiting"]) == (0, 1)


def test_a_replay_that_the_broker_refuses_is_one_line_and_keeps_the_dead_letter(
    kitchen: Kitchen, dead_letter: str, broker: tuple[str, psutil.Popen | None]
) -> None:
    if broker[1] is None:
        pytest.skip("needs a RabbitMQ of its own")
    nodes.control(broker[1], *nodes.DISK_ALARM)
    try:
        told = kitchen("dead-letters", "replay", "matching", dead_letter)
    finally:
        nodes.control(broker[1], *nodes.NO_ALARM)
    assert (told.returncode, "AMQP_URL" in told.stderr, "Traceback" in told.stderr) == (1, True, False)
    assert len(json.loads(kitchen("dead-letters", "list", "--json").stdout)) == 1


def test_a_dead_letter_is_dropped_for_a_reason_and_only_once(kitchen: Kitchen, dead_letter: str) -> None:
    assert kitchen("dead-letters", "drop", "matching", dead_letter).returncode == 2
    assert "1 dropped" in kitchen("dead-letters", "drop", "matching", dead_letter, "--reason", "test").stdout
    again = kitchen("dead-letters", "drop", "matching", dead_letter, "--reason", "test")
    assert (again.returncode, "no such dead letter" in again.stderr) == (1, True)


def test_events_that_the_broker_did_not_confirm_are_counted(kitchen: Kitchen, mongodb_uri: str) -> None:
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client.notify.outbox.insert_one(
            {"_id": "e2", "next_at": now(), "made_at": now(), "type": "a", "subject": "b", "body": ""}
        )
        rows = json.loads(kitchen("outbox", "pending", "notify", "--json").stdout)
        client.notify.outbox.delete_many({})
    assert [(row["service"], row["unsent"]) for row in rows] == [("notify", 1)]
    assert rows[0]["unsent_since"]


def test_sent_events_are_published_again(kitchen: Kitchen, mongodb_uri: str) -> None:
    """By the relay of a worker, for which they are due now."""
    with MongoClient[dict[str, object]](mongodb_uri, tz_aware=True) as client:
        rows = client.intake.outbox
        rows.delete_many({})
        rows.insert_many([{"_id": f"e{day}", "subject": f"r{day}", "made_at": june(day), "sent_at": now()} for day in (1, 2, 3)])
        assert "3 would be published again" in kitchen("outbox", "reemit", "intake", "--dry-run").stdout
        assert rows.count_documents({"next_at": {"$exists": True}}) == 0
        assert "2 are published again" in kitchen("outbox", "reemit", "intake", "--since", "2026-06-02").stdout
        assert [row["_id"] for row in rows.find({"next_at": {"$lte": now()}, "sent_at": None})] == ["e2", "e3"]
        assert "1 are published again" in kitchen("outbox", "reemit", "intake", "--subject", "r1").stdout
        rows.delete_many({})


def test_practitioners_come_in_from_standard_input(kitchen: Kitchen, mongodb_uri: str) -> None:
    assert "1 practitioners would come in" in kitchen("people", "import", "-", "--dry-run", input=PEOPLE).stdout
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        assert client.matching.practitioners.count_documents({}) == 0
        told = kitchen("people", "import", "-", input=PEOPLE)
        assert (told.returncode, "1 practitioners are in" in told.stdout) == (0, True)
        assert client.matching.practitioners.count_documents({}) == 1


def test_one_bad_row_keeps_everybody_out_and_its_values_unsaid(kitchen: Kitchen, tmp_path: Path, mongodb_uri: str) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE.replace("ana@people", "bo@people") + "Kai,kai-at-home,,America/Denver\n")
    told = kitchen("people", "import", str(file))
    assert told.returncode == 1
    assert "row 3, email:" in told.stderr
    assert "kai-at-home" not in told.stdout + told.stderr
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        assert client.matching.practitioners.count_documents({}) <= 1


def test_a_coordinator_is_added_and_listed_without_an_address(kitchen: Kitchen) -> None:
    who = ("--name", "Ro", "--email", "ro@people.example")
    assert "could sign in" in kitchen("coordinators", "add", *who, "--dry-run").stdout
    assert json.loads(kitchen("coordinators", "list", "--json").stdout) == []
    assert "can sign in at http://localhost/c" in kitchen("coordinators", "add", *who).stdout
    listed = kitchen("coordinators", "list").stdout
    assert "Ro" in listed
    assert "ro@people.example" not in listed
    wrong = kitchen("coordinators", "add", "--name", "Ro", "--email", "nowhere")
    assert (wrong.returncode, "nowhere" in wrong.stderr) == (2, False)


def test_a_coordinator_gets_emails_only_in_a_language_that_there_is(kitchen: Kitchen) -> None:
    wrong = kitchen("coordinators", "add", "--name", "Ro", "--email", "ro@people.example", "--language", "xx", "--dry-run")
    assert (wrong.returncode, "--language" in wrong.stderr) == (2, True)


def test_a_container_without_the_code_says_where_to_go(settings: dict[str, str], tmp_path: Path) -> None:
    """As in the image of intake: its own code and what is shared, nothing of matching's."""
    for folder in ("shared", "services/intake", "deploy/kitchen"):
        (tmp_path / folder).parent.mkdir(exist_ok=True)
        (tmp_path / folder).symlink_to(Path(folder).resolve())
    for package in ("services", "deploy"):
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "deploy" / "programme.toml").symlink_to(Path("deploy/programme.toml").resolve())
    command = [sys.executable, "-m", "deploy.kitchen", "coordinators", "list"]
    told = subprocess.run(command, env={**os.environ, **settings}, cwd=tmp_path, capture_output=True, text=True)
    assert (told.returncode, "docker compose run --rm matching-worker kitchen" in told.stderr) == (1, True)
