"""One connection to the broker with an IO thread of its own, opened again for ever. Publisher and Consumer each hold one.

Everything that touches the connection runs on that thread; `_on_io` is the only way in from another one.
"""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pika
from pika.adapters.select_connection import IOLoop, SelectConnection
from pika.exceptions import ProbableAccessDeniedError, ProbableAuthenticationError

from shared import metrics
from shared.logs import get_logger

HEARTBEAT = 15
LOOK_EVERY = 1.0
STAYED = 10.0
LONGEST_PAUSE = 5.0
LONGEST_PAUSE_WHEN_REFUSED = 60.0
log = get_logger("bus.line")


class Dropped(Exception):
    """We gave this connection up ourselves; the text says why."""


class Line:
    def __init__(self, amqp_url: str, service: str, name: str) -> None:
        self._service, self._name = service, name
        self._parameters = pika.URLParameters(amqp_url)
        self._parameters.heartbeat = HEARTBEAT
        self._parameters.socket_timeout, self._parameters.stack_timeout = 5, 10
        self._parameters.client_properties = {"connection_name": f"{service}.{name}"}
        self._connection: Any = None
        self._channel: Any = None
        self._loop: Any = None
        self._guard = threading.Lock()
        self._leaving = threading.Event()
        self._failures = 0
        self._opened_at: float | None = None
        self._thread = threading.Thread(target=self._keep_open, name=f"{service}.{name}", daemon=True)

    # for subclasses, on the IO thread

    def _opened(self, channel: Any) -> None: ...

    def _lost(self) -> None: ...

    def _look(self) -> None:
        """Called every second while the channel is open."""

    def _blocked(self, blocked: bool) -> None:
        """The broker refuses publishes (memory or disk alarm), or takes them again."""

    # for everybody

    def start(self) -> None:
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self, timeout: float = 5.0) -> None:
        self._leaving.set()
        self._on_io(self._hang_up)
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _on_io(self, call: Callable[[], None]) -> bool:
        """Run `call` on the IO thread; False when there is no connection. A connection that goes may take the call with it."""
        with self._guard:
            if self._loop is None:
                return False
            self._loop.add_callback_threadsafe(call)
            return True

    def _drop(self, why: str) -> None:
        """End the connection now, without the broker's consent: it may not be listening."""
        log.warning("dropping a connection to the broker", extra={"task": self._name, "reason": why})
        if not self._connection.is_closed:
            # The public close() waits for the broker's answer with no deadline.
            self._connection._terminate_stream(Dropped(why))

    # the loop

    def _keep_open(self) -> None:
        while not self._leaving.is_set():
            error = self._open_until_lost()
            if self._leaving.is_set():
                return
            stayed = self._opened_at is not None and time.monotonic() - self._opened_at > STAYED
            self._failures, self._opened_at = 0 if stayed else self._failures + 1, None
            pause = self._pause_after(error)
            metrics.RECONNECTS.labels(self._service, self._name).inc()
            log.warning(
                "no connection to the broker, opening one again",
                extra={"task": self._name, "reason": type(error).__name__, "seconds": round(pause, 2)},
            )
            self._leaving.wait(pause)

    def _pause_after(self, error: BaseException | None) -> float:
        refused = isinstance(error, ProbableAuthenticationError | ProbableAccessDeniedError)
        longest = LONGEST_PAUSE_WHEN_REFUSED if refused else LONGEST_PAUSE
        return float(min(longest, (1.0 if refused else 0.25) * 2.0 ** min(self._failures, 10)) * random.uniform(0.5, 1.0))  # noqa: S311

    def _open_until_lost(self) -> BaseException | None:
        loop, end = IOLoop(), []

        def over(_: Any, error: BaseException) -> None:
            end.append(error)
            loop.stop()

        connection = SelectConnection(
            self._parameters,
            on_open_callback=self._on_open,
            on_open_error_callback=over,
            on_close_callback=over,
            custom_ioloop=loop,
        )
        with self._guard:
            self._connection, self._loop = connection, loop
        try:
            if self._leaving.is_set():  # close() came before there was a loop to tell
                return None
            loop.start()
        except Exception as error:
            log.exception("the IO thread met an error")
            end.append(error)
        finally:
            self._clear_away(connection, loop)
        return end[0] if end else None

    def _clear_away(self, connection: Any, loop: Any) -> None:
        with self._guard:
            self._loop = None
        self._channel = None
        self._lost()
        if not connection.is_closed:
            with suppress(Exception):
                connection._terminate_stream(Dropped("left behind"))
        with suppress(Exception):
            loop.close()

    def _on_open(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._blocked(True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._blocked(False))
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:
        self._channel, self._opened_at = channel, time.monotonic()
        channel.add_on_close_callback(self._on_channel_closed)
        self._opened(channel)
        self._look_again(channel)

    def _on_channel_closed(self, _: Any, error: BaseException) -> None:
        self._channel = None
        if not self._leaving.is_set() and self._connection.is_open:
            code = getattr(error, "reply_code", 0)
            missing = f" {getattr(error, 'reply_text', '')}" if code == 404 else ""  # names a queue or exchange, nothing else
            self._drop(f"channel closed: {code}{missing}")

    def _look_again(self, channel: Any) -> None:
        if channel is self._channel and channel.is_open:
            self._look()
            self._loop.call_later(LOOK_EVERY, lambda: self._look_again(channel))

    def _hang_up(self) -> None:
        if self._connection.is_open:
            self._connection.close()
        elif not self._connection.is_closed:
            self._drop("leaving")
