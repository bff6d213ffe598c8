"""Bring a population into the three databases: the stores' own documents, in thousands, before there are indexes."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bson import Timestamp
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

from bench.scale.population import PRACTITIONERS, TASKS, Population, make_population, practitioner_id, slug_of
from deploy.local.stack import SERVICES
from services.matching.domain import Practitioner
from shared.documents import to_document
from shared.mongo import Db, Doc
from shared.vault import load_vault

AT_ONCE = 1000
PROCESSES = 2
UNCONFIRMED = WriteConcern(w=1, j=False)
HISTORY_OF_EVENTS = 3  # one request of three was sent within the days for which the outbox keeps what it published


def load(waiting: int, mongodb_uri: str) -> None:
    """Keys are read from KEYS_DIR."""
    steps = [(name, share, waiting, mongodb_uri) for name in LOADERS for share in shares(name, waiting)]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(_load_share, steps):
            pass


def shares(name: str, waiting: int) -> list[range]:
    count = {"practitioners": PRACTITIONERS, "tasks": TASKS}.get(name, waiting)
    size = max(AT_ONCE, count // (2 * PROCESSES))
    return [range(first, min(count, first + size)) for first in range(0, count, size)]


def _load_share(step: tuple[str, range, int, str]) -> None:
    name, numbers, waiting, uri = step
    keys = Path(os.environ["KEYS_DIR"])
    population = make_population(waiting, {service: load_vault(keys, service) for service in SERVICES})
    with MongoClient[Doc](uri, tz_aware=True) as server:
        dbs = {service: server.get_database(service, write_concern=UNCONFIRMED) for service in SERVICES}
        LOADERS[name](population, numbers, dbs)


def practitioners(population: Population, numbers: range, dbs: dict[str, Db]) -> None:
    for batch in batches(population, numbers):
        people = [population.practitioner(number) for number in batch]
        entries = zip(batch, people, strict=True)
        insert(dbs["matching"], "practitioners", (to_document(one, {"has_room": one.has_room}) for one in people))
        insert(dbs["intake"], "directory", (_directory_document(population, *each) for each in entries))
        insert(dbs["notify"], "contacts", (_contact_document(population.contact_of_practitioner(number)) for number in batch))


def _directory_document(population: Population, number: int, one: Practitioner) -> Doc:
    slug_index = population.intake.blind_index("slug", slug_of(number))
    changed_at = Timestamp(population.sent_at(number), number)
    return to_document(population.entry(one), {"_id": one.id, "slug_index": slug_index, "changed_at": changed_at})


def _contact_document(contact: Any) -> Doc:
    document = to_document(contact)
    return {"_id": document.pop("person_id"), **document}


def requests(population: Population, numbers: range, dbs: dict[str, Db]) -> None:
    for batch in batches(population, _with_placed(population, numbers)):
        found = [population.request(number) for number in batch]
        insert(dbs["matching"], "requests", (to_document(one, {"queue": one.queue}) for one in found))
        insert(dbs["notify"], "contacts", (_contact_document(population.contact_of_supportee(number)) for number in batch))


def sent_requests(population: Population, numbers: range, dbs: dict[str, Db]) -> None:
    for batch in batches(population, _with_placed(population, numbers)):
        insert(dbs["intake"], "requests", (to_document(population.sent_request(number)) for number in batch))
        insert(dbs["intake"], "links", (to_document(population.code(number)) for number in batch))
        insert(dbs["intake"], "links", (to_document(population.link(number)) for number in batch))


def _with_placed(population: Population, numbers: range) -> Iterable[int]:
    """Those who do not wait come with the first share."""
    return [*population.placed, *numbers] if numbers.start == 0 else numbers


def history(population: Population, numbers: range, dbs: dict[str, Db]) -> None:
    for batch in batches(population, numbers):
        for name, db in dbs.items():
            insert(db, "inbox", (_inbox_document(population, name, number) for number in batch))
        for name in ("intake", "matching"):
            of_this_month = [number for number in batch if number % HISTORY_OF_EVENTS == 0]
            insert(dbs[name], "outbox", (_outbox_document(population, name, number) for number in of_this_month))
        finished = [number for number in batch if number % 10 == 0]
        insert(dbs["notify"], "notifications", (_notification_document(population, number) for number in finished))


def _inbox_document(population: Population, service: str, number: int) -> Doc:
    at = population.sent_at(number)
    return {"_id": f"{practitioner_id(number)[:8]}-{service}-{number}", "handler": "start_request", "at": at}


def _outbox_document(population: Population, service: str, number: int) -> Doc:
    document = population.published(service, number).to_document()
    del document["next_at"]
    return {**document, "attempts": 1, "sent_at": document["made_at"]}


def _notification_document(population: Population, number: int) -> Doc:
    one = population.finished_notification(number)
    return to_document(one, {"finished_at": one.created_at + timedelta(hours=1)})


def tasks(population: Population, numbers: range, dbs: dict[str, Db]) -> None:
    found = [population.task(number) for number in numbers]
    insert(dbs["matching"], "coordinator_tasks", (to_document(one, {"is_open": one.is_open}) for one in found))
    if numbers.start == 0:
        _offers(population, dbs["matching"])


def _offers(population: Population, matching: Db) -> None:
    offers = [population.offer(number) for number in population.placed]
    derived = ({"is_open": one.is_open, "holds_place": one.holds_place} for one in offers)
    insert(matching, "offers", map(to_document, offers, derived))
    insert(matching, "matches", (to_document(population.match(one)) for one in offers if not one.is_open))


LOADERS: dict[str, Callable[[Population, range, dict[str, Db]], None]] = {
    "practitioners": practitioners,
    "requests": requests,
    "sent requests": sent_requests,
    "history": history,
    "tasks": tasks,
}


def batches(population: Population, numbers: Iterable[int]) -> Iterator[list[int]]:
    """In each, what can be decrypted comes last: a database's newest documents must be readable, else no process starts."""
    left = iter(numbers)
    while batch := list(islice(left, AT_ONCE)):
        yield sorted(batch, key=population.is_real)


def insert(db: Db, collection: str, documents: Iterable[Doc]) -> None:
    found = list(documents)
    if found:
        db[collection].insert_many(found, ordered=False)
