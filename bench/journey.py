"""make journey: requests through the whole running stack, from Send to the offer being accepted by mail and text servers.

N (50) requests are written through the real form by visitors of their own; then Send is pressed RATE (5) times a second.
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

from bench.form import FormOnPage, Visitor
from deploy.demo.home import ROOT, this_home

N, RATE = int(os.environ.get("N") or 50), float(os.environ.get("RATE") or 5)
SECONDS_TO_WAIT = 60
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
    visitor: Visitor
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
    def phone(self) -> str:
        """No two runs of a day share a number: nobody is texted twice within the hour."""
        return f"+1500{2_000_000 + (self.run * N + self.number) % 8_000_000}"

    def fill_in(self) -> None:
        """All seven pages, up to `Check your answers`."""
        self.visitor.open(f"/ask/1?with={self.slug}")
        answers: list[dict[str, str | list[str]]] = [
            {"mode": "chosen"}, {"name": "Sam"}, {"words": "Somebody to talk to on Sundays."},
            {"reach": ["email"], "email": f"sam-{self.slug}@journey.example"}, {}, {"language": "en"}, {},
        ]  # fmt: skip
        for answer in answers:
            self.visitor.send(**answer)
        if not self.visitor.url.endswith("/ask/check"):
            raise SystemExit(f"the form stopped at {self.visitor.url}")
        self.request_id = dict(FormOnPage(self.visitor.page).fields)["request_id"]

    def press_send(self) -> None:
        self.sent = time.time()
        self.visitor.send()
        self.answered = time.time()
        if "/ask/sent" not in self.visitor.url:
            raise SystemExit(f"Send led to {self.visitor.url}")


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


def bring_in(stack: Stack, people: str) -> None:
    done = subprocess.run(stack.bring_in, input=people, env=stack.environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"practitioners could not be brought in:\n{done.stdout}{done.stderr}")


def wait_until_listed(stack: Stack, trips: Sequence[Trip]) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    for trip in trips:
        while stack.get(f"/people/{trip.slug}").status_code != 200:
            if time.monotonic() > deadline:
                raise SystemExit("the practitioners did not reach the directory")
            time.sleep(0.2)


def press_all(trips: Sequence[Trip]) -> None:
    begin = time.monotonic() + 0.5
    with ThreadPoolExecutor(16) as pool:
        pressed = []
        for place, trip in enumerate(track(trips, f"Pressing Send, {RATE:g} a second", console=console)):
            time.sleep(max(0, begin + place / RATE - time.monotonic()))
            pressed.append(pool.submit(trip.press_send))
        for one in pressed:
            one.result()


def wait_for_letters(stack: Stack, trips: Sequence[Trip], place: int) -> None:
    """Until the offer to each practitioner was accepted by both servers, or the time is up."""
    by_address = {address: trip for trip in trips for address in (trip.email, trip.phone)}
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while any(len(trip.moments) < 2 for trip in trips) and time.monotonic() < deadline:
        told = stack.get(f"/demo/api/accepted?after={place}").json()
        place = told["next"]
        for row in told["accepted"]:
            if row["to"] in by_address:
                by_address[row["to"]].moments.setdefault(row["channel"], row["at"])
        time.sleep(0.3)


def add_moments_of_databases(stack: Stack, trips: Sequence[Trip], moved: float) -> None:
    """When intake wrote the request, matching the offer, and notify the letters. Only where the databases can be reached."""
    by_id = {trip.request_id: trip for trip in trips}
    mine = {"subject": {"$in": list(by_id)}}
    with MongoClient[dict[str, Any]](stack.mongodb_uri, tz_aware=True) as server:
        for name, said in (("request", server.intake), ("offer", server.matching)):
            kind = {"request": "request.submitted.v1", "offer": "offer.made.v1"}[name]
            for row in said.outbox.find({**mine, "type": kind}):
                by_id[row["subject"]].moments[name] = row["made_at"].timestamp() - moved
        offers = {row["_id"]: row["request_id"] for row in server.matching.offers.find({"request_id": {"$in": list(by_id)}})}
        for row in server.notify.letters.find({"offer_id": {"$in": list(offers)}}):
            by_id[offers[row["offer_id"]]].moments[f"{row['channel']} letter"] = row["made_at"].timestamp() - moved


HOPS = (
    ("Send -> page answered", "sent", "answered"),
    ("Send -> intake wrote the request", "sent", "request"),
    ("request -> matching held a place and wrote the offer", "request", "offer"),
    ("offer -> notify wrote the letter", "offer", "email letter"),
    ("letter -> accepted by the mail server", "email letter", "email"),
    ("text's letter -> accepted by the text gateway", "text letter", "text"),
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
    told = [trip for trip in trips if {"email", "text"} <= set(trip.moments)]
    mail = milliseconds(told, "sent", "email") or [float("nan")]
    print(f"journey {len(told)} ok, median {statistics.median(mail):.0f} ms, p99 {p99(mail):.0f} ms", flush=True)
    return 0 if len(told) == len(trips) else 1


def the_stack() -> tuple[Stack, bool]:
    """The stack that is named, else the demo; and whether we started it."""
    if os.environ.get("JOURNEY_BASE"):
        verify = os.environ.get("JOURNEY_VERIFY") or True
        return Stack(
            base=os.environ["JOURNEY_BASE"].rstrip("/"), bring_in=shlex.split(os.environ["JOURNEY_IMPORT"]),
            environment=dict(os.environ), verify=False if verify == "no" else verify,
        ), False  # fmt: skip
    home = this_home()
    ours = "ready" not in home.noted()
    if ours:
        demo("start")
    given = home.noted()["environments"]["matching"]
    bring = [sys.executable, "-m", "services.matching.people", "/dev/stdin"]
    return Stack(home.noted()["url"], bring, {**os.environ, **given}, mongodb_uri=given["MONGODB_URI"]), ours


def demo(command: str) -> None:
    subprocess.run([sys.executable, "-m", "deploy.demo", command], cwd=ROOT, env={**os.environ, "DETACH": "1"}, check=True)


def measure(stack: Stack) -> list[Trip]:
    run = int(time.time())
    trips = [Trip(number, run, Visitor(stack.base, stack.verify)) for number in range(1, N + 1)]
    begin = stack.get("/demo/api/accepted?after=1000000000").json()
    bring_in(stack, practitioners(trips, "open", begin["moved"]))
    try:
        wait_until_listed(stack, trips)
        with ThreadPoolExecutor(4) as pool:
            list(track(pool.map(Trip.fill_in, trips), "Writing requests", total=N, console=console))
        press_all(trips)
        wait_for_letters(stack, trips, begin["next"])
        if stack.mongodb_uri:
            add_moments_of_databases(stack, trips, begin["moved"])
    finally:
        bring_in(stack, practitioners(trips, "stepped_back", begin["moved"]))
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
