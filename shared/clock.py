"""The one clock. Demo and tests may move it forward; production has no CLOCK_FILE and reads the machine's time."""

import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path


def now() -> datetime:
    """UTC, in whole milliseconds: the precision MongoDB keeps, so what is stored equals what was compared."""
    moment = datetime.now(UTC) + offset()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def offset() -> timedelta:
    """How far `now` is ahead of the machine's time: zero in production."""
    file = os.environ.get("CLOCK_FILE")
    if not file:
        return timedelta()
    try:
        written = Path(file).stat()
        return _read(file, written.st_mtime_ns, written.st_size)
    except (FileNotFoundError, ValueError):
        return timedelta()


@lru_cache(maxsize=1)
def _read(file: str, written_at: int, size: int) -> timedelta:
    """Once for each time that it was written: the clock is asked many times for every message."""
    del written_at, size
    return timedelta(seconds=float(Path(file).read_text() or 0))
