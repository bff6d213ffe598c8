"""The worker of a service: starts every part, runs until told to stop, stops without losing anything."""

import os
import signal
import threading
import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from types import FrameType

from pymongo.errors import PyMongoError

from shared import logs, metrics
from shared.bus.background import MongoHealthMonitor, TimerLoop, run_task
from shared.bus.broker_identity import BrokerIdentity
from shared.bus.broker_user import verifies_publishers
from shared.bus.consumer import Consumer
from shared.bus.dead_letter_monitor import DeadLetterMonitor
from shared.bus.health import serve_health
from shared.bus.processor import MessageProcessor
from shared.bus.publisher import Publisher
from shared.bus.relay import Relay
from shared.bus.topology import subscriptions_of
from shared.logs import get_logger
from shared.memory import keep_out_of_collections
from shared.service import Service
from shared.settings import Settings

SECONDS_TO_STOP = 25.0
log = get_logger("bus.worker")


def work(service: Service, settings: Settings) -> None:
    """Run this service's worker until SIGTERM or SIGINT; a second signal ends it at once."""
    logs.set_up(service.name, settings.log_level)
    stop = threading.Event()

    def on_signal(_: int, __: FrameType | None) -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    worker = Worker(service, settings)
    if worker.start(stop):
        keep_out_of_collections()
        log.info("started")
        stop.wait()
    worker.stop()
    log.info("stopped")


class Worker:
    def __init__(self, service: Service, settings: Settings) -> None:
        self.service, self._settings = service, settings
        self._stop, self._stop_relay = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._relay_thread: threading.Thread | None = None
        self._health: ThreadingHTTPServer | None = None
        self._mongo = MongoHealthMonitor(service)
        self._publisher = Publisher(settings.amqp_url, service.name)
        verify_publishers = verifies_publishers(settings, service.name)
        self._processor = MessageProcessor(service, self._publisher, verify_publishers=verify_publishers)
        self._consumer = Consumer(
            settings.amqp_url,
            service.name,
            subscriptions_of(service),
            self._processor,
            threads=settings.worker_threads,
            may_consume=self._mongo.healthy,
        )
        self._relay: Relay | None = None
        self._started = False

    def start(self, stop: threading.Event | None = None) -> bool:
        """Start every part; wait for a Mongo that is not there yet. False: told to stop meanwhile."""
        self._serve_health()
        self.service.start(self._settings)
        self._publisher.start()
        if not self._make_indexes(stop or self._stop):
            return False
        self._start_relay()
        self._start_part("mongo monitor", self._mongo.run, self._mongo.alive)
        self._consumer.start()
        self._watch_parts()
        self._start_background()
        self._started = True
        return True

    def stop(self, seconds: float = SECONDS_TO_STOP) -> None:
        until = time.monotonic() + seconds
        self._stop.set()
        self._processor.stop()
        self._consumer.stop_consuming()
        if not self._consumer.drain(until - 2):
            log.warning("some messages were not finished in time and go back to their queue")
        for thread in self._threads:
            thread.join(max(0.1, until - 1 - time.monotonic()))
        self._end_relay(until)  # last, so that it publishes what the others have just written
        self._consumer.close()
        self._publisher.close()
        if self._health is not None:
            self._health.shutdown()
            self._health.server_close()

    def _end_relay(self, until: float) -> None:
        self._stop_relay.set()
        if self._relay is not None and self._relay_thread is not None:
            self._relay.wake_up.stop()
            self._relay_thread.join(max(1.0, until - time.monotonic()))

    def parts(self) -> dict[str, bool]:
        """What this worker needs to do its work, and whether it has it."""
        now = {
            "running": not self._stop.is_set(),
            "mongo": self._mongo.healthy(),
            "publisher": self._publisher.ready(),
            "topology": self._consumer.declared(),
            "consumer": self._consumer.ready(),
            "threads": self.alive(),
            **{part: makes_progress() for part, makes_progress in list(self.service.progress.items())},
        }
        for part, there in now.items():
            metrics.READY.labels(self.service.name, part).set(there)
        return now

    def ready(self) -> bool:
        return all(self.parts().values())

    def live_parts(self) -> dict[str, bool]:
        """Each of our own threads, and whether it runs and has turned lately; nothing outside is asked."""
        if self._stop.is_set() or not self._started:
            return {}
        now = {part: alive() for part, alive in list(self.service.parts.items())}
        for part, alive in now.items():
            metrics.ALIVE.labels(self.service.name, part).set(alive)
        return now

    def alive(self) -> bool:
        return all(self.live_parts().values())

    def _serve_health(self) -> None:
        if self._settings.metrics_port:
            host, port = self._settings.metrics_host, self._settings.metrics_port
            self._health = serve_health(host, port, self.live_parts, self.parts)

    def _watch_parts(self) -> None:
        self.service.watch("publisher", self._publisher.alive)
        self.service.watch("consumer", self._consumer.alive)
        self.service.watch("handlers", self._processor.alive)

    def _start_relay(self) -> None:
        self._relay = relay = Relay(self.service.db, self._publisher)
        relay.watch()
        self.service.publish_with(relay)
        self._relay_thread = self._start_part("outbox relay", relay.run, relay.alive, self._stop_relay)

    def _start_background(self) -> None:
        identity = BrokerIdentity(
            self.service.db, self.service.name, self._settings.amqp_url, lambda: self._publisher.connections
        )
        self._threads.append(self._start_part("broker identity", identity.run, identity.alive))
        monitor = DeadLetterMonitor(self.service, self._settings.amqp_url)
        self._threads.append(self._start_part("dead letters", monitor.run, monitor.alive))
        for timer in self.service.timers:
            loop = TimerLoop(self.service, timer)
            self._threads.append(self._start_part(loop.name, loop.run, loop.alive))
        for task in self.service.tasks:
            run = task.run

            def run_on_db(stop: threading.Event, run: Callable[..., None] = run) -> None:
                run(self.service.db, stop)

            self._threads.append(self._start_part(f"task {task.name}", run_on_db))

    def _start_part(
        self,
        name: str,
        run: Callable[[threading.Event], None],
        alive: Callable[[], bool] | None = None,
        stop: threading.Event | None = None,
    ) -> threading.Thread:
        """Run it in a thread of its own, again whenever it ends; the thread itself is watched, and `alive` with it."""
        arguments = (self.service, name, run, stop or self._stop)
        thread = threading.Thread(target=run_task, args=arguments, name=name, daemon=True)
        thread.start()
        self.service.watch(name, lambda: thread.is_alive() and (alive is None or alive()))
        return thread

    def _make_indexes(self, stop: threading.Event) -> bool:
        while not stop.is_set():
            try:
                self.service.make_indexes()
                return True
            except PyMongoError as error:
                log.warning("waiting for Mongo", extra={"reason": type(error).__name__})
                stop.wait(1.0)
        return False
