"""Timers, background tasks and the health addresses of a worker."""

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pika
import pytest

from shared.bus.background import TimerLoop, run_task
from shared.bus.processor import MessageProcessor, delivery_from
from shared.bus.publisher import Publisher
from shared.bus.topology import queue_of
from shared.heartbeat import Heartbeat
from shared.messages import Event
from shared.mongo import Db
from shared.service import Timer
from tests.eventually import eventually
from tests.faults.bus.echo_service import (
    NAME,
    BusFixture,
    EchoAsked,
    EchoUnrouted,
    as_message,
    make_service,
    publish_unrouted,
)
from tests.faults.bus.proxy import Proxy

pytestmark = pytest.mark.broker


def test_one_failing_item_of_a_timer_does_not_stop_the_others(bus: BusFixture) -> None:
    def mark(item: str, db: Db) -> list[Any]:
        db.marks.update_one({"_id": item}, {"$inc": {"times": 1}}, upsert=True)
        if item == "bad":
            raise LookupError("Juniper")
        return []

    loop = TimerLoop(bus.service, Timer(0.05, lambda _: ["a", "bad", "b"], mark))
    with started(loop.run) as thread:
        assert eventually(lambda: (bus.db.marks.find_one({"_id": "b"}) or {}).get("times", 0) >= 2)
    assert not thread.is_alive()
    assert loop.alive(), "it ended because it was told to"
    assert bus.db.marks.find_one({"_id": "bad"}) is None


@contextmanager
def started(run: Callable[[threading.Event], None]) -> Iterator[threading.Thread]:
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,))
    thread.start()
    yield thread
    stop.set()
    thread.join(10)


class Ended(BaseException):
    """What no `except Exception` catches."""


@pytest.mark.parametrize("error", [LookupError, Ended, None], ids=["an error", "an exit", "a return"])
def test_a_background_task_that_ends_is_started_again(bus: BusFixture, error: type[BaseException] | None) -> None:
    begun = threading.Semaphore(0)

    def end(stop: threading.Event) -> None:
        begun.release()
        if error:
            raise error

    with started(lambda stop: run_task(bus.service, "ends", end, stop)) as thread:
        assert all(begun.acquire(timeout=30) for _ in range(3))
    assert not thread.is_alive()


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_the_health_addresses_tell_the_truth(bus: BusFixture) -> None:
    port = free_port()
    bus.ready_worker(metrics_port=port)
    echo = bus.ask()
    assert eventually(lambda: bus.is_recorded(echo))
    assert fetch(port, "/livez")[0] == fetch(port, "/readyz")[0] == 200
    assert f'kitchen_handled_total{{handler="answer",outcome="handled",service="{NAME}"}}' in fetch(port, "/metrics")[1]
    assert echo not in fetch(port, "/metrics")[1]
    with bus.channel() as channel:
        channel.queue_delete(queue_of(NAME))
    assert eventually(lambda: fetch(port, "/readyz")[0] == 503)
    assert '"consumer": false' in fetch(port, "/readyz")[1]
    assert fetch(port, "/livez")[0] == 200
    assert fetch(port, "/else")[0] == 404


def test_a_thread_that_hangs_makes_livez_fail_and_is_named(bus: BusFixture) -> None:
    port, heartbeat, let_go = free_port(), Heartbeat(timedelta(seconds=0.5)), threading.Event()
    worker = bus.prepared_worker(metrics_port=port)

    @worker.service.background_task("delivery")
    def hang(db: Db, stop: threading.Event) -> None:
        worker.service.watch("delivery", heartbeat.alive)
        heartbeat.beat()
        let_go.wait()

    worker.start()
    assert eventually(lambda: fetch(port, "/livez")[0] == 503)
    assert '"delivery": false' in fetch(port, "/livez")[1]
    assert '"threads": false' in fetch(port, "/readyz")[1]
    let_go.set()


def test_every_part_of_a_worker_has_a_sign_of_life(bus: BusFixture) -> None:
    worker = bus.prepared_worker()
    worker.service.every(60, lambda _: [])(publish_unrouted)
    worker.service.background_task("delivery")(lambda db, stop: stop.wait() and None)
    worker.start()
    assert eventually(worker.ready)
    assert worker.live_parts() == dict.fromkeys(
        [
            "outbox relay",
            "mongo monitor",
            "publisher",
            "consumer",
            "handlers",
            "broker identity",
            "timer publish_unrouted",
            "task delivery",
            "dead letters",
            "timer delete_overdue",
            "timer delete_erased",
            "timer check_retention",
        ],
        True,
    )


def test_a_call_after_the_commit_that_raises_changes_nothing(bus: BusFixture) -> None:
    service = make_service(bus.control).start(bus.settings)
    called = []

    def fail() -> None:
        called.append("first")
        raise LookupError

    def publish(command: str, db: Db) -> list[Event]:
        service.on_commit(fail)
        service.on_commit(lambda: called.append("second"))
        return publish_unrouted(command, db)

    assert service.run(publish, "a") == [EchoUnrouted(echo_id="a")]
    assert called == ["first", "second"]


def test_what_was_to_be_called_after_a_commit_is_not_called_without_one(bus: BusFixture) -> None:
    service = make_service(bus.control).start(bus.settings)
    called = []

    def fail(_: str, __: Db) -> list[Event]:
        service.on_commit(lambda: called.append("after a failure"))
        raise LookupError

    with pytest.raises(LookupError):
        service.run(fail, "a")
    service.run(publish_unrouted, "b")
    assert called == []


def test_a_handler_that_hangs_is_a_sign_of_death_until_it_returns(bus: BusFixture) -> None:
    publisher = Publisher(bus.amqp_url, NAME)
    processor = MessageProcessor(
        make_service(bus.control).start(bus.settings),
        publisher,
        verify_publishers=False,
        handler_limit=timedelta(seconds=0.2),
    )
    bus.control.go_on.clear()
    body = as_message(EchoAsked(echo_id="k"), "e1")
    delivery = delivery_from(NAME, 0, 1, pika.BasicProperties(message_id="e1"), body)
    handling = threading.Thread(target=processor.process, args=([delivery], lambda _: True, lambda _: None))
    assert processor.alive()
    handling.start()
    assert eventually(lambda: not processor.alive())
    bus.control.go_on.set()
    handling.join(30)
    assert processor.alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_io_thread_that_ends_by_an_error_is_not_alive(bus: BusFixture, proxy: Proxy) -> None:
    class Broken(Publisher):
        def _on_connection_lost(self) -> None:
            raise LookupError

    publisher = Broken(proxy.amqp_url, NAME)
    publisher.start()
    assert publisher.wait_until_ready(30)
    assert publisher.alive()
    proxy.cut()
    assert eventually(lambda: not publisher.alive())
