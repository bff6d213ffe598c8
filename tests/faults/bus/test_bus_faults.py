"""The broker goes, goes silent, forgets a queue; a worker is stopped or killed: nothing is lost, nothing done twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.bus import topology
from shared.bus.publisher import BrokerAway, Outgoing, Publisher
from tests.faults.bus.kettle import NAME, Bench, KettleBoiled, as_message, eventually
from tests.faults.bus.proxy import Proxy

pytestmark = pytest.mark.broker


def test_connections_that_break_again_and_again_lose_nothing_and_do_nothing_twice(bench: Bench, proxy: Proxy) -> None:
    workers = [bench.ready_worker(amqp_url=proxy.amqp_url) for _ in range(2)]
    kettles = []
    for _ in range(4):
        kettles += [bench.fill() for _ in range(25)]
        proxy.cut_once()
    assert eventually(lambda: bench.db.poured.count_documents({}) == len(kettles), 40)
    assert eventually(lambda: bench.is_quiet() and all(worker.ready() for worker in workers))
    assert bench.db.boiled.count_documents({}) == len(kettles)
    assert bench.count(topology.dead_queue_of(NAME)) == 0


def test_with_the_broker_away_forms_are_accepted_and_arrive_when_it_is_back(bench: Bench, proxy: Proxy) -> None:
    worker = bench.ready_worker(amqp_url=proxy.amqp_url)
    proxy.cut()
    assert eventually(lambda: not worker.ready())
    kettle = bench.fill()
    assert bench.outbox_row(kettle)["tries"] == 0
    assert worker.alive()
    proxy.heal()
    assert eventually(lambda: bench.has_poured(kettle))
    assert worker.ready()


def test_a_worker_that_starts_before_the_broker_waits_for_it(bench: Bench, proxy: Proxy) -> None:
    proxy.cut()
    kettle = bench.fill()
    worker = bench.start_worker(amqp_url=proxy.amqp_url)
    assert eventually(lambda: worker.parts()["mongo"])
    assert not worker.ready()
    proxy.heal()
    assert eventually(lambda: bench.has_poured(kettle))


def test_a_broker_that_goes_silent_is_given_up_and_every_publish_ends(bench: Bench, proxy: Proxy) -> None:
    publisher = Publisher(proxy.amqp_url, NAME)
    publisher.start()
    assert publisher.wait_until_ready(10)
    proxy.go_silent()
    begun = time.monotonic()
    future = publisher.publish(
        Outgoing(topology.EVENTS, KettleBoiled.kind, as_message(KettleBoiled(kettle_id="k"), "e"), "e", "k")
    )
    assert isinstance(future.exception(15), BrokerAway)
    assert time.monotonic() - begun < 14
    proxy.heal()
    assert publisher.wait_until_ready(20)
    publisher.close()


def test_a_deleted_queue_makes_the_worker_not_ready_until_it_is_declared_again(bench: Bench) -> None:
    worker = bench.ready_worker()
    with bench.channel() as channel:
        channel.queue_delete(topology.queue_of(NAME))
    assert eventually(lambda: not worker.ready())
    assert not eventually(worker.ready, 2)
    kettle = bench.fill()
    bench.declare()
    assert eventually(lambda: bench.has_poured(kettle) and worker.ready(), 30)


def test_a_deleted_retry_queue_is_noticed(bench: Bench) -> None:
    worker = bench.ready_worker()
    with bench.channel() as channel:
        channel.queue_delete(topology.retry_queue_of(NAME, "5s"))
        channel.queue_delete(topology.retry_queue_of(NAME, "30s"))
    assert eventually(lambda: not worker.parts()["topology"], 45)
    bench.declare()
    assert eventually(worker.ready)


def test_a_worker_is_not_ready_when_an_older_topology_was_declared(bench: Bench) -> None:
    with bench.channel() as channel:
        seal = topology.seal_of(NAME, topology.heard_by(bench.service), topology.major_version(channel.connection))
        channel.exchange_delete(seal)
    worker = bench.start_worker()
    assert eventually(lambda: worker.parts()["publisher"] and worker.parts()["mongo"])
    assert not eventually(worker.ready, 1)
    bench.declare()
    assert eventually(worker.ready)


def test_a_queue_with_other_arguments_is_named_and_not_accepted(bench: Bench) -> None:
    queue = topology.retry_queue_of(NAME, "5s")
    with bench.channel() as channel:
        channel.queue_delete(queue)
        channel.queue_declare(queue, durable=True)
    with pytest.raises(topology.TopologyDiffers, match=queue):
        bench.declare()
    with bench.channel() as channel:
        channel.queue_delete(queue)
    bench.declare()


def _with_a_wrong_password(amqp_url: str) -> str:
    parts = urlsplit(amqp_url)
    return parts._replace(netloc=f"{parts.username}:wrong@{parts.hostname}:{parts.port}").geturl()


def test_refused_credentials_leave_the_worker_alive_and_not_ready(bench: Bench) -> None:
    worker = bench.start_worker(amqp_url=_with_a_wrong_password(bench.amqp_url))
    assert eventually(lambda: worker.parts()["mongo"])
    assert worker.alive()
    assert not worker.parts()["publisher"]


def _a_process(bench: Bench, entered: Path, seconds: float) -> subprocess.Popen[bytes]:
    known = {
        "KETTLE": NAME, "KETTLE_SECONDS": str(seconds), "KETTLE_ENTERED": str(entered), "AMQP_URL": bench.amqp_url,
        "MONGODB_URI": bench.settings.mongodb_uri, "KEYS_DIR": str(bench.settings.keys_dir), "PUBLIC_URL": "https://kt.example",
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "tests.faults.bus.slow_kettle"], env={**os.environ, **known})


def test_a_worker_told_to_stop_in_the_middle_of_a_handler_finishes_it(bench: Bench, tmp_path: Path) -> None:
    process = _a_process(bench, tmp_path / "entered", seconds=1.5)
    kettle = bench.fill()
    assert eventually((tmp_path / "entered").exists)
    process.send_signal(signal.SIGTERM)
    assert process.wait(25) == 0
    assert bench.db.boiled.find_one({"_id": kettle})
    assert "sent_at" in (bench.db.outbox.find_one({"type": KettleBoiled.kind}) or {})
    bench.ready_worker()
    assert eventually(lambda: bench.has_poured(kettle))
    assert bench.db.boiled.count_documents({}) == 1


@pytest.fixture
def short_transactions(bench: Bench) -> Iterator[None]:
    """A killed process leaves its transaction open, and its rows locked, until the server ends it: 60 s unless set."""
    name = "transactionLifetimeLimitSeconds"
    before = bench.db.client.admin.command("getParameter", 1, **{name: 1})[name]
    bench.db.client.admin.command("setParameter", 1, **{name: 10})
    yield
    bench.db.client.admin.command("setParameter", 1, **{name: before})


@pytest.mark.usefixtures("short_transactions")
def test_a_second_signal_ends_a_worker_at_once_and_its_message_goes_to_another(bench: Bench, tmp_path: Path) -> None:
    process = _a_process(bench, tmp_path / "entered", seconds=20)
    kettle = bench.fill()
    assert eventually((tmp_path / "entered").exists)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(3) == 1
    bench.ready_worker()
    assert eventually(lambda: bench.has_poured(kettle), 30)


@pytest.mark.usefixtures("short_transactions")
def test_a_killed_workers_message_goes_to_another_and_is_done_once(bench: Bench, tmp_path: Path) -> None:
    process = _a_process(bench, tmp_path / "entered", seconds=20)
    kettle = bench.fill()
    assert eventually((tmp_path / "entered").exists)
    process.kill()
    process.wait(5)
    bench.ready_worker()
    assert eventually(lambda: bench.has_poured(kettle), 30)
    assert bench.db.boiled.count_documents({}) == 1
