"""Measuring one view, and what may be said of two measurements."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from pymongo import MongoClient
from rich.console import Console

from bench.scale.scans import examined_since
from bench.scale.views import Unexpected, View, make_views
from shared.memory import keep_out_of_collections
from shared.mongo import Doc

REPETITIONS = 200
FEWEST = 5
UNCOUNTED = 5
"""A process writes its templates once and opens its connections once."""
SECONDS_FOR_A_VIEW = float(os.environ.get("VIEW_SECONDS") or 15)
MOST_CPU = 0.050
MOST_GROWTH = 1.5
NOISE = {"p50": 0.001, "p99": 0.005}
"""Seconds that a figure may differ by chance, whatever the ratio: p99 of 200 is the third worst."""


@dataclass(frozen=True)
class Figures:
    """Of one view, in seconds. `examined`: the documents or index keys that its worst command looked at. `failed`: why there is
    nothing to measure."""

    name: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    server_cpu: float
    examined: int
    failed: str = ""

    @property
    def p50(self) -> float:
        return percentile(self.cpu, 0.5)

    @property
    def p99(self) -> float:
        return percentile(self.cpu, 0.99)


COLUMNS = ("view", "times", "CPU p50", "p99", "clock p50", "p99", "mongod", "examined")
console = Console(width=140)


def row(figures: Figures) -> list[str]:
    wall = [percentile(figures.wall, share) for share in (0.5, 0.99)]
    seconds = figures.p50, figures.p99, *wall, figures.server_cpu
    return [figures.name, str(len(figures.cpu)), *(f"{1000 * value:.1f}" for value in seconds), str(figures.examined)]


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def measure_views(waiting: int, mongodb_uri: str, mongod_pid: int) -> list[Figures]:
    process, found, views = psutil.Process(mongod_pid), [], make_views(waiting)
    keep_out_of_collections()  # as every worker and web process does
    with MongoClient[Doc](mongodb_uri, tz_aware=True) as server:
        for view in views:
            try:
                found.append(measure(view, server, process))
            except Unexpected as error:
                found.append(Figures(view.name, (), (), 0.0, 0, failed=str(error)))
            name, *values = row(found[-1])
            console.print("".join(f"{value:>9}" for value in values), "", name, style="dim")
    return found


def measure(view: View, server: MongoClient[Doc], mongod: psutil.Process) -> Figures:
    wall, cpu, server_cpu = list[float](), list[float](), list[float]()
    until, number = time.monotonic() + SECONDS_FOR_A_VIEW, 0
    while len(cpu) < REPETITIONS and (len(cpu) < FEWEST or time.monotonic() < until):
        call, number = view.prepare(number), number + 1
        began, began_cpu, began_server = time.perf_counter(), time.process_time(), _cpu(mongod)
        call()
        took = time.perf_counter() - began, time.process_time() - began_cpu, _cpu(mongod) - began_server
        if number == UNCOUNTED:
            since = server.admin.command("hello")["localTime"]
        if number > UNCOUNTED:
            for values, value in zip((wall, cpu, server_cpu), took, strict=True):
                values.append(value)
    mean = sum(server_cpu) / len(server_cpu)
    return Figures(view.name, tuple(wall), tuple(cpu), mean, examined_since(server, since))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def too_slow(figures: Figures) -> str | None:
    if figures.failed:
        return f"{figures.name}: {figures.failed}"
    return f"{figures.name}: p99 {1000 * figures.p99:.1f} ms CPU" if figures.p99 > MOST_CPU else None


def grew(small: Figures, large: Figures) -> list[str]:
    return [
        f"{large.name}: {name} CPU from {1000 * before:.1f} to {1000 * after:.1f} ms"
        for name, before, after in (("p50", small.p50, large.p50), ("p99", small.p99, large.p99))
        if after > MOST_GROWTH * before and after - before > NOISE[name]
    ]
