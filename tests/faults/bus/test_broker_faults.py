"""The broker goes, goes silent, forgets a queue; a worker is stopped or killed: nothing is lost, nothing done twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from shared.bus import topology
from shared.bus.broker_user import verifies_publishers
from shared.bus.publisher import BrokerUnavailable, OutgoingMessage, Publisher
from tests.eventually import eventually, never
from tests.faults.bus import nodes
from tests.faults.bus.echo_service import NAME, BusFixture, EchoAnswered, as_message
from tests.faults.bus.proxy import Proxy

pytestmark = pytest.mark.broker


def test_connections_that_break_again_and_again_lose_nothing_and_do_nothing_twice(bus: BusFixture, proxy: Proxy) -> None:
    workers = [bus.ready_worker(amqp_url=proxy.amqp_url) for _ in range(2)]
    echoes = []
    for _ in range(4):
        echoes += [bus.ask() for _ in range(25)]
        proxy.cut_once()
    assert eventually(lambda: bus.db.recorded.count_documents({}) == len(echoes), 40)
    assert eventually(lambda: bus.is_idle() and all(worker.ready() for worker in workers))
    assert bus.db.answered.count_documents({}) == len(echoes)
    assert bus.count(topology.dead_queue_of(NAME)) == 0


def test_with_the_broker_away_forms_are_accepted_and_arrive_when_it_is_back(bus: BusFixture, proxy: Proxy) -> None:
    worker = bus.ready_worker(amqp_url=proxy.amqp_url)
    proxy.cut()
    assert eventually(lambda: not worker.ready())
    echo = bus.ask()
    assert bus.outbox_row(echo)["attempts"] == 0
    assert worker.alive()
    proxy.heal()
    assert eventually(lambda: bus.is_recorded(echo))
    assert worker.ready()


def test_a_worker_that_starts_before_the_broker_waits_for_it(bus: BusFixture, proxy: Proxy) -> None:
    proxy.cut()
    echo = bus.ask()
    worker = bus.start_worker(amqp_url=proxy.amqp_url)
    assert eventually(lambda: worker.parts()["mongo"])
    assert not worker.ready()
    proxy.heal()
    assert eventually(lambda: bus.is_recorded(echo))


def test_a_broker_that_goes_silent_is_given_up_and_every_publish_ends(bus: BusFixture, proxy: Proxy) -> None:
    publisher = Publisher(proxy.amqp_url, NAME)
    publisher.start()
    assert publisher.wait_until_ready(10)
    proxy.go_silent()
    begun = time.monotonic()
    future = publisher.publish(
        OutgoingMessage(topology.EVENTS, EchoAnswered.event_type, as_message(EchoAnswered(echo_id="k"), "e"), "e", "k")
    )
    assert isinstance(future.exception(15), BrokerUnavailable)
    assert time.monotonic() - begun < 14
    proxy.heal()
    assert publisher.wait_until_ready(20)
    publisher.close()


def test_a_deleted_queue_makes_the_worker_not_ready_until_it_is_declared_again(bus: BusFixture) -> None:
    worker = bus.ready_worker()
    with bus.channel() as channel:
        channel.queue_delete(topology.queue_of(NAME))
    assert eventually(lambda: not worker.ready())
    assert never(worker.ready, 2)
    echo = bus.ask()
    bus.declare()
    assert eventually(lambda: bus.is_recorded(echo) and worker.ready(), 30)


def test_a_deleted_retry_queue_is_noticed(bus: BusFixture) -> None:
    worker = bus.ready_worker()
    with bus.channel() as channel:
        channel.queue_delete(topology.retry_queue_of(NAME, "5s"))
        channel.queue_delete(topology.retry_queue_of(NAME, "30s"))
    assert eventually(lambda: not worker.parts()["topology"], 45)
    bus.declare()
    assert eventually(worker.ready)


def test_a_worker_is_not_ready_when_an_older_topology_was_declared(bus: BusFixture) -> None:
    with bus.channel() as channel:
        channel.exchange_delete(bus.fingerprint_exchange())
    worker = bus.start_worker()
    assert eventually(lambda: worker.parts()["publisher"] and worker.parts()["mongo"])
    assert never(worker.ready, 1)
    bus.declare()
    assert eventually(worker.ready)


def test_a_queue_with_other_arguments_is_named_and_not_accepted(bus: BusFixture) -> None:
    queue = topology.retry_queue_of(NAME, "5s")
    with bus.channel() as channel:
        channel.queue_delete(queue)
        channel.queue_declare(queue, durable=True)
    with pytest.raises(topology.TopologyDiffers, match=queue):
        bus.declare()
    with bus.channel() as channel:
        channel.queue_delete(queue)
    bus.declare()


def test_a_worker_with_nothing_to_publish_is_not_ready_while_the_broker_has_an_alarm(
    bus: BusFixture, broker: tuple[str, psutil.Popen | None]
) -> None:
    if broker[1] is None:
        pytest.skip("needs a RabbitMQ of its own")
    worker = bus.ready_worker()
    nodes.control(broker[1], *nodes.DISK_ALARM)
    try:
        assert eventually(lambda: not worker.parts()["publisher"], 60)
        echo = bus.ask()
        assert never(worker.ready, 3)
        assert worker.alive()
    finally:
        nodes.control(broker[1], *nodes.NO_ALARM)
    assert eventually(worker.ready, 60)
    assert eventually(lambda: bus.is_recorded(echo))


def _with_a_wrong_password(amqp_url: str) -> str:
    parts = urlsplit(amqp_url)
    return parts._replace(netloc=f"{parts.username}:wrong@{parts.hostname}:{parts.port}").geturl()


def test_refused_credentials_leave_the_worker_alive_and_not_ready(bus: BusFixture) -> None:
    worker = bus.start_worker(amqp_url=_with_a_wrong_password(bus.amqp_url))
    assert eventually(lambda: worker.parts()["mongo"])
    assert worker.alive()
    assert not worker.parts()["publisher"]


def _a_process(bus: BusFixture, entered: Path, seconds: float) -> subprocess.Popen[bytes]:
    known = {
        "ECHO_SERVICE": NAME, "ECHO_SECONDS": str(seconds), "ECHO_ENTERED": str(entered), "AMQP_URL": bus.amqp_url,
        "MONGODB_URI": bus.settings.mongodb_uri, "KEYS_DIR": str(bus.settings.keys_dir), "PUBLIC_URL": "http://localhost",
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "tests.faults.bus.slow_echo_service"], env={**os.environ, **known})


def test_a_worker_told_to_stop_in_the_middle_of_a_handler_finishes_it(bus: BusFixture, tmp_path: Path) -> None:
    process = _a_process(bus, tmp_path / "entered", seconds=1.5)
    echo = bus.ask()
    assert eventually((tmp_path / "entered").exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(25) == 0
    assert bus.db.answered.find_one({"_id": echo})
    assert "sent_at" in (bus.db.outbox.find_one({"type": EchoAnswered.event_type}) or {})
    bus.ready_worker()
    assert eventually(lambda: bus.is_recorded(echo))
    assert bus.db.answered.count_documents({}) == 1


@pytest.fixture
def short_transactions(bus: BusFixture) -> Iterator[None]:
    """A killed process leaves its transaction open, and its rows locked, until the server ends it: 60 s unless set."""
    name = "transactionLifetimeLimitSeconds"
    before = bus.db.client.admin.command("getParameter", 1, **{name: 1})[name]
    bus.db.client.admin.command("setParameter", 1, **{name: 10})
    yield
    bus.db.client.admin.command("setParameter", 1, **{name: before})


@pytest.mark.usefixtures("short_transactions")
def test_a_second_signal_ends_a_worker_at_once_and_its_message_goes_to_another(bus: BusFixture, tmp_path: Path) -> None:
    process = _a_process(bus, tmp_path / "entered", seconds=20)
    echo = bus.ask()
    assert eventually((tmp_path / "entered").exists)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(3) == 1
    bus.ready_worker()
    assert eventually(lambda: bus.is_recorded(echo), 30)


@pytest.mark.usefixtures("short_transactions")
def test_a_killed_workers_message_goes_to_another_and_is_done_once(bus: BusFixture, tmp_path: Path) -> None:
    process = _a_process(bus, tmp_path / "entered", seconds=20)
    echo = bus.ask()
    assert eventually((tmp_path / "entered").exists)
    process.kill()
    process.wait(5)
    bus.ready_worker()
    assert eventually(lambda: bus.is_recorded(echo), 30)
    assert bus.db.answered.count_documents({}) == 1


def test_under_a_public_address_a_worker_needs_a_user_with_its_own_name(bus: BusFixture) -> None:
    with pytest.raises(SystemExit, match="AMQP_URL") as stopped:
        bus.start_worker(public_url="https://kt.example")
    assert "guest" not in str(stopped.value)


@pytest.mark.parametrize("address", ["amqp://echo:Sec/ret77@127.0.0.1/", "amqp://echo:Secret77@127.0.0.1/?heartbeat=Secret77"])
def test_an_address_that_cannot_be_used_stops_the_start_and_is_not_repeated(bus: BusFixture, address: str) -> None:
    with pytest.raises(SystemExit, match="AMQP_URL") as stopped:
        verifies_publishers(replace(bus.settings, amqp_url=address), "echo")
    assert "Sec" not in str(stopped.value)
