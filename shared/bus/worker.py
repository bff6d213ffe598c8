"""The one loop of every worker: start, run until told to stop, stop without losing anything."""

import os
import signal
import threading
import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from types import FrameType

from pymongo.errors import PyMongoError

from shared import logs, metrics
from shared.bus.beside import Pulse, run_task, run_timer
from shared.bus.consumer import Consumer
from shared.bus.health import serve_health
from shared.bus.publisher import Publisher
from shared.bus.relay import Relay
from shared.bus.settle import Settler
from shared.bus.topology import heard_by
from shared.logs import get_logger
from shared.service import Service
from shared.settings import Settings

SECONDS_TO_STOP = 25.0
log = get_logger("bus.worker")


def work(service: Service, settings: Settings) -> None:
    """Run this service's worker until SIGTERM or SIGINT; a second signal ends it at once."""
    logs.set_up(service.name, settings.log_level)
    told = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        if told.is_set():
            os._exit(1)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    worker = Worker(service, settings)
    if worker.start(told):
        log.info("started")
        told.wait()
    worker.stop()
    log.info("stopped")


class Worker:
    def __init__(self, service: Service, settings: Settings) -> None:
        self._service, self._settings = service, settings
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._health: ThreadingHTTPServer | None = None
        self._pulse = Pulse(service)
        self._publisher = Publisher(settings.amqp_url, service.name)
        self._settler = Settler(service, self._publisher)
        self._consumer = Consumer(
            settings.amqp_url, service.name, heard_by(service), self._settler,
            threads=settings.worker_threads, may_take=self._pulse.mongo,
        )  # fmt: skip
        self._relay: Relay | None = None
        self._started = False

    def start(self, told: threading.Event | None = None) -> bool:
        """Start every part; wait for a Mongo that is not there yet. False: told to stop meanwhile."""
        if self._settings.metrics_port:
            host, port = self._settings.metrics_host, self._settings.metrics_port
            self._health = serve_health(host, port, self.alive, self.parts)
        self._service.start(self._settings)
        self._publisher.start()
        if not self._make_indexes(told or self._stop):
            return False
        self._relay = Relay(self._service.db, self._publisher)
        self._relay.start()
        self._service.relay_id = self._relay.id
        self._service.after_commit(self._relay.say)
        self._begin("pulse", lambda: self._pulse.run(self._stop))
        self._consumer.start()
        for timer in self._service.timers:
            self._begin(f"timer {timer.handler.__name__}", lambda t=timer: run_timer(self._service, t, self._stop))  # type: ignore[misc]
        for task in self._service.tasks:
            self._begin(f"task {task.name}", lambda t=task: run_task(self._service, t, self._stop))  # type: ignore[misc]
        self._started = True
        return True

    def stop(self, seconds: float = SECONDS_TO_STOP) -> None:
        until = time.monotonic() + seconds
        self._stop.set()
        self._settler.leave()
        self._consumer.stop_taking()
        if not self._consumer.drain(until - 2):
            log.warning("some messages were not finished in time and go back to their queue")
        for thread in self._threads:
            thread.join(max(0.1, until - 1 - time.monotonic()))
        if self._relay is not None:
            self._relay.stop(max(1.0, until - time.monotonic()))
        self._consumer.close()
        self._publisher.close()
        if self._health is not None:
            self._health.shutdown()
            self._health.server_close()

    def parts(self) -> dict[str, bool]:
        now = {
            "running": not self._stop.is_set(),
            "mongo": self._pulse.mongo(),
            "publisher": self._publisher.ready(),
            "topology": self._consumer.declared(),
            "consumer": self._consumer.ready(),
        }
        for part, there in now.items():
            metrics.READY.labels(self._service.name, part).set(there)
        return now

    def ready(self) -> bool:
        return all(self.parts().values())

    def alive(self) -> bool:
        """Our own threads run; nothing outside is asked."""
        if self._stop.is_set() or not self._started or self._relay is None:
            return True
        return self._relay.alive() and self._publisher.alive() and self._consumer.alive()

    def _begin(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _make_indexes(self, told: threading.Event) -> bool:
        while not told.is_set():
            try:
                self._service.make_indexes()
                return True
            except PyMongoError as error:
                log.warning("waiting for Mongo", extra={"reason": type(error).__name__})
                told.wait(1.0)
        return False
