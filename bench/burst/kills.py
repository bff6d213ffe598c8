"""kill -9 in a burst: each worker, and one of the processes behind the pages."""

import threading
import time
from pathlib import Path

from bench.burst.sink import Letters
from bench.burst.systems import Product

VICTIMS = ("matching worker", "notify worker", "intake worker", "intake web")


class Kills:
    """While it is entered: one victim after the other, at equal distances, `letters` being how many the burst brings in all.
    Each is added to `killed`."""

    def __init__(self, product: Product, file: Path, letters: int, killed: list[str]) -> None:
        self._product, self._letters, self._count, self._killed = product, Letters(file), letters, killed
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run)

    def __enter__(self) -> "Kills":
        self._before = self._letters.read()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for number, name in enumerate(VICTIMS, 1):
            while self._letters.read() - self._before < number * self._count / (len(VICTIMS) + 1):
                if self._stop.is_set():
                    return
                time.sleep(0.01)
            self._product.kill(name)
            self._killed.append(name)
