"""What runs in a worker beside the bus: timers, background tasks, and the monitor that asks whether Mongo answers."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from shared import metrics, outbox
from shared.backoff import delay
from shared.bus.processor import answers, location_of
from shared.clock import now
from shared.heartbeat import Heartbeat
from shared.logs import get_logger
from shared.service import Service, Timer

SECONDS_TO_FIND = 30
MONGO_CHECK_EVERY = 2.0
FIRST_RUN_AFTER = 2.0
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)
TIMER_LIMIT = timedelta(seconds=120)
"""Longer than a slow find, and than one item with all its retries."""
MONITOR_LIMIT = timedelta(seconds=90)
log = get_logger("bus.background")


class TimerLoop:
    def __init__(self, service: Service, timer: Timer) -> None:
        self._service, self._timer = service, timer
        self._heartbeat = Heartbeat(TIMER_LIMIT)
        self.name = f"timer {timer.handler.__name__}"

    def alive(self) -> bool:
        return self._heartbeat.alive()

    def run(self, stop: threading.Event) -> None:
        pause = min(self._timer.seconds, FIRST_RUN_AFTER)
        while not self._wait(pause, stop):
            pause = self._timer.seconds
            for item in self._find():
                if stop.is_set():
                    break
                self._run_one(item)
        self._heartbeat.stop()

    def _wait(self, seconds: float, stop: threading.Event) -> bool:
        until = time.monotonic() + delay(1, base=timedelta(seconds=seconds), longest=timedelta.max).total_seconds()
        while not stop.wait(max(0.0, min(1.0, until - time.monotonic()))):
            self._heartbeat.beat()
            if time.monotonic() >= until:
                return False
        return True

    def _find(self) -> list[Any]:
        try:
            with pymongo.timeout(SECONDS_TO_FIND):
                return list(self._timer.find(self._service.db))
        except Exception as error:
            self._record_failure(error)
            return []

    def _run_one(self, item: Any) -> None:
        self._heartbeat.beat()
        try:
            self._service.run(self._timer.handler, item)
        except Exception as error:
            self._record_failure(error)

    def _record_failure(self, error: Exception) -> None:
        handler = self._timer.handler.__name__
        metrics.TIMER_FAILURES.labels(self._service.name, handler).inc()
        reason = f"{type(error).__name__} at {location_of(error)}"
        log.warning("a timer's item failed and is tried again next time", extra={"handler": handler, "reason": reason})


def run_task(service: Service, name: str, run: Callable[[threading.Event], None], stop: threading.Event) -> None:
    """Start it again whenever it ends, however it ends, before it was told to stop."""
    failures = 0
    while not stop.is_set():
        begun = time.monotonic()
        try:
            run(stop)
        except BaseException:  # nothing else would notice that the thread ended
            log.exception("a background task failed", extra={"task": name})
        if stop.is_set():
            return
        failures = 1 if time.monotonic() - begun > LONGEST_PAUSE.total_seconds() else failures + 1
        metrics.TASK_RESTARTS.labels(service.name, name).inc()
        stop.wait(delay(failures, base=SHORTEST_PAUSE, longest=LONGEST_PAUSE).total_seconds())


class MongoHealthMonitor:
    """Asks Mongo every two seconds, and counts what is pending in the outbox."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._answers = False
        self._heartbeat = Heartbeat(MONITOR_LIMIT)

    def healthy(self) -> bool:
        return self._answers

    def alive(self) -> bool:
        return self._heartbeat.alive()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._heartbeat.beat()
            self._answers = answers(self._service.db)
            if self._answers:
                self._measure_outbox()
            stop.wait(MONGO_CHECK_EVERY)
        self._heartbeat.stop()

    def _measure_outbox(self) -> None:
        try:
            with pymongo.timeout(SECONDS_TO_FIND):
                pending = outbox.pending(self._service.db)
        except PyMongoError:
            return
        age = (now() - pending.oldest).total_seconds() if pending.oldest else 0.0
        metrics.OUTBOX_PENDING.labels(self._service.name).set(pending.count)
        metrics.OUTBOX_OLDEST.labels(self._service.name).set(max(0.0, age))
