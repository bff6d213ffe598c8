"""What runs in a worker beside the bus: timers, tasks, and the pulse that asks whether Mongo is there."""

import random
import threading
import time
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from shared import metrics
from shared.bus.settle import answers, place_of
from shared.clock import now
from shared.logs import get_logger
from shared.service import Service, Task, Timer

SECONDS_TO_FIND = 30
PULSE_EVERY = 2.0
LONGEST_PAUSE = 60.0
log = get_logger("bus.beside")


def run_timer(service: Service, timer: Timer, stop: threading.Event) -> None:
    pause = min(timer.seconds, 2.0)
    while not stop.wait(pause * random.uniform(0.8, 1.2)):  # noqa: S311
        pause = timer.seconds
        try:
            with pymongo.timeout(SECONDS_TO_FIND):
                found = list(timer.find(service.db))
        except Exception as error:
            _note_failure(service, timer, error)
            continue
        for item in found:
            if stop.is_set():
                return
            _run_one(service, timer, item)


def _run_one(service: Service, timer: Timer, item: Any) -> None:
    try:
        service.run(timer.handler, item)
    except Exception as error:
        _note_failure(service, timer, error)


def _note_failure(service: Service, timer: Timer, error: Exception) -> None:
    metrics.TIMER_FAILURES.labels(service.name, timer.handler.__name__).inc()
    reason = f"{type(error).__name__} at {place_of(error)}"
    log.warning("a timer's item failed and is tried again next time", extra={"handler": timer.handler.__name__, "reason": reason})


def run_task(service: Service, task: Task, stop: threading.Event) -> None:
    """Begin the task again whenever it ends before it was told to."""
    failures = 0
    while not stop.is_set():
        begun = time.monotonic()
        try:
            task.run(service.db, stop)
        except Exception:
            log.exception("a task failed", extra={"task": task.name})
        if stop.is_set():
            return
        failures = 0 if time.monotonic() - begun > LONGEST_PAUSE else failures + 1
        metrics.TASK_RESTARTS.labels(service.name, task.name).inc()
        stop.wait(min(LONGEST_PAUSE, 2.0 ** min(failures, 6)) * random.uniform(0.5, 1.0))  # noqa: S311


class Pulse:
    """Asks Mongo every two seconds, and counts what waits in the outbox."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._there = False

    def mongo(self) -> bool:
        return self._there

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._there = answers(self._service.db)
            if self._there:
                self._count()
            stop.wait(PULSE_EVERY)

    def _count(self) -> None:
        pending = {"next_at": {"$exists": True}}
        try:
            with pymongo.timeout(SECONDS_TO_FIND):
                count = self._service.db.outbox.count_documents(pending)
                oldest = self._service.db.outbox.find_one(pending, {"made_at": 1}, sort=[("next_at", 1)])
        except PyMongoError:
            return
        metrics.OUTBOX_PENDING.labels(self._service.name).set(count)
        age = (now() - oldest["made_at"]).total_seconds() if oldest else 0.0
        metrics.OUTBOX_OLDEST.labels(self._service.name).set(max(0.0, age))
