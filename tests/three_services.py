"""The three services on one MongoDB, without a broker: what one writes into its outbox reaches the others when a test says so."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.messages import from_json
from shared.mongo import Doc
from shared.service import Service

NAMES = ("intake", "matching", "notify")


@dataclass
class Services:
    intake: Service
    matching: Service
    notify: Service
    published: set[str] = field(default_factory=set)

    def all(self) -> tuple[Service, Service, Service]:
        return self.intake, self.matching, self.notify

    def deliver(self) -> None:
        """What a broker does: every event that was written since the last time, to every service, and what follows from it."""
        new = [row for service in self.all() for row in service.db.outbox.find() if row["_id"] not in self.published]
        for row in new:
            self.published.add(row["_id"])
            for service in self.all():
                service.receive(from_json(row["body"]))
        if new:
            self.deliver()

    def rows(self, *, without: tuple[str, ...] = ()) -> Iterator[tuple[str, Doc]]:
        """Every row of every collection of the three databases, with where it is."""
        for service in self.all():
            for name in service.db.list_collection_names():
                if name not in without:
                    yield from ((f"{service.name}.{name}", row) for row in service.db[name].find())


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a row; of an event those in its data."""
    if isinstance(value, str):
        yield from texts_in(from_json(value).data) if value.startswith("{") else [value]
    elif isinstance(value, dict | list | tuple):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)
