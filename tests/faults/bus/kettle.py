"""A tiny service with handlers that fail in every way, and helpers to run its worker on the real broker and Mongo."""

import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
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

NAME = f"kettle_{os.getpid()}"


@contract("kettle.filled.v1", about="kettle_id")
class KettleFilled(Event):
    kettle_id: str
    how: str = "well"


@contract("kettle.boiled.v1", about="kettle_id")
class KettleBoiled(Event):
    kettle_id: str


@contract("kettle.whistled.v1", about="kettle_id")
class KettleWhistled(Event):
    """Nobody hears it."""

    kettle_id: str


class TooHot(Exception):
    pass


class Control:
    """What the test decides about the handlers while they run."""

    def __init__(self) -> None:
        self.broken = threading.Event()
        self.mongo_away = threading.Event()
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.calls = 0


class Kettle(Service):
    def start(self, settings: Settings) -> Service:
        """As every service, with the keys of one that exists."""
        db, programme = connect(settings.mongodb_uri, self.name), read_programme(settings.programme_file)
        return self.configure(db, load_vault(settings.keys_dir, "notify"), programme, settings.public_url)


def make_service(control: Control, name: str = NAME) -> Service:
    service = Kettle(name)

    @service.on(KettleFilled)
    def boil_it(message: KettleFilled, db: Db) -> list[Event]:
        control.calls += 1
        control.entered.set()
        if control.mongo_away.is_set():
            raise AutoReconnect("no primary")
        if message.how == "not yet" and control.broken.is_set():
            raise RetryLater
        if message.how == "badly" and control.broken.is_set():
            raise TooHot("Juniper burnt her hand")
        control.go_on.wait(20)
        db.boiled.insert_one({"_id": message.kettle_id})
        return [KettleBoiled(kettle_id=message.kettle_id)]

    @service.on(KettleBoiled)
    def pour_it(message: KettleBoiled, db: Db) -> list[Event]:
        db.poured.insert_one({"_id": message.kettle_id, "at": now()})
        return []

    return service


def fill(message: KettleFilled, db: Db) -> list[Event]:
    """A form: the way news begins."""
    return [message]


def whistle(message: str, db: Db) -> list[Event]:
    return [KettleWhistled(kettle_id=message)]


class Bench:
    """One service with its own queues and database; workers come and go."""

    def __init__(self, mongodb_uri: str, amqp_url: str, keys: Path) -> None:
        self.amqp_url, self.control = amqp_url, Control()
        self.settings = Settings(
            mongodb_uri=mongodb_uri, amqp_url=amqp_url, keys_dir=keys, programme_file=Path("deploy/programme.toml"),
            public_url="https://kt.example", log_level="INFO", metrics_port=0, worker_threads=4,
        )  # fmt: skip
        self.service = make_service(self.control)
        self.service.start(self.settings)
        self.service.make_indexes()
        self.db = connect(mongodb_uri, NAME)
        self.workers: list[Worker] = []

    def begin(self) -> None:
        for name in ("broken", "mongo_away", "entered"):
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
        for rows in ("inbox", "outbox", "boiled", "poured", "marks"):
            self.db[rows].delete_many({})

    def _queues(self) -> list[str]:
        return list(topology.queues_of(NAME, 0))

    def declare(self) -> None:
        topology.declare(self.amqp_url, {NAME: topology.heard_by(self.service)})

    def start_worker(self, **changed: Any) -> Worker:
        settings = Settings(**{**self.settings.__dict__, **changed})
        worker = Worker(make_service(self.control), settings)
        self.workers.append(worker)
        worker.start()
        return worker

    def ready_worker(self, **changed: Any) -> Worker:
        worker = self.start_worker(**changed)
        assert eventually(worker.ready), worker.parts()
        return worker

    def fill(self, how: str = "well", kettle_id: str | None = None) -> str:
        kettle_id = kettle_id or str(uuid.uuid4())
        self.service.run(fill, KettleFilled(kettle_id=kettle_id, how=how))
        return kettle_id

    def outbox_row(self, kettle_id: str) -> dict[str, Any]:
        return self.db.outbox.find_one({"subject": kettle_id}) or {}

    def has_poured(self, kettle_id: str) -> bool:
        return self.db.poured.find_one({"_id": kettle_id}) is not None

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

    def is_quiet(self) -> bool:
        """Everything said is sent, and no worker has anything in hand."""
        unsent = self.db.outbox.count_documents({"next_at": {"$exists": True}})
        return not unsent and not any(worker._consumer._in_hand for worker in self.workers)

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
            channel.exchange_delete(
                topology.seal_of(NAME, topology.heard_by(self.service), topology.major_version(channel.connection))
            )
        self.db.client.drop_database(NAME)
        self.db.client.close()


def eventually(true: Callable[[], Any], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.02)
    return False


def as_message(event: Event, event_id: str) -> bytes:
    return to_json(make_envelope(event, id=event_id, source="/test", time=now())).encode()
