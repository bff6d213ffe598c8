"""Listing dead letters, showing, replaying and dropping them."""

import json
import os
from datetime import timedelta
from pathlib import Path

import pika
import pytest

from shared.bus import dead_letters
from shared.bus.dead_letter_monitor import DeadLetterMonitor
from shared.bus.topology import DEAD, dead_queue_of, queue_of
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db
from shared.service import OldDeadLetter
from tests.eventually import eventually
from tests.faults.bus.echo_service import NAME, BusFixture, EchoAsked, EchoUnrouted, as_message

pytestmark = pytest.mark.broker


def make_dead(bus: BusFixture, *event_ids: str) -> None:
    """Let a worker fail on these for the last time, then stop it."""
    bus.control.broken.set()
    worker = bus.ready_worker()
    for event_id in event_ids:
        body = as_message(EchoAsked(echo_id=f"Juniper {event_id}", how="fail"), event_id)
        bus.send_raw(body, event_id, **{"x-attempt": 5})
    assert eventually(lambda: bus.count(dead_queue_of(NAME)) == len(event_ids))
    worker.stop(3)
    bus.control.broken.clear()


def ids_of(bus: BusFixture) -> list[str]:
    return sorted(one.event_id for one in dead_letters.dead_letters_of(bus.amqp_url, NAME))


def test_looking_twenty_five_times_loses_nothing(bus: BusFixture) -> None:
    make_dead(bus, "e1", "e2", "e3")
    for _ in range(25):
        assert eventually(lambda: ids_of(bus) == ["e1", "e2", "e3"], 5)


def test_a_replayed_event_is_handled_under_its_own_id_and_leaves_the_dead_queue(bus: BusFixture) -> None:
    make_dead(bus, "e1", "e2")
    assert dead_letters.replay(bus.amqp_url, NAME, "e1") == 1
    bus.ready_worker()
    assert eventually(lambda: bus.is_recorded("Juniper e1"))
    assert bus.db.inbox.find_one({"_id": "e1"})
    assert eventually(lambda: ids_of(bus) == ["e2"])


def test_replaying_what_was_handled_changes_nothing(bus: BusFixture) -> None:
    make_dead(bus, "e1")
    bus.ready_worker()
    bus.send_raw(as_message(EchoAsked(echo_id="Juniper e1"), "e1"), "e1")
    assert eventually(lambda: bus.is_recorded("Juniper e1"))
    assert dead_letters.replay(bus.amqp_url, NAME, "e1") == 1
    assert eventually(lambda: bus.count(queue_of(NAME)) == 0 and bus.is_idle())
    assert [bus.db[rows].count_documents({}) for rows in ("answered", "recorded", "outbox")] == [1, 1, 1]
    assert ids_of(bus) == []


def test_all_of_them_can_be_replayed(bus: BusFixture) -> None:
    make_dead(bus, "e1", "e2", "e3")
    assert dead_letters.replay(bus.amqp_url, NAME, None) == 3
    bus.ready_worker()
    assert eventually(lambda: bus.db.recorded.count_documents({}) == 3)


def test_dropping_takes_one_and_leaves_the_others(bus: BusFixture) -> None:
    make_dead(bus, "e1", "e2")
    assert dead_letters.drop(bus.amqp_url, NAME, "e1", "test") == 1
    assert dead_letters.drop(bus.amqp_url, NAME, "e1", "test") == 0
    assert eventually(lambda: ids_of(bus) == ["e2"])


ODD_IDS = [b"\xff\xfe", "a\x00b", "two\nlines"]


@pytest.mark.parametrize("odd", ODD_IDS, ids=["not UTF-8", "a NUL", "a line break"])
@pytest.mark.parametrize("action", ["replay", "drop"])
def test_a_dead_letter_with_an_odd_message_id_is_listed_shown_and_taken_out(
    bus: BusFixture, odd: str | bytes, action: str
) -> None:
    with bus.channel() as channel:
        properties = pika.BasicProperties(message_id=odd, type=odd, delivery_mode=2, headers={"x-reason": odd})
        body = as_message(EchoAsked(echo_id="k"), "e1")
        channel.basic_publish(DEAD, NAME, body, properties, mandatory=True)
    assert eventually(lambda: len(ids_of(bus)) == 1)
    [one] = dead_letters.dead_letters_of(bus.amqp_url, NAME)
    assert (one.event_id.startswith("sha256-"), one.event_type, one.reason) == (True, "", "unknown")
    if action == "replay":
        assert dead_letters.replay(bus.amqp_url, NAME, one.event_id) == 1
        bus.ready_worker()
        assert eventually(lambda: bus.is_recorded("k"))
    else:
        assert dead_letters.drop(bus.amqp_url, NAME, one.event_id, "test") == 1
    assert eventually(lambda: ids_of(bus) == [])


def test_a_dead_letter_tells_its_reason_and_the_names_and_types_of_its_fields_and_never_a_value(bus: BusFixture) -> None:
    make_dead(bus, "e1")
    [one] = dead_letters.dead_letters_of(bus.amqp_url, NAME)
    assert one.reason.startswith("EchoFailed at echo_service.py:")
    shown = f"{one.event_id} {one.event_type} {one.reason} {dead_letters.shape_of(one.body)}"
    assert "'echo_id': 'str'" in shown
    assert "Juniper" not in shown


def test_a_strangers_keys_are_not_shown_either() -> None:
    assert dead_letters.shape_of(json.dumps({"Juniper lives here": 1, "name": ["x", "y"]}).encode()) == {
        "?": "int",
        "name": ["str", "2 of them"],
    }
    assert dead_letters.shape_of(b"Juniper") == "not JSON, 7 bytes"


def test_a_person_hears_after_a_day_once_and_after_three_it_is_gone(
    bus: BusFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "CLOCK_FILE", str(tmp_path / "clock"))
    make_dead(bus, "e1", "e2")

    @bus.service.on_old_dead_letter
    def tell(found: OldDeadLetter, db: Db) -> list[Event]:
        return [EchoUnrouted(echo_id=found.event_id)]

    monitors = [DeadLetterMonitor(bus.service, bus.amqp_url) for _ in range(2)]
    for hours, is_told in ((1, False), (23.9, False), (24.1, True), (71.9, True)):
        (tmp_path / "clock").write_text(str(timedelta(hours=hours).total_seconds()))
        for monitor in monitors:
            monitor.look()
        told = [row["subject"] for row in bus.db.outbox.find({"type": EchoUnrouted.event_type})]
        assert (bool(told), len(told)) == (is_told, len(set(told))), hours
        assert eventually(lambda: ids_of(bus) == ["e1", "e2"], 5)
    (tmp_path / "clock").write_text(str(timedelta(hours=72.1).total_seconds()))
    monitors[0].look()
    assert eventually(lambda: bus.count(dead_queue_of(NAME)) == 0)


def test_what_the_broker_itself_put_there_has_a_time_too(bus: BusFixture) -> None:
    with bus.channel() as channel:
        channel.queue_purge(queue_of(NAME))
        bus.send_raw(b"{}", "e9")
        method, _, _ = channel.basic_get(queue_of(NAME))
        channel.basic_reject(method.delivery_tag, requeue=False)
    assert eventually(lambda: bus.count(dead_queue_of(NAME)) == 1)
    [letter] = dead_letters.dead_letters_of(bus.amqp_url, NAME)
    assert letter.failed
    assert abs((now() - letter.failed).total_seconds()) < 60
