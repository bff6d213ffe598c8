"""Looking at what was given up, replaying it, dropping it."""

import json

import pytest

from shared.bus import dead
from shared.bus.topology import dead_queue_of, queue_of
from tests.faults.bus.kettle import NAME, Bench, KettleFilled, as_message, eventually

pytestmark = pytest.mark.broker


def give_up(bench: Bench, *event_ids: str) -> None:
    """Let a worker give these up, then rest."""
    bench.control.broken.set()
    worker = bench.ready_worker()
    for event_id in event_ids:
        body = as_message(KettleFilled(kettle_id=f"Juniper {event_id}", how="badly"), event_id)
        bench.send_raw(body, event_id, **{"x-attempt": 5})
    assert eventually(lambda: bench.count(dead_queue_of(NAME)) == len(event_ids))
    worker.stop(3)
    bench.control.broken.clear()


def ids_of(bench: Bench) -> list[str]:
    return sorted(letter.event_id for letter in dead.letters_of(bench.amqp_url, NAME))


def test_looking_twenty_five_times_loses_nothing(bench: Bench) -> None:
    give_up(bench, "e1", "e2", "e3")
    for _ in range(25):
        assert eventually(lambda: ids_of(bench) == ["e1", "e2", "e3"], 5)


def test_a_replayed_event_is_handled_under_its_own_id_and_leaves_the_dead_queue(bench: Bench) -> None:
    give_up(bench, "e1", "e2")
    assert dead.replay(bench.amqp_url, NAME, "e1") == 1
    bench.ready_worker()
    assert eventually(lambda: bench.has_poured("Juniper e1"))
    assert bench.db.inbox.find_one({"_id": "e1"})
    assert eventually(lambda: ids_of(bench) == ["e2"])


def test_replaying_what_was_handled_changes_nothing(bench: Bench) -> None:
    give_up(bench, "e1")
    bench.ready_worker()
    bench.send_raw(as_message(KettleFilled(kettle_id="Juniper e1"), "e1"), "e1")
    assert eventually(lambda: bench.has_poured("Juniper e1"))
    assert dead.replay(bench.amqp_url, NAME, "e1") == 1
    assert eventually(lambda: bench.count(queue_of(NAME)) == 0 and bench.is_quiet())
    assert [bench.db[rows].count_documents({}) for rows in ("boiled", "poured", "outbox")] == [1, 1, 1]
    assert ids_of(bench) == []


def test_all_of_them_can_be_replayed(bench: Bench) -> None:
    give_up(bench, "e1", "e2", "e3")
    assert dead.replay(bench.amqp_url, NAME, None) == 3
    bench.ready_worker()
    assert eventually(lambda: bench.db.poured.count_documents({}) == 3)


def test_dropping_takes_one_and_leaves_the_others(bench: Bench) -> None:
    give_up(bench, "e1", "e2")
    assert dead.drop(bench.amqp_url, NAME, "e1", "test") == 1
    assert dead.drop(bench.amqp_url, NAME, "e1", "test") == 0
    assert eventually(lambda: ids_of(bench) == ["e2"])


def test_the_command_shows_names_and_types_and_never_a_value(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_up(bench, "e1")
    monkeypatch.setenv("AMQP_URL", bench.amqp_url)
    assert dead.main(["list", NAME]) == 0
    assert dead.main(["show", NAME, "e1"]) == 0
    assert dead.main(["show", NAME, "e9"]) == 1
    shown = capsys.readouterr()
    assert "e1" in shown.out
    assert '"kettle_id": "str"' in shown.out
    assert "TooHot at kettle.py:" in shown.out
    assert "Juniper" not in shown.out + shown.err


def test_a_strangers_keys_are_not_shown_either() -> None:
    assert dead.shape_of(json.dumps({"Juniper lives here": 1, "name": ["x", "y"]}).encode()) == {
        "?": "int",
        "name": ["str", "2 of them"],
    }
    assert dead.shape_of(b"Juniper") == "not JSON, 7 bytes"
