"""What processes and MongoDB have used so far, and what of it one request used."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
from pymongo import MongoClient

TRANSACTIONS, ABORTED, FLUSHES = "transactions", "aborted transactions", "journal flushes"
NOT_COMMANDS = (TRANSACTIONS, ABORTED, FLUSHES)
Amounts = Mapping[str, float]


@dataclass(frozen=True)
class Reading:
    """`cpu`: seconds by process. `database`: how often each command was run, by name, and NOT_COMMANDS."""

    at: float
    cpu: Amounts
    database: Amounts


@dataclass(frozen=True)
class Memory:
    """In MB. `pss`: what two processes share is counted half for each."""

    rss: float
    pss: float


class Counters:
    """`processes`: main process by name; what it started belongs to it."""

    def __init__(self, mongodb_uri: str, processes: Mapping[str, psutil.Process]) -> None:
        self._mongodb, self._processes = MongoClient[dict[str, Any]](mongodb_uri), processes

    def read(self) -> Reading:
        return Reading(time.time(), {name: _cpu(process) for name, process in self._processes.items()}, self._database())

    def memory(self) -> dict[str, Memory]:
        return {name: _memory(process) for name, process in self._processes.items()}

    def close(self) -> None:
        self._mongodb.close()

    def _database(self) -> Amounts:
        status = self._mongodb.admin.command("serverStatus")
        commands = status["metrics"]["commands"]
        amounts = {
            name: float(count["total"]) for name, count in commands.items() if isinstance(count, dict) and "total" in count
        }
        transactions, journal = status["transactions"], status["wiredTiger"]["log"]
        return amounts | {
            TRANSACTIONS: float(transactions["totalCommitted"]),
            ABORTED: float(transactions["totalAborted"]),
            FLUSHES: float(journal["log sync operations"]),
        }


def each_second(before: Reading, after: Reading) -> Amounts:
    """Of the database alone."""
    seconds = after.at - before.at
    return {name: (amount - before.database.get(name, 0)) / seconds for name, amount in after.database.items()}


def each_request(before: Reading, after: Reading, requests: int, idle: Amounts) -> tuple[Amounts, Amounts]:
    """Milliseconds of CPU by process, all of them; and what the database did, without what it does each second when idle."""
    cpu = {name: 1000 * (seconds - before.cpu[name]) / requests for name, seconds in after.cpu.items()}
    busy = {name: rate - idle.get(name, 0) for name, rate in each_second(before, after).items()}
    seconds = after.at - before.at
    return cpu, {name: rate * seconds / requests for name, rate in busy.items() if rate > 0}


def commands(database: Amounts) -> dict[str, float]:
    """By name, the most frequent first."""
    only = {name: amount for name, amount in database.items() if name not in NOT_COMMANDS}
    return dict(sorted(only.items(), key=lambda one: -one[1]))


def _family(process: psutil.Process) -> Iterator[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        yield process
        yield from process.children(recursive=True)


def _cpu(process: psutil.Process) -> float:
    seconds = 0.0
    for one in _family(process):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(one.cpu_times()[:2])
    return seconds


def _memory(process: psutil.Process) -> Memory:
    rss = pss = 0.0
    for one in _family(process):
        with suppress(psutil.NoSuchProcess):
            found = one.memory_full_info()
            rss, pss = rss + found.rss / 1e6, pss + found.pss / 1e6
    return Memory(rss, pss)
