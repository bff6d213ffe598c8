"""A page is answered within 10 seconds, also while MongoDB hangs: all its database work together has one deadline."""

import time
from collections.abc import Iterable
from typing import Any

import pymongo
from flask import Flask

SECONDS = 8.0  # leaves two for waiting in the server's queue and for drawing the page
# Once a page ran out of time, the next ones give up sooner: they share threads, and whoever waits behind them waits twice.
SECONDS_AFTER_A_TIMEOUT = 2.0
TIMEOUT_REMEMBERED_SECONDS = 10.0


class Deadline:
    """WSGI middleware. Nested `pymongo.timeout` blocks (transactions, health checks) can only shorten it."""

    def __init__(self, wsgi_app: Any) -> None:
        self._wsgi_app = wsgi_app
        self._short_until = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with pymongo.timeout(self._seconds()):
            answer: Iterable[bytes] = self._wsgi_app(environ, start_response)
            return answer

    def timed_out(self) -> None:
        self._short_until = time.monotonic() + TIMEOUT_REMEMBERED_SECONDS

    def _seconds(self) -> float:
        return SECONDS_AFTER_A_TIMEOUT if time.monotonic() < self._short_until else SECONDS


def add_to(app: Flask) -> None:
    deadline = Deadline(app.wsgi_app)
    app.wsgi_app = deadline  # type: ignore[method-assign]
    app.extensions["deadline"] = deadline
