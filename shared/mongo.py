"""Connections to MongoDB, and the wake-up that says there is work."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

Doc = dict[str, Any]
Db = Database[Doc]
Rows = Collection[Doc]

MAJORITY = WriteConcern(w="majority", j=True, wtimeout=8000)


def connect(uri: str, name: str) -> Db:
    """One client a process, made after fork and at once: a client made lazily raced under threads."""
    client: MongoClient[Doc] = MongoClient(
        uri, tz_aware=True, appname=name, serverSelectionTimeoutMS=5000, retryWrites=True, w="majority", journal=True
    )
    return client.get_database(name, read_concern=ReadConcern("majority"), write_concern=MAJORITY)


def make_indexes(db: Db, wanted: Mapping[str, Sequence[pymongo.IndexModel]]) -> None:
    for collection, indexes in wanted.items():
        _drop_outdated(db[collection], {index.document["name"]: index.document.get("expireAfterSeconds") for index in indexes})
        if indexes:
            db[collection].create_indexes(list(indexes))


def _drop_outdated(rows: Rows, wanted: Mapping[str, int | None]) -> None:
    """Indexes of an earlier release that delete after another time than is wanted now."""
    for name, known in rows.index_information().items():
        if "expireAfterSeconds" in known and known["expireAfterSeconds"] != wanted.get(name):
            with suppress(OperationFailure):  # another worker dropped it
                rows.drop_index(name)


class WakeUp:
    """Wakes one thread that waits for work. A hint only: whoever waits also looks by itself after `timeout`."""

    def __init__(self) -> None:
        self._ended, self._stopped = threading.Event(), threading.Event()
        self._woken = False

    def wait(self, timeout: float) -> bool:
        """Whether somebody said that there is work."""
        self._ended.wait(timeout)
        self._ended.clear()
        woken, self._woken = self._woken, False
        return woken

    def wake(self) -> None:
        self._woken = True
        self._ended.set()

    def interrupt(self) -> None:
        """End the wait, for another reason than work."""
        self._ended.set()

    def stop(self) -> None:
        self._stopped.set()
        self._ended.set()

    def watch(self, rows: Rows, where: Mapping[str, Any]) -> None:
        """Wake up whenever a document that matches is inserted, by whatever process."""
        matching = {f"fullDocument.{name}": value for name, value in where.items()}
        inserts: list[Mapping[str, Any]] = [{"$match": {"operationType": "insert", **matching}}, {"$project": {"_id": 1}}]
        threading.Thread(target=self._listen, args=(rows, inserts), name=f"watch-{rows.name}", daemon=True).start()

    def _listen(self, rows: Rows, inserts: Sequence[Mapping[str, Any]]) -> None:
        while not self._stopped.is_set():
            try:
                with rows.watch(inserts, max_await_time_ms=1000) as stream:
                    self.wake()  # what came before the stream opened
                    while not self._stopped.is_set():
                        if stream.try_next() is not None:
                            self.wake()
            except PyMongoError:
                self._stopped.wait(1.0)  # no primary now: polling goes on, the stream comes back
