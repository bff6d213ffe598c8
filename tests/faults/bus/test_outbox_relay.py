"""The outbox relay: every message once in a lease, whatever clock wrote it, marked sent only when the broker confirmed it."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from shared import outbox
from shared.bus import topology
from shared.bus.publisher import Publisher
from shared.bus.relay import LEASE, OutboxWork, Relay
from shared.clock import now
from shared.leased_work import LONGEST_TRANSACTION
from tests.eventually import eventually
from tests.faults.bus.echo_service import NAME, BusFixture, publish_unrouted

pytestmark = pytest.mark.broker


@pytest.fixture
def publisher(bus: BusFixture) -> Iterator[Publisher]:
    publisher = Publisher(bus.amqp_url, NAME)
    publisher.start()
    assert publisher.wait_until_ready(10)
    yield publisher
    publisher.close()


@pytest.fixture
def work(bus: BusFixture, publisher: Publisher) -> OutboxWork:
    return OutboxWork(bus.db, publisher)


@contextmanager
def running(relay: Relay) -> Iterator[Relay]:
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    yield relay
    stop.set()
    relay.wake_up.stop()
    thread.join(30)
    assert not thread.is_alive()


@contextmanager
def publishing_from_memory(bus: BusFixture, relay: Relay) -> Iterator[None]:
    bus.service.publish_with(relay)
    yield
    bus.service.publish_with(None)


def unsent(bus: BusFixture) -> int:
    return bus.db.outbox.count_documents(outbox.PENDING)


def let_leases_end(bus: BusFixture) -> None:
    bus.db.outbox.update_many(outbox.PENDING, {"$set": {"next_at": datetime.now(UTC) - timedelta(seconds=1)}})


def test_two_relays_under_load_publish_every_message_once(bus: BusFixture, publisher: Publisher) -> None:
    with running(Relay(bus.db, publisher)), running(Relay(bus.db, publisher)), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: bus.ask(), range(400)))
        assert eventually(lambda: unsent(bus) == 0)
    assert bus.count(topology.queue_of(NAME)) == 400
    assert bus.db.outbox.distinct("attempts") == [1]


def test_a_message_that_another_relay_holds_is_left_alone_until_its_lease_ends(
    bus: BusFixture, publisher: Publisher, work: OutboxWork
) -> None:
    bus.ask()
    assert len(work.claim(10)) == 1
    assert OutboxWork(bus.db, publisher).claim(10) == []
    let_leases_end(bus)
    assert len(OutboxWork(bus.db, publisher).claim(10)) == 1


@pytest.mark.parametrize("from_memory", [False, True])
def test_a_message_written_by_a_clock_that_is_two_hours_ahead_is_due_at_once(
    bus: BusFixture, publisher: Publisher, work: OutboxWork, from_memory: bool
) -> None:
    """Its writer could not publish it: the broker was away, or it was killed."""
    bus.ask()
    ahead = {"next_at": datetime.now(UTC) + timedelta(hours=2)}
    claimed = {"attempts": 1, "claim": "its writer's"} if from_memory else {}
    bus.db.outbox.update_many({}, {"$set": {**ahead, **claimed}})
    assert len(work.claim(10)) == 1


def test_an_event_without_a_queue_waits_and_is_never_marked_sent(bus: BusFixture, publisher: Publisher) -> None:
    bus.service.run(publish_unrouted, "unrouted")
    with running(Relay(bus.db, publisher)):
        assert eventually(lambda: "claim" not in bus.outbox_row("unrouted") and bus.outbox_row("unrouted")["attempts"] >= 2)
    assert "sent_at" not in bus.outbox_row("unrouted")


def test_the_oldest_pending_message_is_the_one_that_was_written_first(bus: BusFixture) -> None:
    """One that is refused again and again has a later next_at than all others."""
    bus.service.run(publish_unrouted, "refused")
    bus.ask()
    an_hour_ago = now() - timedelta(hours=1)
    bus.db.outbox.update_one({"subject": "refused"}, {"$set": {"made_at": an_hour_ago, "next_at": now() + timedelta(minutes=1)}})
    assert outbox.pending(bus.db) == outbox.Pending(2, an_hour_ago)


def test_without_the_broker_a_message_stays_due(bus: BusFixture, publisher: Publisher, work: OutboxWork) -> None:
    echo = bus.ask()
    [message] = work.claim(10)
    publisher.close()
    [future] = work.start([message])
    work.record([(message, future.exception(15))])
    assert bus.outbox_row(echo).keys() & {"sent_at", "claim"} == set()
    assert [again.attempts for again in work.claim(10)] == [1]


def test_what_a_worker_writes_is_published_from_memory(bus: BusFixture, publisher: Publisher) -> None:
    relay = Relay(bus.db, publisher)
    with publishing_from_memory(bus, relay):
        echo = bus.ask()
        assert eventually(lambda: bus.count(topology.queue_of(NAME)) == 1), "though the relay's loop does not run"
        with running(relay):
            assert eventually(lambda: "sent_at" in bus.outbox_row(echo))
    assert bus.count(topology.queue_of(NAME)) == 1


def test_what_was_written_without_a_lease_is_left_to_whoever_claims_it(bus: BusFixture, publisher: Publisher) -> None:
    """Written while the broker was away, committed when it was back."""
    relay, without = Relay(bus.db, publisher), bus.ask()
    relay.submit([outbox.from_document(bus.outbox_row(without))])
    with publishing_from_memory(bus, relay):
        bus.ask()
    assert eventually(lambda: bus.count(topology.queue_of(NAME)) == 1)
    with running(relay):
        assert eventually(lambda: "sent_at" in bus.outbox_row(without))
    assert bus.count(topology.queue_of(NAME)) == 2


def test_what_a_worker_writes_is_its_own_for_longer_than_the_longest_transaction_lasts(bus: BusFixture, work: OutboxWork) -> None:
    """The lease begins when the message is made, and the commit may come a whole transaction later."""
    ends = work.written_lease()["next_at"]
    assert ends - datetime.now(UTC) > LONGEST_TRANSACTION + LEASE / 2


def test_what_a_worker_wrote_and_did_not_live_to_publish_is_published_by_another(
    bus: BusFixture, publisher: Publisher, work: OutboxWork
) -> None:
    class Killed(Relay):
        def submit(self, messages: object) -> None:
            """The process ended right after the commit."""

    with publishing_from_memory(bus, Killed(bus.db, publisher)):
        bus.ask()
    assert work.claim(10) == []
    let_leases_end(bus)
    with running(Relay(bus.db, publisher)):
        assert eventually(lambda: unsent(bus) == 0)
    assert bus.count(topology.queue_of(NAME)) == 1


def test_what_could_not_be_published_from_memory_is_due_again(bus: BusFixture, publisher: Publisher) -> None:
    relay = Relay(bus.db, publisher)
    with publishing_from_memory(bus, relay), running(relay):
        bus.service.run(publish_unrouted, "unrouted")
        assert eventually(lambda: bus.outbox_row("unrouted").get("attempts", 0) >= 2)
    assert "sent_at" not in bus.outbox_row("unrouted")


def test_sent_messages_can_be_made_due_again(bus: BusFixture, publisher: Publisher) -> None:
    first, second = bus.ask(), bus.ask()
    with running(Relay(bus.db, publisher)):
        assert eventually(lambda: unsent(bus) == 0)
    assert outbox.count_sent(bus.db, subjects=[first]) == 1
    assert outbox.count_sent(bus.db, since=now() + timedelta(hours=1)) == 0
    assert outbox.reemit(bus.db, subjects=[first]) == 1
    with running(Relay(bus.db, publisher)):
        assert eventually(lambda: unsent(bus) == 0)
    assert bus.count(topology.queue_of(NAME)) == 3
    assert outbox.count_sent(bus.db) == 2, second
