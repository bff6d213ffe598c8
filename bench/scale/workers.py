"""The real workers and the website at this size: some requests, places that come free, memory, and what they ask when idle."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import psutil
import requests
from pymongo import MongoClient
from rich.console import Console

from bench.form import FormClient
from bench.scale.population import SAY_FULL, WITH_ROOM, practitioner_id, slug_of
from bench.scale.scans import databases
from bench.scale.views import open_up
from deploy.local.stack import ROOT, LocalStack, commands, wait_for_website
from deploy.servers.processes import CannotStart, end, spawn, wait_until
from services.matching.handlers import service
from shared.mongo import Doc
from shared.settings import read_core

MOST_MEMORY = 200e6
SECONDS_IDLE = 6
SECONDS_FOR_TIMERS = 12
"""Every timer looks for the first time within seconds, and those that look every ten seconds do so twice."""
SECONDS_FOR_ALL = 90
REQUESTS = 8
PLACES = range(SAY_FULL.stop - 8, SAY_FULL.stop)


@dataclass(frozen=True)
class Running:
    """`memory`: bytes, by process. `idle`: commands a second that mongod gets while nobody does anything, by what they are.
    Seconds on the clock: `whole_list` until everybody who waits was looked at after the start (None: not within SECONDS_FOR_ALL),
    `sent` from Send to both e-mails accepted, `filled` from the click of somebody who opens up to the offer."""

    memory: dict[str, int]
    idle: dict[str, float]
    whole_list: float | None
    sent: list[float] = field(default_factory=list)
    filled: list[float] = field(default_factory=list)

    def show(self, console: Console) -> None:
        console.print("memory: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in self.memory.items()))
        console.print(f"seconds from Send to both e-mails accepted: {_list(self.sent)}")
        console.print(f"seconds from opening up to the offer: {_list(self.filled)}")
        console.print(
            f"seconds until everybody who waits was looked at: {'more' if self.whole_list is None else self.whole_list}"
        )
        console.print(f"idle: {sum(self.idle.values()):.1f} commands a second to mongod")
        for name, rate in sorted(self.idle.items(), key=lambda pair: -pair[1]):
            console.print(f"  {rate:5.2f}  {name}")


def _list(seconds: Sequence[float]) -> str:
    return " ".join(f"{one:.2f}" for one in seconds)


def run_workers(stack: LocalStack, server: MongoClient[Doc]) -> Running:
    _mark_all_published(server)
    service.start(read_core())
    with ExitStack() as at_the_end:
        processes = {name: spawn(stack.folder, name, command, None, ROOT) for name, command in commands(stack).items()}
        at_the_end.callback(end, list(processes.values()))
        _wait_until_ready(stack, processes)
        whole_list = _wait_for_assignment(server)
        sent = [_send_one(stack, number) for number in WITH_ROOM[:REQUESTS]]
        filled = [_open_up(server, number) for number in PLACES]
        idle = idle_commands(server)
        memory = {name: _memory(process) for name, process in processes.items()}
    return Running(memory, idle, whole_list, sent, filled)


def _memory(process: psutil.Popen) -> int:
    """Of the largest of its processes: gunicorn's first one serves nobody."""
    return max(one.memory_info().rss for one in (process, *process.children(recursive=True)))


def _wait_until_ready(stack: LocalStack, processes: Mapping[str, psutil.Popen]) -> None:
    try:
        wait_for_website(stack, processes)
    except CannotStart:
        print((stack.folder / "log/web.log").read_text())
        raise


def _mark_all_published(server: MongoClient[Doc]) -> None:
    """What the views wrote: nobody else here knows these requests."""
    for db in databases(server):
        db.outbox.update_many({"next_at": {"$exists": True}}, [{"$set": {"sent_at": "$$NOW"}}, {"$unset": ["next_at", "claim"]}])


def _wait_for_assignment(server: MongoClient[Doc]) -> float | None:
    """A worker that starts looks at everybody who waits."""
    time.sleep(SECONDS_FOR_TIMERS)
    begun = time.monotonic()
    while server.matching.assignment_triggers.find_one({}):
        if time.monotonic() - begun > SECONDS_FOR_ALL:
            return None
        time.sleep(0.2)
    return round(time.monotonic() - begun + SECONDS_FOR_TIMERS, 1)


def _send_one(stack: LocalStack, number: int) -> float:
    """A request for this practitioner through every page; then both e-mails are waited for."""
    client, supportee = FormClient(stack.url), f"sam-{number}@scale.example"
    client.open(f"/ask/1?with={slug_of(number)}")
    answers: list[dict[str, str | list[str]]] = [
        {"mode": "chosen"}, {"name": "Sam"}, {"words": "Somebody to talk to."}, {"reach": ["email"], "email": supportee}, {},
        {"language": "es"}, {},
    ]  # fmt: skip
    for answer in answers:
        client.send(**answer)
    begun = time.monotonic()
    client.send()
    expected = {supportee, f"{slug_of(number)}@scale.example"}
    wait_until(lambda: expected <= _accepted(stack), "Both e-mails")
    return time.monotonic() - begun


def _accepted(stack: LocalStack) -> set[str]:
    answer = requests.get(f"{stack.url}/demo/api/accepted?after=0", timeout=30).json()
    return {row["to"] for row in answer["accepted"]}


def _open_up(server: MongoClient[Doc], number: int) -> float:
    """As the web process does it; the assignment job of the worker then makes the offer."""
    offered = {"practitioner_id": practitioner_id(number), "holds_place": True}
    begun = time.monotonic()
    open_up(number)()
    while not server.matching.offers.find_one(offered):
        if time.monotonic() - begun > SECONDS_FOR_ALL:
            return float("inf")
        time.sleep(0.02)
    return time.monotonic() - begun


def idle_commands(server: MongoClient[Doc]) -> dict[str, float]:
    """By the profiler, which does not record pings and the like."""
    time.sleep(2)
    since = server.admin.command("hello")["localTime"]
    time.sleep(SECONDS_IDLE)
    found: dict[str, float] = {}
    for db in databases(server):
        for row in db["system.profile"].find({"ts": {"$gte": since}, "ns": {"$not": {"$regex": "system.profile"}}}):
            name = f"{row['ns']} {next(iter(row.get('command', {})), row['op'])}"
            found[name] = found.get(name, 0) + 1 / SECONDS_IDLE
    return found
