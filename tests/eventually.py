"""Waiting in tests for what other threads and processes do."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], seconds: float = 30) -> bool:
    """True as soon as it is so; AssertionError when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not come within {seconds:g} seconds"
        time.sleep(0.02)
    return True


def never(condition: Callable[[], object], seconds: float) -> bool:
    """False as soon as it is so; True when it was not for all that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return False
        time.sleep(0.02)
    return True
