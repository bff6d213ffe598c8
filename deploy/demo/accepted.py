"""When each letter and text was accepted, for whoever measures the way from Send to here."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Literal


@dataclass(frozen=True)
class Accepted:
    to: str
    channel: Literal["email", "text"]
    at: float


class AcceptedLog:
    """The newest 20,000; lives as long as the process. Times are the machine's own, whatever the moved clock says."""

    def __init__(self) -> None:
        self._rows: deque[Accepted] = deque(maxlen=20_000)
        self._dropped, self._lock = 0, threading.Lock()

    def note(self, to: str, channel: Literal["email", "text"]) -> None:
        with self._lock:
            self._dropped += len(self._rows) == self._rows.maxlen
            self._rows.append(Accepted(to, channel, time.time()))

    def after(self, place: int) -> tuple[int, list[Accepted]]:
        """What came after this place, and the place to ask from next time."""
        with self._lock:
            return self._dropped + len(self._rows), list(islice(self._rows, max(0, place - self._dropped), None))
