"""The one clock. Demo and tests may move it forward; production has no CLOCK_FILE and reads the machine's time."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path


def now() -> datetime:
    """UTC, in whole milliseconds: the precision MongoDB keeps, so what is stored equals what was compared."""
    moment = datetime.now(UTC) + _moved()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _moved() -> timedelta:
    file = os.environ.get("CLOCK_FILE")
    if not file:
        return timedelta()
    try:
        return timedelta(seconds=float(Path(file).read_text() or 0))
    except (FileNotFoundError, ValueError):
        return timedelta()
