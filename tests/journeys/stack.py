"""The whole product for a journey: every process, on real MongoDB, RabbitMQ, SMTP and Kannel, behind one origin."""

import csv
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psutil
from pymongo import MongoClient

from deploy.local.mail_sink import ReceivedEmail, newest_emails
from deploy.local.stack import ROOT, SERVICES, LocalStack, commands, settings, wait_for_website, without_floods
from deploy.servers.processes import end, free_port, spawn, wait_until
from deploy.servers.rabbitmq import accepts
from shared import vault
from tests import zoom
from tests.kannel import Kannel
from tests.zoom import a_zoom

T = TypeVar("T")
PATIENCE = 30.0
FROM_ONE_PLACE = 5
ZONES = (
    "Pacific/Auckland",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/Denver",
    "Pacific/Honolulu",
)


def zone_by_day() -> str:
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


class Stack:
    def __init__(self, folder: Path, mongodb_uri: str, amqp_url: str, broker: psutil.Popen | None) -> None:
        self.local = LocalStack(folder, free_port())
        self.url = self.local.url
        self.zone = zone_by_day()
        self.kannel = Kannel(folder, self.url, self.local.secret())
        self.amqp_url, self._mongodb_uri, self._broker = amqp_url, mongodb_uri, broker
        self._processes: list[psutil.Popen] = []
        self._numbers: dict[str, str] = {}
        self._with_zoom = ExitStack()

    def start(self) -> None:
        database: MongoClient[object] = MongoClient(self._mongodb_uri)
        used = set(database.list_database_names()) & set(SERVICES)
        assert not used, f"journeys want an empty MongoDB; {', '.join(sorted(used))} is there already"
        database.close()
        vault.generate_keys(self.local.folder / "keys")
        self.kannel.start()
        self.zoom = self._with_zoom.enter_context(a_zoom())
        real = {"KANNEL_URL": self.kannel.url, "KANNEL_USER": self.kannel.user, "KANNEL_PASSWORD": self.kannel.password}
        real |= {"ZOOM_ACCOUNT_ID": zoom.ACCOUNT, "ZOOM_CLIENT_ID": zoom.CLIENT, "ZOOM_CLIENT_SECRET": zoom.SECRET}
        real |= {"ZOOM_API_URL": self.zoom.url, "ZOOM_TOKEN_URL": self.zoom.url}
        programme = without_floods(self.local, from_one_place=FROM_ONE_PLACE)
        self.local.write(environment={**settings(self.local, self._mongodb_uri, self.amqp_url), **programme, **real})
        self.run("-m", "deploy.local.prepare")
        environment = self.local.environment()
        started = {
            name: spawn(self.local.folder, name, command, environment, ROOT) for name, command in commands(self.local).items()
        }
        self._processes += started.values()
        wait_for_website(self.local, started)

    def stop(self) -> None:
        end(self._processes, seconds=35)
        self.kannel.stop()
        self._with_zoom.close()
        database: MongoClient[object] = MongoClient(self._mongodb_uri)
        for name in SERVICES:
            database.drop_database(name)
        database.close()

    # people

    def welcome(self, name: str, **facts: object) -> str:
        """Returns their phone number."""
        return self.welcome_all({"name": name, **facts})[0]

    def welcome_all(self, *people: dict[str, object]) -> list[str]:
        """Practitioners come in by a spreadsheet, as a collective would do it. Returns their phone numbers."""
        rows = [self._with_what_is_needed(person) for person in people]
        file = self.local.folder / "people.csv"
        with file.open("w", newline="") as out:
            lines = csv.DictWriter(out, list(dict.fromkeys(column for row in rows for column in row)))
            lines.writeheader()
            lines.writerows(rows)
        self.run("-m", "deploy.kitchen", "people", "import", str(file))
        return [str(row["phone"]) for row in rows]

    def _with_what_is_needed(self, person: dict[str, object]) -> dict[str, object]:
        name, number = str(person["name"]), f"+1202555{len(self._numbers) + 200:04}"
        self._numbers[name] = number
        return {"name": name, "email": address(name), "phone": number, "time_zone": self.zone, "state": "open", **person}

    def welcome_coordinator(self, name: str) -> None:
        self.run("-m", "deploy.kitchen", "coordinators", "add", "--name", name, "--email", address(name))

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], env=self.local.environment(), cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # what came to them

    def emails_to(self, name: str) -> list[ReceivedEmail]:
        """Oldest first."""
        return [one for one in reversed(newest_emails(self.local.folder / "emails")) if one.to == address(name)]

    def email_to(self, name: str, about: str) -> ReceivedEmail:
        """The newest e-mail to this person whose text has these words."""
        return soon(
            lambda: next((one for one in reversed(self.emails_to(name)) if about in one.text), None), f"an e-mail: {about}"
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

    def rows(self, name: str, collection: str) -> list[dict[str, Any]]:
        database: MongoClient[dict[str, Any]] = MongoClient(self._mongodb_uri)
        found = list(database[name][collection].find())
        database.close()
        return found

    # time and trouble

    def move_clock(self, by: timedelta) -> None:
        file = self.local.folder / "clock"
        before = float(file.read_text()) if file.exists() else 0.0
        file.write_text(str(before + by.total_seconds()))

    @contextmanager
    def broker_away(self) -> Iterator[None]:
        """RabbitMQ stops, for real, and comes back with its data."""
        assert self._broker, "this run uses a broker that it did not start"
        environment = self._broker.environ()
        control = [next(path for path in CONTROLS if Path(path).exists())]
        subprocess.run([*control, "stop_app"], env=environment, check=True, capture_output=True)
        try:
            assert not accepts(self.amqp_url)
            yield
        finally:
            subprocess.run([*control, "start_app"], env=environment, check=True, capture_output=True)
            wait_until(lambda: accepts(self.amqp_url), "RabbitMQ")


CONTROLS = ("/usr/lib/rabbitmq/bin/rabbitmqctl", "/usr/sbin/rabbitmqctl")


def address(name: str) -> str:
    return name if "@" in name else f"{re.sub('[^a-z]+', '.', name.lower()).strip('.')}@people.example"


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
