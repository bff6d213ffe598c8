"""make scale: what pages, handlers and processes cost with 100,000 practitioners and 30,000 or 300,000 people who wait.

SCALE=small: 30,000. SCALE=large (also without): 30,000, then 300,000 on servers of their own. WAITING=n: n alone.
2,200 practitioners are listed, 150 of them have room; the others stepped back (bench/scale/population.py says what is real).

Each view runs 200 times in a process of its own, after five that are not counted, without any other load of ours; a handler
in its real transaction, a page with everything that Flask does. A view that takes too long stops after 15 seconds. What is
measured is the CPU time of that process, in milliseconds, p50 and p99 (the third worst of 200), and the time on the clock. Then
the real workers and the website run, some requests go through them, and their memory is read.

It fails when
  a view's p99 takes more than 50 ms of CPU;
  a view's p50 or p99 at 300,000 is more than 1.5 times that at 30,000 at the same speed of the machine, unless it is within 1 ms
  (p50) or 5 ms (p99) of it, which is what two measurements of the same differ by; the speed is told by a fixed piece of work
  between the calls;
  any command reads a collection of more than 500 documents from end to end, by mongod's profiler, which records all of them;
  a worker takes more than 200 MB of memory.
Nothing that fails depends on the time on the clock.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from pymongo import MongoClient
from rich.console import Console
from rich.table import Table

from bench.scale.figures import COLUMNS, Figures, grew, measure_views, row, too_slow
from bench.scale.loading import load
from bench.scale.scans import Command, collection_scans, commands_that_read_many, start_profiler
from bench.scale.workers import MOST_MEMORY, Running, run_workers
from deploy.local.prepare import prepare
from deploy.local.stack import LocalStack, settings, without_floods
from deploy.servers import mongod, rabbitmq
from deploy.servers.processes import Server, free_port
from shared import vault
from shared.mongo import Doc

SIZES = {"small": [30_000], "large": [30_000, 300_000]}
CACHE_GB = 0.5
console = Console(width=140)
T = TypeVar("T")


@dataclass(frozen=True)
class Measured:
    """Everything at one size."""

    waiting: int
    views: list[Figures]
    running: Running
    scans: list[Command]
    read_many: list[Command]


def main() -> int:
    measured = [at_size(waiting) for waiting in sizes()]
    failures = [failure for one in measured for failure in failures_of(one)]
    if len(measured) == 2:
        failures += growth(*measured)
    for failure in failures:
        print(f"FAILED: {failure}")
    worst = max(measured[-1].views, key=lambda figures: figures.p99)
    outcome = "failed" if failures else "ok"
    print(f"scale {measured[-1].waiting} {outcome}, worst p99 {1000 * worst.p99:.1f} ms ({worst.name})", flush=True)
    return 1 if failures else 0


def sizes() -> list[int]:
    if os.environ.get("WAITING"):
        return [int(os.environ["WAITING"])]
    return SIZES[os.environ.get("SCALE") or "large"]


def at_size(waiting: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="scale-") as folder, servers(Path(folder)) as (database, stack):
        begun = time.monotonic()
        load(waiting, database.url)
        console.print(f"{waiting} loaded in {time.monotonic() - begun:.0f} s")
        alone(prepare)
        console.print(f"indexes after {time.monotonic() - begun:.0f} s")
        with MongoClient[Doc](database.url, tz_aware=True) as server:
            start_profiler(server)
            assert database.process
            views = alone(measure_views, waiting, database.url, database.process.pid)
            running = run_workers(stack, server)
            measured = Measured(waiting, views, running, collection_scans(server), commands_that_read_many(server))
    report(measured)
    return measured


@contextmanager
def servers(folder: Path) -> Iterator[tuple[Server, LocalStack]]:
    for name in ("MONGODB_URI", "AMQP_URL"):
        os.environ.pop(name, None)  # never on a server that is named there, and each size on its own
    stack = LocalStack(folder, free_port())
    vault.generate_keys(folder / "keys")
    with ThreadPoolExecutor(2) as pool:
        starting = pool.submit(mongod.start, folder, cache_gb=CACHE_GB), pool.submit(rabbitmq.start, folder)
        database, broker = (one.result() for one in starting)
    try:
        os.environ.update(settings(stack, database.url, broker.url) | without_floods(stack), LOG_LEVEL="WARNING")
        yield database, stack
    finally:
        database.stop()
        broker.stop()


def alone(work: Callable[..., T], *arguments: object) -> T:
    """In a fresh process, whose memory is free afterwards."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def report(measured: Measured) -> None:
    table = Table(*COLUMNS, title=f"{measured.waiting} people wait; milliseconds", title_justify="left")
    for figures in measured.views:
        table.add_row(*row(figures))
    console.print(table)
    measured.running.show(console)
    for title, commands in (("Collection scans", measured.scans), ("Commands that read many", measured.read_many)):
        console.print(f"{title}: {len(commands)}")
        for command in commands:
            console.print(f"  {command}", soft_wrap=True)


def failures_of(measured: Measured) -> Iterator[str]:
    at = f"with {measured.waiting} waiting"
    yield from (f"{slow} {at}" for slow in map(too_slow, measured.views) if slow)
    yield from (f"collection scan {at}: {scan}" for scan in measured.scans)
    too_big = {name: size for name, size in measured.running.memory.items() if size > MOST_MEMORY}
    yield from (f"{name} takes {size / 1e6:.0f} MB {at}" for name, size in too_big.items())


def growth(small: Measured, large: Measured) -> Sequence[str]:
    return [grown for pair in zip(small.views, large.views, strict=True) for grown in grew(*pair)]


if __name__ == "__main__":
    sys.exit(main())
