"""Measuring one view, and what may be said of two measurements."""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil
from pymongo import MongoClient
from rich.console import Console

from bench.scale.scans import examined_since
from bench.scale.views import Call, Unexpected, View, make_views
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
    """Of one view, in seconds. `server_cpu`: of mongod, mean. `pace`: what a fixed piece of work took between the calls, median:
    a machine's speed changes within minutes. `examined`: the documents or index keys that its worst command looked at. `failed`:
    why there is nothing to measure."""

    name: str
    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    server_cpu: float
    pace: float
    examined: int
    failed: str = ""

    @property
    def p50(self) -> float:
        return percentile(self.cpu, 0.5)

    @property
    def p99(self) -> float:
        return percentile(self.cpu, 0.99)


COLUMNS = ("view", "times", "CPU p50", "p99", "clock p50", "p99", "mongod", "pace", "examined")
console = Console(width=140)


def row(figures: Figures) -> list[str]:
    wall = [percentile(figures.wall, share) for share in (0.5, 0.99)]
    seconds = figures.p50, figures.p99, *wall, figures.server_cpu, figures.pace
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
                found.append(Figures(view.name, (), (), 0.0, 1.0, 0, failed=str(error)))
            name, *values = row(found[-1])
            console.print("".join(f"{value:>9}" for value in values), "", name, style="dim")
    return found


def measure(view: View, server: MongoClient[Doc], mongod: psutil.Process) -> Figures:
    wall, cpu, server_cpu, pace = list[float](), list[float](), list[float](), list[float]()
    until, number = time.monotonic() + SECONDS_FOR_A_VIEW, 0
    while len(cpu) < REPETITIONS and (len(cpu) < FEWEST or time.monotonic() < until):
        call, number = view.prepare(number), number + 1
        began_server = _cpu(mongod)
        took = *_timed(call), _cpu(mongod) - began_server, _timed(_fixed_work)[1]
        if number == UNCOUNTED:
            since = server.admin.command("hello")["localTime"]
        if number > UNCOUNTED:
            for values, value in zip((wall, cpu, server_cpu, pace), took, strict=True):
                values.append(value)
    examined = examined_since(server, since)
    return Figures(view.name, tuple(wall), tuple(cpu), sum(server_cpu) / len(server_cpu), percentile(pace, 0.5), examined)


def _timed(call: Call) -> tuple[float, float]:
    """Seconds on the clock, and of this process's CPU."""
    began, began_cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - began_cpu


def _fixed_work() -> None:
    for number in range(300):
        json.loads(json.dumps({"number": number, "text": "of some length"}))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def too_slow(figures: Figures) -> str | None:
    if figures.failed:
        return f"{figures.name}: {figures.failed}"
    return f"{figures.name}: p99 {1000 * figures.p99:.1f} ms CPU" if figures.p99 > MOST_CPU else None


def grew(small: Figures, large: Figures) -> list[str]:
    """What of the larger size costs more than it may, at the speed that the machine had for the smaller one."""
    return [
        f"{large.name}: {name} CPU from {1000 * before:.1f} to {1000 * after:.1f} ms at the same speed of the machine"
        for name, before, after in _at_the_same_speed(small, large)
        if after > MOST_GROWTH * before and after - before > NOISE[name]
    ]


def _at_the_same_speed(small: Figures, large: Figures) -> Iterable[tuple[str, float, float]]:
    faster = small.pace / large.pace
    return ("p50", small.p50, faster * large.p50), ("p99", small.p99, faster * large.p99)
