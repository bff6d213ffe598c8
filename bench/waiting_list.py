"""python -m bench.waiting_list: a long waiting list, and places that come free, on a real MongoDB of its own.

WAITING (5000) people wait, PRACTITIONERS (100) who were full open up one after the other, with PLACES (2) places each. Measured:
how long the click of one takes while all of them wait, from its command to its commit; how long the assignment job, running as
in a worker, needs from the last click until it has nothing to do; the longest transaction, from its first command to the end of
its commit; and the most memory meanwhile of this process, which does all of it. Once for people who wait for a place, once for
people who wait for suggestions.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psutil
from pymongo import monitoring
from rich.console import Console
from rich.table import Table

from deploy.servers import mongod
from services.matching.handlers import service
from services.matching.handlers.assignment_job import run_assignment_job
from services.matching.handlers.broker_events import start_request
from services.matching.handlers.practitioner import AnswerOffer, SetAvailability, answer_offer, set_availability
from shared import vault
from shared.mongo import connect
from shared.programme import read_programme
from tests.people import a_request_submitted
from tests.waiting_lists import Kind, add_practitioners_who_are_full, add_waiting

WAITING = int(os.environ.get("WAITING") or 5000)
PRACTITIONERS = int(os.environ.get("PRACTITIONERS") or 100)
PLACES = int(os.environ.get("PLACES") or 2)
SECONDS_TO_WAIT = 900
console = Console()


class Transactions(monitoring.CommandListener):
    """How long each took: from its first command to the answer to its commit."""

    def __init__(self) -> None:
        self._began: dict[Any, float] = {}
        self.seconds: list[float] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command.get("startTransaction"):
            self._began[self._key(event.command)] = time.monotonic()
        if event.command_name == "commitTransaction":
            self._began[event.request_id] = self._began.pop(self._key(event.command), time.monotonic())

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        if event.command_name == "commitTransaction":
            self.seconds.append(time.monotonic() - self._began.pop(event.request_id))

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass

    def _key(self, command: Any) -> tuple[bytes, int]:
        return bytes(command["lsid"]["id"]), int(command["txnNumber"])


transactions = Transactions()


def main() -> None:
    monitoring.register(transactions)
    with tempfile.TemporaryDirectory(prefix="waiting-list-") as folder:
        server = mongod.start(Path(folder, "mongod"))
        try:
            configure(server.url, Path(folder, "keys"))
            show([measure("places"), measure("suggestions")])
        finally:
            server.stop()


def configure(url: str, keys: Path) -> None:
    vault.generate_keys(keys)
    db = connect(url, "matching")
    programme = read_programme(Path("deploy/programme.toml"))
    service.configure(db, vault.load_vault(keys, "matching"), programme, "http://localhost")
    service.make_indexes()


def measure(kind: Kind) -> dict[str, str]:
    for name in service.db.list_collection_names():
        service.db[name].delete_many({})
    random = Random(1)
    ids = add_practitioners_who_are_full(service, PRACTITIONERS + 1, PLACES, random)
    declined = an_open_offer(ids[0])
    add_waiting(service.db, WAITING, kind, ids[1:], random)
    transactions.seconds.clear()
    with assignment_job():
        clicks = [timed(lambda: service.run(answer_offer, AnswerOffer(offer_id=declined, answer="not_this_time")))]
        clicks += [timed(partial(service.run, set_availability, opened(id))) for id in ids[1:]]
        last_click = time.monotonic()
        memory = wait_until_idle()
        seconds = time.monotonic() - last_click
    return {
        "waiting for": kind,
        "decline": f"{clicks[0]:.3f} s",
        "open up, slowest": f"{max(clicks[1:]):.3f} s",
        "all done after": f"{seconds:.1f} s",
        "memory": f"{memory / 1e6:.0f} MB",
        "transactions": str(len(transactions.seconds)),
        "longest transaction": f"{max(transactions.seconds):.3f} s",
        "offers": str(service.db.offers.count_documents({"is_open": True})),
        "got suggestions": str(service.db.requests.count_documents({"suggested.0": {"$exists": True}})),
        "still wait": str(service.db.requests.count_documents({"queue": {"$exists": True}})),
    }


def an_open_offer(practitioner_id: str) -> str:
    service.run(set_availability, opened(practitioner_id))
    event = a_request_submitted(service, (practitioner_id, "ask_me"), id="declined")
    service.run(start_request, event)
    offer = service.db.offers.find_one({"is_open": True})
    assert offer
    return str(offer["_id"])


def opened(practitioner_id: str) -> SetAvailability:
    return SetAvailability(practitioner_id=practitioner_id, state="open", places=PLACES, offers_at_once=PLACES)


def timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@contextmanager
def assignment_job() -> Iterator[None]:
    stop = threading.Event()
    job = threading.Thread(target=run_assignment_job, args=(service.db, stop))
    job.start()
    yield
    stop.set()
    job.join()


def wait_until_idle() -> int:
    """The most memory seen meanwhile, in bytes."""
    until, most, process = time.monotonic() + SECONDS_TO_WAIT, 0, psutil.Process()
    while service.db.assignment_triggers.find_one({}) and time.monotonic() < until:
        most = max(most, process.memory_info().rss)
        time.sleep(0.05)
    return most


def show(rows: list[dict[str, str]]) -> None:
    table = Table(title=f"{WAITING} waiting, {PRACTITIONERS} practitioners open up with {PLACES} places each")
    for name in rows[0]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row.values())
    console.print(table)


if __name__ == "__main__":
    main()
