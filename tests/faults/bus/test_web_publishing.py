"""A web process publishes what it wrote itself; what it cannot publish is the worker's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from deploy.local.stack import ROOT
from deploy.servers.processes import end, free_port, is_open, spawn, wait_until
from shared.bus import topology
from shared.bus.web import WebPublishing
from shared.leased_work import DUE_NOW
from tests.eventually import eventually
from tests.faults.bus.echo_service import NAME, BusFixture
from tests.faults.bus.proxy import Proxy

pytestmark = pytest.mark.broker


@contextmanager
def web_process(bus: BusFixture, amqp_url: str) -> Iterator[WebPublishing]:
    publishing = WebPublishing(bus.service, amqp_url)
    publishing.start()
    try:
        yield publishing
    finally:
        publishing.stop()


def arrived(bus: BusFixture) -> int:
    return bus.count(topology.queue_of(NAME))


def test_what_a_web_process_writes_is_published_without_a_worker(bus: BusFixture) -> None:
    with web_process(bus, bus.amqp_url) as web:
        assert web.wait_until_ready(10)
        echo = bus.ask()
        assert eventually(lambda: arrived(bus) == 1)
        assert eventually(lambda: "sent_at" in bus.outbox_row(echo))


def test_what_a_web_process_published_is_noted_before_it_ends(bus: BusFixture) -> None:
    with web_process(bus, bus.amqp_url) as web:
        assert web.wait_until_ready(10)
        echo = bus.ask()
    assert bus.outbox_row(echo).keys() & {"next_at", "claim"} == set()
    assert arrived(bus) == 1


def test_a_web_process_leaves_what_others_wrote_to_the_workers(bus: BusFixture) -> None:
    echo = bus.ask()
    with web_process(bus, bus.amqp_url) as web:
        assert web.wait_until_ready(10)
        own = bus.ask()
        assert eventually(lambda: "sent_at" in bus.outbox_row(own))
    assert bus.outbox_row(echo)["next_at"] == DUE_NOW


def test_without_a_broker_a_web_process_only_writes_and_a_worker_publishes_at_once(bus: BusFixture, proxy: Proxy) -> None:
    with web_process(bus, proxy.amqp_url) as web:
        assert web.wait_until_ready(10)
        proxy.cut()
        assert eventually(lambda: not web.ready())
        echo = bus.ask()
        row = bus.outbox_row(echo)
        assert (row["next_at"], "claim" in row) == (DUE_NOW, False)
        bus.ready_worker()
        assert eventually(lambda: "sent_at" in bus.outbox_row(echo))


def test_what_was_on_its_way_when_the_broker_went_is_due_again_at_once(bus: BusFixture, proxy: Proxy) -> None:
    with web_process(bus, proxy.amqp_url) as web:
        assert web.wait_until_ready(10)
        proxy.go_silent()
        echo = bus.ask()
        proxy.cut()
        assert eventually(lambda: bus.outbox_row(echo).get("next_at") == DUE_NOW)


def test_gunicorn_publishes_and_notes_it_before_it_ends(bus: BusFixture, tmp_path: Path) -> None:
    port = free_port()
    environment = {"ECHO_SERVICE": NAME, "MONGODB_URI": bus.settings.mongodb_uri, "AMQP_URL": bus.amqp_url}
    options = ["-c", "deploy/gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "-w", "1", "tests.faults.bus.echo_wsgi:make_app()"]
    command = [sys.executable, "-m", "gunicorn", *options]
    gunicorn = spawn(tmp_path, "web", command, {**environment, "KEYS_DIR": str(bus.settings.keys_dir)}, ROOT)
    try:
        wait_until(lambda: is_open(port), "Gunicorn", gunicorn)
        assert eventually(lambda: requests.post(f"http://127.0.0.1:{port}/ready", timeout=5).text == "True")
        requests.post(f"http://127.0.0.1:{port}/ask/at-the-end", timeout=5)
    finally:
        end([gunicorn])
    row = bus.outbox_row("at-the-end")
    assert "sent_at" in row
    assert row["attempts"] == 1
    assert arrived(bus) == 1
