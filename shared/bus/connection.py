"""One connection to the broker with an IO thread of its own, opened again for ever. Publisher and Consumer each have one.

Everything that touches the connection runs on that thread; `_call_on_io_thread` is the only way in from another one.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.exceptions import ProbableAccessDeniedError, ProbableAuthenticationError

from shared import metrics
from shared.backoff import delay
from shared.heartbeat import Heartbeat
from shared.logs import get_logger

HEARTBEAT_SECONDS = 15
CHECK_EVERY = 1.0
STABLE_AFTER = 10.0
"""A connection that lasted this long starts again with the shortest pause."""
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.25), timedelta(seconds=5)
SHORTEST_PAUSE_WHEN_REFUSED, LONGEST_PAUSE_WHEN_REFUSED = timedelta(seconds=1), timedelta(seconds=60)
IO_THREAD_LIMIT = timedelta(seconds=30)
log = get_logger("bus.connection")


class Aborted(Exception):
    """We ended this connection ourselves; the text says why."""


class ReconnectingConnection:
    def __init__(self, amqp_url: str, service: str, name: str) -> None:
        self._service, self._name = service, name
        self._parameters = pika.URLParameters(amqp_url)
        self._parameters.heartbeat = HEARTBEAT_SECONDS
        self._parameters.socket_timeout, self._parameters.stack_timeout = 5, 10
        self._parameters.client_properties = {"connection_name": f"{service}.{name}"}
        self._connection: Any = None
        self._channel: Any = None
        self._loop: Any = None
        self._guard = threading.Lock()
        self._closing = threading.Event()
        self._failures = 0
        self._opened_at: float | None = None
        self._heartbeat = Heartbeat(IO_THREAD_LIMIT)
        self._thread = threading.Thread(target=self._run, name=f"{service}.{name}", daemon=True)

    # for subclasses, on the IO thread

    def _on_channel_open(self, channel: Any) -> None: ...

    def _on_connection_lost(self) -> None: ...

    def _check_health(self) -> None:
        """Called every second while the channel is open."""

    def _on_blocked(self, blocked: bool) -> None:
        """The broker refuses publishes (memory or disk alarm), or takes them again."""

    # for everybody

    def start(self) -> None:
        self._thread.start()

    def alive(self) -> bool:
        """The IO thread runs and turns. Says nothing about the broker."""
        return self._heartbeat.alive()

    def close(self, timeout: float = 5.0) -> None:
        self._closing.set()
        self._call_on_io_thread(self._close_connection)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _call_on_io_thread(self, call: Callable[[], None]) -> bool:
        """Run `call` on the IO thread; False when there is no connection. One that is lost may take the call with it."""
        with self._guard:
            if self._loop is None:
                return False
            self._loop.add_callback_threadsafe(call)
            return True

    def _abort(self, reason: str) -> None:
        """End the connection now, without the broker's consent: it may not be listening."""
        log.warning("aborting a connection to the broker", extra={"task": self._name, "reason": reason})
        _terminate(self._connection, reason)

    # the loop

    def _run(self) -> None:
        while not self._closing.is_set():
            error = self._open_until_lost()
            if self._closing.is_set():
                break
            stable = self._opened_at is not None and time.monotonic() - self._opened_at > STABLE_AFTER
            self._failures, self._opened_at = 1 if stable else self._failures + 1, None
            pause = self._pause_after(error)
            metrics.RECONNECTS.labels(self._service, self._name).inc()
            log.warning(
                "no connection to the broker, opening one again",
                extra={"task": self._name, "reason": type(error).__name__, "seconds": round(pause, 2)},
            )
            self._wait(pause)
        self._heartbeat.stop()

    def _pause_after(self, error: BaseException | None) -> float:
        refused = isinstance(error, ProbableAuthenticationError | ProbableAccessDeniedError)
        base, longest = (SHORTEST_PAUSE_WHEN_REFUSED, LONGEST_PAUSE_WHEN_REFUSED) if refused else (SHORTEST_PAUSE, LONGEST_PAUSE)
        return delay(self._failures, base=base, longest=longest).total_seconds()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._closing.wait(min(left, CHECK_EVERY)):
            self._heartbeat.beat()

    def _open_until_lost(self) -> BaseException | None:
        self._heartbeat.beat()
        errors: list[BaseException] = []

        def ended(_: Any, error: BaseException) -> None:
            errors.append(error)
            loop.stop()

        try:
            loop = IOLoop()
            connection = SelectConnection(
                self._parameters,
                on_open_callback=self._on_connection_open,
                on_open_error_callback=ended,
                on_close_callback=ended,
                custom_ioloop=loop,
            )
        except Exception as error:  # no file descriptor is left, for one
            return error
        with self._guard:
            self._connection, self._loop = connection, loop
        try:
            if self._closing.is_set():  # close() came before there was a loop to call
                return None
            self._beat_again(loop)
            loop.start()
        except Exception as error:
            log.exception("a callback on the IO thread failed", extra={"task": self._name})
            errors.append(error)
        finally:
            self._clean_up(connection, loop)
        return errors[0] if errors else None

    def _beat_again(self, loop: Any) -> None:
        self._heartbeat.beat()
        loop.call_later(CHECK_EVERY, lambda: self._beat_again(loop))

    def _clean_up(self, connection: Any, loop: Any) -> None:
        with self._guard:
            self._loop = None
        self._channel = None
        self._on_connection_lost()
        with suppress(Exception):
            _terminate(connection, "left behind")
        with suppress(Exception):
            loop.close()

    def _on_connection_open(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._on_blocked(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._on_blocked(False))
        connection.channel(on_open_callback=self._begin_channel)

    def _begin_channel(self, channel: Any) -> None:
        self._channel, self._opened_at = channel, time.monotonic()
        channel.add_on_close_callback(self._on_channel_closed)
        self._on_channel_open(channel)
        self._schedule_health_check(channel)

    def _on_channel_closed(self, _: Any, error: BaseException) -> None:
        self._channel = None
        if not self._closing.is_set() and self._connection.is_open:
            code = getattr(error, "reply_code", 0)
            missing = f" {getattr(error, 'reply_text', '')}" if code == 404 else ""  # names a queue or exchange, nothing else
            self._abort(f"channel closed: {code}{missing}")

    def _schedule_health_check(self, channel: Any) -> None:
        if channel is self._channel and channel.is_open:
            self._check_health()
            self._loop.call_later(CHECK_EVERY, lambda: self._schedule_health_check(channel))

    def _close_connection(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        elif not self._connection.is_closed:
            self._abort("closing")


def _terminate(connection: Any, reason: str) -> None:
    """Pika's public close() waits for the broker's answer with no deadline; this private method does not. tests/faults/bus/
    test_pika_private_names.py says with which versions of pika it was tried."""
    if not connection.is_closed:
        connection._terminate_stream(Aborted(reason))
