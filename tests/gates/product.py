"""The whole product, started for the walk, on a day that is the same in every run."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from deploy.servers import mongod, rabbitmq
from tests import kannel
from tests.gates.walk import HOME_ZONE, TODAY
from tests.journeys.stack import Stack


@contextmanager
def a_running_product() -> Iterator[Stack]:
    kannel.ensure()
    with tempfile.TemporaryDirectory(prefix="pages-") as name:
        folder = Path(name)
        database, broker = mongod.start(folder / "servers"), rabbitmq.start(folder / "servers")
        try:
            stack = Stack(folder / "stack", database.url, broker.url, broker.process)
            with _started(stack):
                yield stack
        finally:
            broker.stop()
            database.stop()


@contextmanager
def _started(stack: Stack) -> Iterator[None]:
    stack.zone = HOME_ZONE
    stack.local.folder.mkdir(parents=True, exist_ok=True)
    stack.move_clock(TODAY - datetime.now(UTC))
    try:
        stack.start()
        yield
    finally:
        stack.stop()
