"""A tiny service with handlers that fail in every way, and helpers to run its worker on the real broker and Mongo."""

import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
from pymongo.errors import AutoReconnect

from shared.bus import topology
from shared.bus.worker import Worker
from shared.clock import now
from shared.messages import Event, contract, make_envelope, to_json
from shared.mongo import Db, connect
from shared.programme import read_programme
from shared.service import RetryLater, Service
from shared.settings import Settings
from shared.vault import load_vault
from tests.eventually import eventually

NAME = os.environ.get("ECHO_SERVICE") or f"echo_{os.getpid()}"


@contract("echo.asked.v1", subject="echo_id", published_by=NAME)
class EchoAsked(Event):
    echo_id: str
    how: str = "ok"


@contract("echo.answered.v1", subject="echo_id", published_by=NAME)
class EchoAnswered(Event):
    echo_id: str


@contract("echo.unrouted.v1", subject="echo_id", published_by=NAME)
class EchoUnrouted(Event):
    """Nobody subscribes to it."""

    echo_id: str


class EchoFailed(Exception):
    pass


class Control:
    """What the test decides about the handlers while they run."""

    def __init__(self) -> None:
        self.broken = threading.Event()
        self.mongo_unavailable = threading.Event()
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.calls = 0


class EchoService(Service):
    def start(self, settings: Settings) -> Service:
        """As every service, with the keys of one that exists."""
        db, programme = connect(settings.mongodb_uri, self.name), read_programme(settings.programme_file)
        return self.configure(db, load_vault(settings.keys_dir, "notify"), programme, settings.public_url)


def make_service(control: Control, name: str = NAME) -> Service:
    service = EchoService(name)

    @service.on(EchoAsked)
    def answer(event: EchoAsked, db: Db) -> list[Event]:
        control.calls += 1
        control.entered.set()
        if control.mongo_unavailable.is_set():
            raise AutoReconnect("no primary")
        if event.how == "unavailable" and control.broken.is_set():
            raise AutoReconnect("no primary")
        if event.how == "retry later" and control.broken.is_set():
            raise RetryLater
        if event.how == "fail" and control.broken.is_set():
            raise EchoFailed("Juniper lost her keys")
        control.go_on.wait(20)
        db.answered.insert_one({"_id": event.echo_id})
        return [EchoAnswered(echo_id=event.echo_id)]

    @service.on(EchoAnswered)
    def record(event: EchoAnswered, db: Db) -> list[Event]:
        db.recorded.insert_one({"_id": event.echo_id, "at": now()})
        return []

    return service


def ask(command: EchoAsked, db: Db) -> list[Event]:
    """What a form does."""
    return [command]


def publish_unrouted(command: str, db: Db) -> list[Event]:
    return [EchoUnrouted(echo_id=command)]


class BusFixture:
    """One service with its own queues and database; workers come and go."""

    def __init__(self, mongodb_uri: str, amqp_url: str, keys: Path) -> None:
        self.amqp_url, self.control = amqp_url, Control()
        self.settings = Settings(
            mongodb_uri=mongodb_uri, amqp_url=amqp_url, keys_dir=keys, programme_file=Path("deploy/programme.toml"),
            public_url="http://127.0.0.1:8000", log_level="INFO", metrics_port=0, worker_threads=4,
        )  # fmt: skip
        self.service = make_service(self.control)
        self.service.start(self.settings)
        self.service.make_indexes()
        self.db = connect(mongodb_uri, NAME)
        self.workers: list[Worker] = []

    def begin(self) -> None:
        for name in ("broken", "mongo_unavailable", "entered"):
            getattr(self.control, name).clear()
        self.control.go_on.set()
        self.control.calls = 0
        self.declare()

    def clear(self) -> None:
        for worker in self.workers:
            worker.stop(3)
        self.workers.clear()
        self.declare()  # a test may have deleted some
        with self.channel() as channel:
            for queue in self._queues():
                channel.queue_purge(queue)
        for rows in ("inbox", "outbox", "answered", "recorded", "marks"):
            self.db[rows].delete_many({})

    def _queues(self) -> list[str]:
        return list(topology.queues_of(NAME, 0))

    def declare(self) -> None:
        topology.declare(self.amqp_url, {NAME: topology.subscriptions_of(self.service)})

    def prepared_worker(self, **changed: Any) -> Worker:
        worker = Worker(make_service(self.control), Settings(**{**self.settings.__dict__, **changed}))
        self.workers.append(worker)
        return worker

    def start_worker(self, **changed: Any) -> Worker:
        worker = self.prepared_worker(**changed)
        worker.start()
        return worker

    def ready_worker(self, **changed: Any) -> Worker:
        worker = self.start_worker(**changed)
        assert eventually(worker.ready), worker.parts()
        return worker

    def ask(self, how: str = "ok", echo_id: str | None = None) -> str:
        echo_id = echo_id or str(uuid.uuid4())
        self.service.run(ask, EchoAsked(echo_id=echo_id, how=how))
        return echo_id

    def outbox_row(self, echo_id: str) -> dict[str, Any]:
        return self.db.outbox.find_one({"subject": echo_id}) or {}

    def is_recorded(self, echo_id: str) -> bool:
        return self.db.recorded.find_one({"_id": echo_id}) is not None

    def fingerprint_exchange(self) -> str:
        with self.channel() as channel:
            broker = topology.major_version(channel.connection)
        return topology.fingerprint_exchange(NAME, topology.subscriptions_of(self.service), broker)

    @contextmanager
    def channel(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.URLParameters(self.amqp_url))
        channel = connection.channel()
        channel.confirm_delivery()
        try:
            yield channel
        finally:
            if connection.is_open:
                connection.close()

    def is_idle(self) -> bool:
        """Every event is sent, and no worker has an unacknowledged message."""
        unsent = self.db.outbox.count_documents({"next_at": {"$exists": True}})
        return not unsent and not any(worker._consumer._unacknowledged for worker in self.workers)

    def count(self, queue: str) -> int:
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def send_raw(self, body: bytes, event_id: str | None = None, **headers: Any) -> None:
        properties = pika.BasicProperties(message_id=event_id, delivery_mode=2, headers=headers or None)
        with self.channel() as channel:
            channel.basic_publish(topology.BACK, NAME, body, properties, mandatory=True)

    def one_dead(self) -> Any:
        """The only dead letter: (properties, body). It stays where it is."""
        with self.channel() as channel:
            method, properties, body = channel.basic_get(topology.dead_queue_of(NAME))
            assert method, "no dead letter"
            assert channel.basic_get(topology.dead_queue_of(NAME))[0] is None, "more than one dead letter"
        return properties, body

    def close(self) -> None:
        with self.channel() as channel:
            for queue in self._queues():
                channel.queue_delete(queue)
            channel.exchange_delete(self.fingerprint_exchange())
            if identity := self.db.broker.find_one():
                channel.exchange_delete(topology.marker_of(NAME, identity["broker_id"]))
        self.db.client.drop_database(NAME)
        self.db.client.close()


def as_message(event: Event, event_id: str) -> bytes:
    return to_json(make_envelope(event, id=event_id, source=f"/{NAME}", time=now())).encode()
