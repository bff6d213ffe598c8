"""The relay: every row once in a lease, whatever clock wrote it, and never marked before the broker has it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.bus import topology
from shared.bus.publisher import Publisher
from shared.bus.relay import WINDOW, Relay
from shared.clock import now
from shared.service import RELAY_HEAD_START
from tests.faults.bus.kettle import NAME, Bench, whistle

pytestmark = pytest.mark.broker


@pytest.fixture
def relays(bench: Bench) -> Iterator[list[Relay]]:
    publisher = Publisher(bench.amqp_url, NAME)
    publisher.start()
    assert publisher.wait_until_ready(10)
    yield [Relay(bench.db, publisher) for _ in range(2)]
    publisher.close()


def unsent(bench: Bench) -> int:
    return bench.db.outbox.count_documents({"next_at": {"$exists": True}})


def test_two_relays_never_publish_the_same_row_twice(bench: Bench, relays: list[Relay]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bench.fill(), range(WINDOW + 50)))

    def send_all(relay: Relay) -> None:
        while relay.send_due() or unsent(bench):
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send_all, relays))
    assert bench.count(topology.queue_of(NAME)) == WINDOW + 50
    assert set(bench.db.outbox.distinct("tries")) == {1}


def test_a_row_that_another_relay_holds_is_left_alone_until_its_lease_ends(bench: Bench, relays: list[Relay]) -> None:
    bench.fill()
    held, _ = relays[0]._claim()
    assert len(held) == 1
    relays[1].send_due()
    assert bench.count(topology.queue_of(NAME)) == 0
    bench.db.outbox.update_many({}, {"$set": {"next_at": now() - timedelta(seconds=1)}})  # the lease ran out
    relays[1].send_due()
    assert bench.count(topology.queue_of(NAME)) == 1


def test_a_row_written_by_a_clock_that_is_ahead_is_sent_at_once(bench: Bench, relays: list[Relay]) -> None:
    bench.fill()
    bench.db.outbox.update_many({}, {"$set": {"next_at": now() + timedelta(days=6)}})
    relays[0].send_due()
    assert unsent(bench) == 0


def test_what_nobody_hears_waits_and_is_never_marked_sent(bench: Bench, relays: list[Relay]) -> None:
    bench.service.run(whistle, "unheard")
    relays[0].send_due()
    row = bench.outbox_row("unheard")
    assert row["tries"] == 1
    assert "sent_at" not in row
    assert "claim" not in row
    assert row["next_at"] > now() - timedelta(seconds=1)


def test_without_the_broker_a_row_stays_due(bench: Bench, relays: list[Relay]) -> None:
    relays[0]._publisher.close()
    kettle = bench.fill()
    relays[0].send_due()
    row = bench.outbox_row(kettle)
    assert "sent_at" not in row
    assert row["next_at"] <= now() + timedelta(seconds=1)


def test_what_a_worker_writes_is_published_without_looking_for_it(bench: Bench, relays: list[Relay]) -> None:
    bench.service.relay_id = relays[0].id
    bench.service.after_commit(relays[0].say)
    kettle = bench.fill()
    relays[0]._note_what_was_said()
    assert bench.count(topology.queue_of(NAME)) == 1
    assert "sent_at" in bench.outbox_row(kettle)


def test_what_a_worker_wrote_and_did_not_live_to_say_is_said_by_another(bench: Bench, relays: list[Relay]) -> None:
    bench.service.relay_id = relays[0].id
    bench.fill()
    relays[1].send_due()
    assert bench.count(topology.queue_of(NAME)) == 0
    bench.db.outbox.update_many({}, [{"$set": {"next_at": {"$subtract": ["$next_at", RELAY_HEAD_START.total_seconds() * 1000]}}}])
    relays[1].send_due()
    assert bench.count(topology.queue_of(NAME)) == 1


def test_what_could_not_be_said_at_once_is_due_again(bench: Bench, relays: list[Relay]) -> None:
    bench.service.relay_id = relays[0].id
    bench.service.after_commit(relays[0].say)
    bench.service.run(whistle, "unheard")
    relays[0]._note_what_was_said()
    row = bench.outbox_row("unheard")
    assert "sent_at" not in row
    assert "claim" not in row
