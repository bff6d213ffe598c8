"""Signs of life of threads, from which /livez tells whether this process still works."""

import threading
import time
from datetime import timedelta


class Heartbeat:
    """Beaten by a loop each time it turns. Alive while the last beat is younger than `limit` and the thread that beat still runs.

    `limit` must be longer than the slowest turn that is still healthy. Before the first beat the age counts from the start.
    """

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit.total_seconds()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._beaten_at = time.monotonic()

    def beat(self) -> None:
        self._thread, self._stopped, self._beaten_at = threading.current_thread(), False, time.monotonic()

    def stop(self) -> None:
        """The loop was told to end: no beat is expected from here on, and `alive` stays true."""
        self._stopped = True

    def alive(self) -> bool:
        if self._stopped:
            return True
        runs = self._thread is None or self._thread.is_alive()
        return runs and time.monotonic() - self._beaten_at <= self._limit
