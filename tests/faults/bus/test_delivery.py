"""What becomes of a message: handled once, retried later, dead with a reason, or kept."""

import json

import pytest

from shared.bus.topology import TIERS, dead_queue_of, queue_of, retry_queue_of
from tests.eventually import eventually
from tests.faults.bus.echo_service import NAME, BusFixture, EchoAsked, as_message, publish_unrouted

pytestmark = pytest.mark.broker


def test_an_event_goes_from_a_form_through_two_handlers(bus: BusFixture) -> None:
    bus.ready_worker()
    echo = bus.ask()
    assert eventually(lambda: bus.is_recorded(echo))
    assert eventually(lambda: "sent_at" in bus.outbox_row(echo) and "next_at" not in bus.outbox_row(echo))


def test_the_same_event_twice_changes_nothing_the_second_time(bus: BusFixture) -> None:
    bus.ready_worker()
    for _ in range(3):
        bus.send_raw(as_message(EchoAsked(echo_id="k"), "e1"), "e1")
    assert eventually(lambda: bus.is_recorded("k") and bus.is_idle())
    assert [bus.db[rows].count_documents({}) for rows in ("answered", "recorded", "outbox")] == [1, 1, 1]
    assert bus.count(dead_queue_of(NAME)) == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"Juniper's own words", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'["Juniper"]', "not a JSON object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id": "e1", "type": "Juniper"}', "Envelope: wrong or missing source, subject, time, data"),
        (as_message(EchoAsked(echo_id="k"), "e1").replace(b"asked", b"painted"), "unknown type"),
        (as_message(EchoAsked(echo_id="Juniper"), "e1").replace(b'"Juniper"', b"7"), "Envelope: wrong or missing subject"),
        (as_message(EchoAsked(echo_id="k"), "e1").replace(b'"ok"', b"7"), "EchoAsked: wrong or missing how"),
    ],
    ids=["words", "bytes", "a list", "deep", "no envelope", "unknown type", "wrong envelope", "wrong field"],
)  # fmt: skip
def test_an_invalid_message_is_dead_at_once_with_the_reason(bus: BusFixture, body: bytes, reason: str) -> None:
    bus.ready_worker()
    bus.send_raw(body)
    assert eventually(lambda: bus.count(dead_queue_of(NAME)) == 1)
    properties, kept = bus.one_dead()
    assert sorted(properties.headers["x-reason"].replace(",", "").split()) == sorted(reason.replace(",", "").split())
    assert kept == body
    assert properties.message_id
    assert "Juniper" not in str(properties)


@pytest.mark.parametrize(("failed_before", "tier"), list(enumerate(TIERS)))
def test_each_failure_waits_longer_than_the_one_before(bus: BusFixture, failed_before: int, tier: str) -> None:
    bus.control.broken.set()
    bus.ready_worker()
    bus.send_raw(as_message(EchoAsked(echo_id="k", how="fail"), "e1"), "e1", **{"x-attempt": failed_before})
    assert eventually(lambda: bus.count(retry_queue_of(NAME, tier)) == 1)
    assert eventually(bus.is_idle)
    assert bus.count(queue_of(NAME)) == bus.count(dead_queue_of(NAME)) == 0


@pytest.mark.parametrize("how", ["retry later", "fail"])
def test_what_fails_comes_back_by_itself_and_succeeds(bus: BusFixture, how: str) -> None:
    bus.control.broken.set()
    bus.ready_worker()
    echo = bus.ask(how)
    assert eventually(lambda: bus.count(retry_queue_of(NAME, "5s")) == 1)
    bus.control.broken.clear()
    assert eventually(lambda: bus.is_recorded(echo), 15)
    assert bus.control.calls == 2


def test_after_the_last_retry_it_is_dead_and_names_the_error_and_its_location_but_never_its_text(bus: BusFixture) -> None:
    bus.control.broken.set()
    bus.ready_worker()
    bus.send_raw(as_message(EchoAsked(echo_id="k", how="fail"), "e1"), "e1", **{"x-attempt": len(TIERS)})
    assert eventually(lambda: bus.count(dead_queue_of(NAME)) == 1)
    properties, body = bus.one_dead()
    assert properties.headers["x-reason"].startswith("EchoFailed at echo_service.py:")
    assert properties.headers["x-reason"].endswith(" answer")
    assert "Juniper" not in str(properties)
    assert (properties.message_id, json.loads(body)["id"]) == ("e1", "e1")


def test_while_mongo_is_unavailable_messages_are_kept_without_an_attempt_and_the_worker_is_not_ready(bus: BusFixture) -> None:
    worker = bus.ready_worker()
    bus.control.mongo_unavailable.set()
    echoes = [bus.ask() for _ in range(20)]
    assert eventually(lambda: bus.control.calls >= 8)
    assert not worker.ready()
    assert [bus.count(retry_queue_of(NAME, tier)) for tier in TIERS] == [0] * len(TIERS)
    bus.control.mongo_unavailable.clear()
    assert eventually(lambda: all(map(bus.is_recorded, echoes)) and worker.ready())
    assert bus.count(dead_queue_of(NAME)) == 0


def test_what_waits_is_not_acknowledged_with_what_came_after_it(bus: BusFixture) -> None:
    bus.control.broken.set()
    worker = bus.ready_worker(worker_threads=2)
    bus.ask("unavailable")
    assert eventually(bus.control.entered.is_set)
    later = bus.ask()
    assert eventually(lambda: bus.is_recorded(later))
    worker.stop(3)
    assert eventually(lambda: bus.count(queue_of(NAME)) == 1)


def test_many_events_with_one_that_fails_are_all_handled(bus: BusFixture) -> None:
    bus.control.broken.set()
    for number in range(30):
        bus.send_raw(as_message(EchoAsked(echo_id=f"k{number}", how="fail" if number == 7 else "ok"), f"e{number}"), f"e{number}")
    bus.ready_worker(worker_threads=1)
    assert eventually(lambda: bus.db.recorded.count_documents({}) == 29)
    assert bus.count(retry_queue_of(NAME, next(iter(TIERS)))) == 1


def test_an_event_without_a_subscriber_is_not_marked_sent_and_does_not_hold_up_the_rest(bus: BusFixture) -> None:
    bus.ready_worker()
    bus.service.run(publish_unrouted, "unrouted")
    echo = bus.ask()
    assert eventually(lambda: bus.is_recorded(echo))
    assert eventually(lambda: bus.outbox_row("unrouted").get("attempts", 0) >= 2)
    row = bus.outbox_row("unrouted")
    assert "next_at" in row
    assert "sent_at" not in row
