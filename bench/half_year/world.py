"""The whole product on servers of its own, and its clock."""

import importlib
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import requests

from deploy.local.mail_sink import ReceivedEmail, read_email
from deploy.local.stack import ROOT, SERVICES, LocalStack, commands, settings, wait_for_website, without_floods
from deploy.servers import mongod, rabbitmq
from deploy.servers.processes import end, free_port, spawn
from shared import checks, clock, outbox, vault
from shared.bus.queues import count
from shared.service import Service

ZONES = (
    "Pacific/Auckland",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/Denver",
    "Pacific/Honolulu",
)
STILL_FOR = 0.4
PATIENCE = 120.0
MOST_ROUNDS = 50


class World:
    """`services`: connected in this process as well, to look into their databases and to run their timers when the clock jumped,
    beside the workers, which run them by themselves."""

    def __init__(self, folder: Path) -> None:
        self.stack = LocalStack(folder, free_port())
        self.zone = min(
            ZONES, key=lambda zone: abs(datetime.now(ZoneInfo(zone)).hour - 13)
        )  # where texts are not kept for the morning
        self.services: dict[str, Service] = {}
        self.failures: list[str] = []
        self._processes: list[psutil.Popen] = []
        self._read = set[str]()
        self._emails: dict[str, list[ReceivedEmail]] = defaultdict(list)
        self._reading = threading.Lock()
        self._amqp_url = ""

    @property
    def url(self) -> str:
        return self.stack.url

    def now(self) -> datetime:
        return clock.now()

    # the clock

    def advance(self, by: timedelta) -> None:
        file = self.stack.folder / "clock"
        before = float(file.read_text()) if file.exists() else 0.0
        new = file.with_suffix(".new")
        new.write_text(str(before + by.total_seconds()))
        new.replace(file)
        self.run_timers()

    def run_timers(self) -> None:
        """Until none finds anything new: what one does may be due for another. Then the services are at rest."""
        for _ in range(MOST_ROUNDS):
            self.settle()
            if not sum(self._run_timers_of(service) for service in self.services.values()):
                return

    def _run_timers_of(self, service: Service) -> int:
        said = 0
        for timer in service.timers:
            for item in list(timer.find(service.db)):
                try:
                    said += len(service.run(timer.handler, item))
                except Exception as error:  # the worker's own timer may have been there at the same moment
                    self.failures.append(f"{service.name} {timer.handler.__name__}: {type(error).__name__}")
        return said

    def settle(self) -> None:
        """Until every event was published and handled, every notification handed over, and nothing changes any more."""
        deadline, before, since = time.monotonic() + PATIENCE, None, time.monotonic()
        while time.monotonic() < deadline:
            waiting, done = self._waiting(), self._done()
            if waiting or done != before:
                before, since = done, time.monotonic()
            elif time.monotonic() - since > STILL_FOR and not self._in_queues():
                self._read_emails()
                return
            time.sleep(0.05)
        raise TimeoutError(f"the services did not come to rest: {self._waiting()} wait, {self._in_queues()} are in queues")

    def _waiting(self) -> dict[str, int]:
        """What is to be done, by what it is; only what there is."""
        due = self.services["notify"].db.notifications.find({"state": "pending", "next_at": {"$lte": self.now()}})
        found = Counter(f"{one['channel']} {one['template']}" for one in due)
        found["assignments"] = self.services["matching"].db.assignment_triggers.count_documents({})
        for name, service in self.services.items():
            found[f"events of {name}"] = outbox.pending(service.db).count
        return {what: number for what, number in found.items() if number}

    def _done(self) -> list[int]:
        return [service.db[name].estimated_document_count() for service in self.services.values() for name in ("inbox", "outbox")]

    def _in_queues(self) -> int:
        return sum(counts.waiting + counts.retrying for counts in (count(self._amqp_url, name) for name in SERVICES))

    def found_by_checks(self) -> Iterator[str]:
        """A daily check repairs what it finds, and so hides it from whoever looks afterwards."""
        for service in self.services.values():
            for finding, outcomes in checks.findings(service.db).items():
                yield f"a daily check of {service.name}: {finding} ({', '.join(f'{n} {what}' for what, n in outcomes.items())})"

    def dead_letters(self) -> dict[str, int]:
        return {name: count(self._amqp_url, name).dead for name in SERVICES}

    # what came to people

    def emails_to(self, address: str) -> list[ReceivedEmail]:
        """Those that had come when the services were at rest last, oldest first."""
        return list(self._emails.get(address, ()))

    def _read_emails(self) -> None:
        folder = self.stack.folder / "emails"
        with self._reading:
            new = {path.name for path in (folder / "new").glob("*")} - self._read
            for name in sorted(new):
                if received := read_email(folder, name):
                    self._read.add(name)
                    self._emails[received.to].append(received)

    def wait_for_email(self, address: str, about: str, than: int) -> ReceivedEmail | None:
        """The newest with these words, beyond the first `than` that came; None when none comes."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            self._read_emails()
            found = [one for one in self.emails_to(address)[than:] if about in one.text]
            if found:
                return found[-1]
            time.sleep(0.05)
        return None

    def text_from(self, number: str, words: str) -> None:
        environment = self.stack.environment()
        headers = {"X-Kannel-From": number, "X-Kannel-To": "+15550100", "Content-Type": "text/plain"}
        url = environment["REPLY_URL"].replace("%I", str(time.time_ns()))
        requests.post(url, data=words.encode(), headers=headers, timeout=10)


@contextmanager
def a_world(folder: Path) -> Iterator[World]:
    world = World(folder)
    with ExitStack() as at_the_end:
        database, broker = mongod.start(folder), rabbitmq.start(folder)
        at_the_end.callback(database.stop)
        at_the_end.callback(broker.stop)
        vault.generate_keys(folder / "keys")
        environment = settings(world.stack, database.url, broker.url) | without_floods(world.stack)
        world.stack.write(environment=environment)
        os.environ.update(environment | {"LOG_LEVEL": "ERROR"})
        world._amqp_url = broker.url
        world.services = _prepared()
        processes = {
            name: spawn(folder, name, command, dict(os.environ), ROOT) for name, command in commands(world.stack).items()
        }
        at_the_end.callback(end, list(processes.values()))
        wait_for_website(world.stack, processes)
        yield world


def _prepared() -> dict[str, Service]:
    importlib.import_module("deploy.local.prepare").prepare()
    return {name: importlib.import_module(f"services.{name}.handlers").service for name in SERVICES}
