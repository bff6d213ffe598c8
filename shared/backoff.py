"""The one backoff rule: exponential with jitter."""

import random
from datetime import timedelta


def delay(attempt: int, *, base: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after failure number `attempt` (from 1): `base`, doubled each time up to `longest`, times 0.5 to 1.

    The jitter keeps many workers that failed together from coming back together.
    """
    doublings = min(max(attempt - 1, 0), 30)
    whole = min(longest, base * float(2**doublings))
    return whole * random.uniform(0.5, 1.0)  # noqa: S311
