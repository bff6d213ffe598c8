"""The real workers and the website, for a while: some requests through all of them, their memory, and what they ask when idle."""

import time
from dataclasses import dataclass, field

from pymongo import MongoClient
from rich.console import Console

from bench.scale.scans import databases
from deploy.local.stack import ROOT, LocalStack, commands, is_ready
from deploy.servers.processes import end, spawn, wait_until
from shared.mongo import Doc

MOST_MEMORY = 200e6
SECONDS_IDLE = 10
SECONDS_FOR_TIMERS = 12


@dataclass(frozen=True)
class Running:
    """`memory`: bytes, by process."""

    memory: dict[str, int]
    idle_commands: float = 0.0
    idle: dict[str, float] = field(default_factory=dict)

    def show(self, console: Console) -> None:
        console.print("memory: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in self.memory.items()))
        console.print(f"idle: {self.idle_commands:.1f} commands a second to mongod")
        for name, rate in sorted(self.idle.items(), key=lambda pair: -pair[1]):
            console.print(f"  {rate:5.2f}  {name}")


def run_workers(stack: LocalStack, server: MongoClient[Doc]) -> Running:
    mark_all_published(server)
    processes = {name: spawn(stack.folder, name, command, None, ROOT) for name, command in commands(stack).items()}
    try:
        wait_until(lambda: is_ready(stack.url), "The website", processes["web"])
        time.sleep(SECONDS_FOR_TIMERS)
        idle = idle_commands(server)
        return Running({name: process.memory_info().rss for name, process in processes.items()}, sum(idle.values()), idle)
    finally:
        end(list(processes.values()))


def mark_all_published(server: MongoClient[Doc]) -> None:
    """What the views wrote: nobody else here knows these requests."""
    for db in databases(server):
        db.outbox.update_many({"next_at": {"$exists": True}}, [{"$set": {"sent_at": "$$NOW"}}, {"$unset": ["next_at", "claim"]}])


def idle_commands(server: MongoClient[Doc]) -> dict[str, float]:
    """By namespace and command, a second, from the profiler; and everything that mongod counts."""
    since = server.admin.command("hello")["localTime"]
    time.sleep(SECONDS_IDLE)
    found: dict[str, float] = {}
    for db in databases(server):
        for row in db["system.profile"].find({"ts": {"$gte": since}}, {"ns": 1, "op": 1, "command": 1, "appName": 1}):
            if "system.profile" not in row["ns"]:
                name = f"{row['ns']} {next(iter(row.get('command', {})), row['op'])}"
                found[name] = found.get(name, 0) + 1 / SECONDS_IDLE
    return found
