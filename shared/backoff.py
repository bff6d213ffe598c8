"""The one backoff rule: exponential with jitter; and the circuit breaker that waits by it."""

import random
import threading
import time
from datetime import timedelta


def delay(attempt: int, *, base: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after failure number `attempt` (from 1): `base`, doubled each time up to `longest`, times 0.5 to 1.

    The jitter keeps many workers that failed together from coming back together.
    """
    doublings = min(max(attempt - 1, 0), 30)
    whole = min(longest, base * float(2**doublings))
    return whole * random.uniform(0.5, 1.0)  # noqa: S311


class Breaker:
    """While somebody else's server cannot be reached at all, nobody calls it; the pause grows with each failure in a row."""

    def __init__(self, *, base: timedelta, longest: timedelta) -> None:
        self._base, self._longest = base, longest
        self._guard = threading.Lock()
        self._failures, self._closed_at = 0, 0.0

    def is_closed(self) -> bool:
        """True: it may be called."""
        return time.monotonic() >= self._closed_at

    def record(self, *, reached: bool) -> None:
        with self._guard:
            if reached:
                self._failures = 0
                return
            self._failures += 1
            pause = delay(self._failures, base=self._base, longest=self._longest)
            self._closed_at = time.monotonic() + pause.total_seconds()
