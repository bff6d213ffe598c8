"""make journey: requests through the whole running stack, from Send to every e-mail and text being accepted by its server.

N (50) requests are written through the real form, each in a session of its own; then Send is pressed RATE (5) times a second.
Each must bring three notifications: the practitioner's offer by e-mail and by text, and the supportee's receipt by e-mail.
Without settings it runs against the demo, which it starts if need be. Against another stack:
  JOURNEY_BASE    its public address (the demo's process must stand behind it)
  JOURNEY_IMPORT  a command that brings in practitioners from a CSV file on its standard input
  JOURNEY_VERIFY  a file of certificates to trust, or `no`
"""

import csv
import io
import os
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from pymongo import MongoClient
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.form import FormClient, FormOnPage
from deploy.local.stack import ROOT, stack_in_environment
from shared.programme import read_programme

N, RATE = int(os.environ.get("N") or 50), float(os.environ.get("RATE") or 5)
SECONDS_WITHOUT_PROGRESS = 60
SECONDS_TO_TYPE = read_programme(ROOT / "deploy/programme.toml").floods.seconds_to_type
IMPORTED_AT_ONCE = 100
NOTIFICATIONS = ("email", "text", "receipt")
console = Console()


@dataclass
class Stack:
    base: str
    bring_in: list[str]
    environment: dict[str, str]
    verify: str | bool = True
    mongodb_uri: str = ""

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.base}{path}", verify=self.verify, timeout=30)


@dataclass
class Trip:
    """One request. Moments are seconds since 1970 by this machine's clock."""

    number: int
    run: int
    client: FormClient
    sent: float = 0.0
    answered: float = 0.0
    request_id: str = ""
    moments: dict[str, float] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return f"guest-{self.run}-{self.number}"

    @property
    def email(self) -> str:
        return f"{self.slug}@journey.example"

    @property
    def supportee(self) -> str:
        return f"sam-{self.slug}@journey.example"

    @property
    def phone(self) -> str:
        """Distinct in a run, and for more than an hour between runs: nobody is texted twice within the hour."""
        return f"+1500{2_000_000 + (self.run * N + self.number) % 8_000_000}"

    def fill_in(self) -> None:
        """All seven pages, up to `Check your answers`."""
        self.client.open(f"/ask/1?with={self.slug}")
        answers: list[dict[str, str | list[str]]] = [
            {"mode": "chosen"}, {"name": "Sam"}, {"words": "Somebody to talk to on Sundays."},
            {"reach": ["email"], "email": self.supportee}, {}, {"language": "en"}, {},
        ]  # fmt: skip
        for answer in answers:
            self.client.send(**answer)
        if not self.client.url.endswith("/ask/check"):
            raise SystemExit(f"the form stopped at {self.client.url}")
        self.request_id = dict(FormOnPage(self.client.page).fields)["request_id"]

    def press_send(self) -> None:
        self.sent = time.time()
        self.client.send()
        self.answered = time.time()
        if "/ask/sent" not in self.client.url:
            raise SystemExit(f"Send led to {self.client.url}")


def practitioners(trips: Sequence[Trip], state: str, moved: float) -> str:
    """One for each request, where it is early afternoon now: no quiet hours, no hour between two texts, a free place."""
    shift = 13 - (datetime.now(UTC) + timedelta(seconds=moved)).hour
    columns = ["name", "email", "phone", "words", "languages", "places", "time_zone", "state"]
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(columns)
    for trip in trips:
        name = trip.slug.replace("-", " ").title()
        table.writerow([name, trip.email, trip.phone, "Here for a measurement.", "en", 1, f"Etc/GMT{-shift:+d}", state])
    return out.getvalue()


def bring_in(stack: Stack, trips: Sequence[Trip], state: str, moved: float) -> None:
    for first in range(0, len(trips), IMPORTED_AT_ONCE):
        people = practitioners(trips[first : first + IMPORTED_AT_ONCE], state, moved)
        done = subprocess.run(stack.bring_in, input=people, env=stack.environment, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"practitioners could not be brought in:\n{done.stdout}{done.stderr}")


def wait_until_listed(stack: Stack, trips: Sequence[Trip]) -> None:
    for trip in track(trips, "Practitioners in the directory", console=console):
        deadline = time.monotonic() + SECONDS_WITHOUT_PROGRESS
        while stack.get(f"/people/{trip.slug}").status_code != 200:
            if time.monotonic() > deadline:
                raise SystemExit("the practitioners did not reach the directory")
            time.sleep(0.2)


def press_all(trips: Sequence[Trip]) -> None:
    begin = time.monotonic() + 0.5
    with ThreadPoolExecutor(16) as pool:
        pressed = []
        for number, trip in enumerate(track(trips, f"Pressing Send, {RATE:g} a second", console=console)):
            time.sleep(max(0, begin + number / RATE - time.monotonic()))
            pressed.append(pool.submit(trip.press_send))
        for one in pressed:
            one.result()


def wait_for_notifications(stack: Stack, trips: Sequence[Trip], after: int) -> None:
    """Until every notification was accepted, or none came for a minute."""
    expected = {(trip.email, "email"): (trip, "email") for trip in trips} | {
        (trip.phone, "text"): (trip, "text") for trip in trips
    }
    expected |= {(trip.supportee, "email"): (trip, "receipt") for trip in trips}
    deadline = time.monotonic() + SECONDS_WITHOUT_PROGRESS
    while missing(trips) and time.monotonic() < deadline:
        answer = stack.get(f"/demo/api/accepted?after={after}").json()
        after = answer["next"]
        for row in answer["accepted"]:
            if (row["to"], row["channel"]) in expected:
                trip, notification = expected[row["to"], row["channel"]]
                trip.moments.setdefault(notification, row["at"])
                deadline = time.monotonic() + SECONDS_WITHOUT_PROGRESS
        time.sleep(0.3)


def missing(trips: Sequence[Trip]) -> int:
    return sum(one not in trip.moments for trip in trips for one in NOTIFICATIONS)


def add_moments_of_databases(stack: Stack, trips: Sequence[Trip], moved: float) -> None:
    """When intake wrote the request, matching the offer, and notify the notifications: where the databases can be reached."""
    by_id = {trip.request_id: trip for trip in trips}
    mine = {"subject": {"$in": list(by_id)}}
    with MongoClient[dict[str, Any]](stack.mongodb_uri, tz_aware=True) as server:
        outboxes = {"request": (server.intake, "request.submitted.v1"), "offer": (server.matching, "offer.made.v1")}
        for name, (database, event_type) in outboxes.items():
            for row in database.outbox.find({**mine, "type": event_type}):
                by_id[row["subject"]].moments[name] = row["made_at"].timestamp() - moved
        offers = {row["_id"]: row["request_id"] for row in server.matching.offers.find({"request_id": {"$in": list(by_id)}})}
        for row in server.notify.notifications.find({"offer_id": {"$in": list(offers)}}):
            by_id[offers[row["offer_id"]]].moments[f"{row['channel']} notification"] = row["created_at"].timestamp() - moved


HOPS = (
    ("Send -> page answered", "sent", "answered"),
    ("Send -> intake wrote the request", "sent", "request"),
    ("request -> matching held a place and wrote the offer", "request", "offer"),
    ("offer -> notify wrote the notification", "offer", "email notification"),
    ("notification -> accepted by the mail server", "email notification", "email"),
    ("text's notification -> accepted by the text gateway", "text notification", "text"),
    ("Send -> receipt accepted by the mail server", "sent", "receipt"),
    ("Send -> accepted by the text gateway", "sent", "text"),
    ("Send -> accepted by the mail server", "sent", "email"),
)


def milliseconds(trips: Sequence[Trip], begin: str, end: str) -> list[float]:
    moments = [{"sent": trip.sent, "answered": trip.answered, **trip.moments} for trip in trips]
    return [1000 * (m[end] - m[begin]) for m in moments if begin in m and end in m]


def p99(values: Sequence[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def report(trips: Sequence[Trip]) -> int:
    table = Table("hop", "median ms", "p99 ms", "of", title=f"{len(trips)} requests, {RATE:g} a second", title_justify="left")
    for name, begin, end in HOPS:
        values = milliseconds(trips, begin, end)
        if values:
            table.add_row(name, f"{statistics.median(values):.0f}", f"{p99(values):.0f}", str(len(values)))
    console.print(table)
    ok, lost = [trip for trip in trips if not missing([trip])], missing(trips)
    mail = milliseconds(trips, "sent", "email") or [float("nan")]
    figures = f"median {statistics.median(mail):.0f} ms, p99 {p99(mail):.0f} ms"
    print(f"journey {len(ok)} ok, {figures}, {lost} letters missing", flush=True)
    return 1 if lost else 0


def the_stack() -> tuple[Stack, bool]:
    """The stack that is named, else the demo; and whether we started it."""
    if os.environ.get("JOURNEY_BASE"):
        verify = os.environ.get("JOURNEY_VERIFY") or True
        return Stack(
            base=os.environ["JOURNEY_BASE"].rstrip("/"), bring_in=shlex.split(os.environ["JOURNEY_IMPORT"]),
            environment=dict(os.environ), verify=False if verify == "no" else verify,
        ), False  # fmt: skip
    running = stack_in_environment()
    ours = "ready" not in running.read()
    if ours:
        demo("start")
    environment = running.environment()
    bring = [sys.executable, "-m", "deploy.kitchen", "people", "import", "-"]
    return Stack(running.read()["url"], bring, environment, mongodb_uri=environment["MONGODB_URI"]), ours


def demo(command: str) -> None:
    subprocess.run([sys.executable, "-m", "deploy.demo", command], cwd=ROOT, env={**os.environ, "DETACH": "1"}, check=True)


def own_address(stack: Stack, number: int) -> str:
    """Visitors have addresses of their own, and so many from one address would be refused. Linux may use all of 127/8."""
    here = stack.base.startswith("http://127.0.0.1") and sys.platform == "linux"
    return f"127.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" if here else ""


def measure(stack: Stack) -> list[Trip]:
    run = int(time.time())
    trips = [Trip(number, run, FormClient(stack.base, stack.verify, own_address(stack, number))) for number in range(1, N + 1)]
    begin = stack.get("/demo/api/accepted?after=1000000000").json()
    bring_in(stack, trips, "open", begin["moved"])
    try:
        wait_until_listed(stack, trips)
        with ThreadPoolExecutor(4) as pool:
            list(track(pool.map(Trip.fill_in, trips), "Writing requests", total=N, console=console))
        time.sleep(SECONDS_TO_TYPE)  # what is sent faster than a person types waits for a coordinator
        press_all(trips)
        wait_for_notifications(stack, trips, begin["next"])
        if stack.mongodb_uri:
            add_moments_of_databases(stack, trips, begin["moved"])
    finally:
        bring_in(stack, trips, "stepped_back", begin["moved"])
    return trips


def main() -> int:
    stack, ours = the_stack()
    try:
        trips = measure(stack)
    finally:
        if ours:
            demo("stop")
    return report(trips)


if __name__ == "__main__":
    sys.exit(main())
