"""The whole house for a journey: every process of the product, on real MongoDB, RabbitMQ, SMTP and Kannel, behind one origin."""

import csv
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pymongo import MongoClient

from deploy.demo.home import ROOT, SERVICES, Home, Process, processes
from deploy.demo.mailbox import Mailbox, SeenLetter
from deploy.demo.processes import end, environment, free_port, spawn, wait_until
from deploy.demo.rabbitmq import accepts
from deploy.demo.supervisor import is_ready
from shared import vault
from tests.kannel import Kannel

T = TypeVar("T")
PATIENCE = 30.0
ZONES = (
    "Pacific/Auckland",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/Denver",
    "Pacific/Honolulu",
)


def a_zone_by_day() -> str:
    """Texts keep quiet at night: people of a journey live where it is day now."""
    return min(ZONES, key=lambda zone: abs(datetime.now(ZoneInfo(zone)).hour - 13))


def soon(look: Callable[[], T | None], what: str | Callable[[], str], seconds: float = PATIENCE) -> T:
    """The first thing that `look` finds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what if isinstance(what, str) else what()} did not come within {seconds:.0f} seconds")


class House:
    def __init__(self, folder: Path, mongodb_uri: str, amqp_url: str, broker: subprocess.Popen[bytes] | None) -> None:
        self.home = Home(folder, free_port())
        self.url = self.home.url
        self.zone = a_zone_by_day()
        self.kannel = Kannel(folder, self.url, self.home.secret())
        self._mongodb_uri, self.amqp_url, self._broker = mongodb_uri, amqp_url, broker
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        database: MongoClient[object] = MongoClient(self._mongodb_uri)
        used = set(database.list_database_names()) & set(SERVICES)
        assert not used, f"journeys want an empty MongoDB; {', '.join(sorted(used))} is there already"
        database.close()
        vault.generate_keys(self.home.folder / "keys")
        self.kannel.start()
        self._processes = {process.name: self._with_kannel(process) for process in self._wanted()}
        self._declare_queues()
        for name in self._processes:
            self.start_process(name)
        for process in self._processes.values():
            if process.port:
                wait_until(lambda port=process.port: is_ready(f"http://127.0.0.1:{port}"), process.name)

    def stop(self) -> None:
        end([process.pid for process in self._started.values()], seconds=35)
        for process in self._started.values():
            process.wait(5)
        self.kannel.stop()
        database: MongoClient[object] = MongoClient(self._mongodb_uri)
        for name in SERVICES:
            database.drop_database(name)
        database.close()

    def start_process(self, name: str) -> None:
        process = self._processes[name]
        self._started[name] = spawn(self.home.folder, name, process.command, process.environment, folder=ROOT)

    def stop_process(self, name: str) -> None:
        end([self._started[name].pid], seconds=35)
        self._started[name].wait(5)

    # people

    def welcome(self, name: str, **facts: object) -> str:
        """A practitioner comes in by a spreadsheet, as a collective would do it. Returns their phone number."""
        number = f"+1202555{len(self._numbers) + 200:04}"
        self._numbers[name] = number
        row = {"name": name, "email": address(name), "phone": number, "time_zone": self.zone, "state": "open", **facts}
        file = self.home.folder / "people.csv"
        with file.open("w", newline="") as out:
            lines = csv.DictWriter(out, list(row))
            lines.writeheader()
            lines.writerow(row)
        self.run_as("matching", "-m", "services.matching.people", str(file))
        return number

    def welcome_coordinator(self, name: str) -> None:
        self.run_as("matching", "-m", "services.matching.coordinators", "add", "--name", name, "--email", address(name))

    def run_as(self, process: str, *arguments: str) -> str:
        given = environment(self.home.folder, self._processes[process].environment)
        done = subprocess.run([sys.executable, *arguments], env=given, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # what came to them

    def letters_to(self, name: str) -> list[SeenLetter]:
        box = Mailbox(self.home.folder / "letters", None)  # type: ignore[arg-type]
        return [letter for letter in reversed(box.letters()) if letter.to == address(name)]

    def letter_to(self, name: str, about: str) -> SeenLetter:
        """The newest letter to this person whose text has these words."""
        return soon(
            lambda: next((one for one in reversed(self.letters_to(name)) if about in one.text), None), f"a letter: {about}"
        )

    def text_to(self, number: str, about: str) -> str:
        return soon(
            lambda: next((text for text in reversed(self.kannel.phone.to(number)) if about in text), None), f"a text: {about}"
        )

    def database_as_text(self, name: str) -> str:
        database: MongoClient[dict[str, object]] = MongoClient(self._mongodb_uri)
        rows = [str(row) for collection in database[name].list_collection_names() for row in database[name][collection].find()]
        database.close()
        return "\n".join(rows)

    # time and trouble

    def move_clock(self, by: timedelta) -> None:
        file = self.home.folder / "clock"
        before = float(file.read_text()) if file.exists() else 0.0
        file.write_text(str(before + by.total_seconds()))

    @contextmanager
    def broker_away(self) -> Iterator[None]:
        """RabbitMQ stops, for real, and comes back with its data."""
        assert self._broker, "this run uses a broker that it did not start"
        surroundings = dict(
            entry.split("=", 1)
            for entry in Path(f"/proc/{self._broker.pid}/environ").read_bytes().decode().split("\0")
            if "=" in entry
        )
        control = [next(path for path in CONTROLS if Path(path).exists())]
        subprocess.run([*control, "stop_app"], env=surroundings, check=True, capture_output=True)
        try:
            assert not accepts(self.amqp_url)
            yield
        finally:
            subprocess.run([*control, "start_app"], env=surroundings, check=True, capture_output=True)
            wait_until(lambda: accepts(self.amqp_url), "RabbitMQ")

    _numbers: dict[str, str] = {}  # noqa: RUF012 (one house in a run)

    def _wanted(self) -> list[Process]:
        return processes(self.home, self._mongodb_uri, self.amqp_url)

    def _with_kannel(self, process: Process) -> Process:
        if "KANNEL_URL" not in process.environment:
            return process
        real = {"KANNEL_URL": self.kannel.url, "KANNEL_USER": self.kannel.user, "KANNEL_PASSWORD": self.kannel.password}
        return replace(process, environment={**process.environment, **real})

    def _declare_queues(self) -> None:
        self.run_as("matching", "-c", DECLARE)


CONTROLS = ("/usr/lib/rabbitmq/bin/rabbitmqctl", "/usr/sbin/rabbitmqctl")
DECLARE = """
import importlib
from shared.bus import topology
from shared.settings import read_core
settings = read_core()
services = [importlib.import_module(f"services.{name}.handlers").service for name in ("intake", "matching", "notify")]
topology.declare(settings.amqp_url, {service.name: topology.heard_by(service) for service in services})
for service in services:
    service.start(settings).make_indexes()
"""


def address(name: str) -> str:
    return f"{re.sub('[^a-z]+', '.', name.lower()).strip('.')}@people.example"


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+", text)
    assert found, "no link in it"
    return found[0]


def code_in(text: str) -> str:
    found = re.search(r"\b([A-Z][2-9]) 1\b", text)
    assert found, "no code in it"
    return found[1]


def only_when_started_here() -> bool:
    return not os.environ.get("AMQP_URL") and os.environ.get("CONTAINERS", "") in ("", "0")
