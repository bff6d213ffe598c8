"""Timers, tasks and the health addresses of a worker."""

import socket
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from shared.bus.beside import run_task, run_timer
from shared.bus.topology import queue_of
from shared.mongo import Db
from shared.service import Task, Timer
from tests.faults.bus.kettle import NAME, Bench, eventually

pytestmark = pytest.mark.broker


def test_one_failing_item_of_a_timer_does_not_stop_the_others(bench: Bench) -> None:
    def mark(item: str, db: Db) -> list[Any]:
        db.marks.update_one({"_id": item}, {"$inc": {"times": 1}}, upsert=True)
        if item == "bad":
            raise LookupError("Juniper")
        return []

    stop = threading.Event()
    timer = Timer(0.05, lambda _: ["a", "bad", "b"], mark)
    thread = threading.Thread(target=run_timer, args=(bench.service, timer, stop))
    thread.start()
    assert eventually(lambda: (bench.db.marks.find_one({"_id": "b"}) or {}).get("times", 0) >= 2)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert bench.db.marks.find_one({"_id": "bad"}) is None


def test_a_task_that_fails_is_begun_again(bench: Bench) -> None:
    begun = threading.Semaphore(0)

    def fail(db: Db, stop: threading.Event) -> None:
        begun.release()
        raise LookupError

    stop = threading.Event()
    thread = threading.Thread(target=run_task, args=(bench.service, Task("fails", fail), stop))
    thread.start()
    assert all(begun.acquire(timeout=10) for _ in range(2))
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_health_addresses_say_what_is_so(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    bench.ready_worker(metrics_port=port)
    kettle = bench.fill()
    assert eventually(lambda: bench.has_poured(kettle))
    assert ask(port, "/livez")[0] == ask(port, "/readyz")[0] == 200
    assert f'kitchen_handled_total{{handler="boil_it",outcome="handled",service="{NAME}"}}' in ask(port, "/metrics")[1]
    assert kettle not in ask(port, "/metrics")[1]
    with bench.channel() as channel:
        channel.queue_delete(queue_of(NAME))
    assert eventually(lambda: ask(port, "/readyz")[0] == 503)
    assert '"consumer": false' in ask(port, "/readyz")[1]
    assert ask(port, "/livez")[0] == 200
    assert ask(port, "/else")[0] == 404
