"""The database as a handler sees it in a transaction: what it writes is collected and leaves together, collection by collection.

A Transaction stands in for the service's Database. A handler, or many handlers one after the other, use its collections as usual:

- A write waits in memory until `flush`. It leaves sooner when its result is looked at (`.matched_count` ...), or when its
  collection is read by anything but `_id`: in one collection the order of reads and writes is what was written down.
- A read by `_id` alone is answered from what the transaction has read or written; `prefetch` reads many at once.
- Of one handler among many, what waits can be taken back: `savepoint`, `roll_back`. Once some of it has left, only the whole
  transaction can.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from bson import ObjectId
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.mongo import Db, Doc, Rows

Write = InsertOne[Doc] | ReplaceOne[Doc] | UpdateOne | UpdateMany | DeleteOne | DeleteMany
Keys = Mapping[str, Iterable[Any]]
"""Collection -> ids of documents."""
DUPLICATE_KEY = 11000


class StaleObject(RuntimeError):
    """Somebody else changed it since it was read. In a transaction Mongo nearly always finds that first, as a write conflict, and
    the handler runs again; this error is not tried again."""


class CannotRollBack(RuntimeError):
    """Something that the handler wrote has left already: only the whole transaction can be taken back."""


class Unknown:
    """Nothing is known of a document: neither its content nor that it is absent."""


UNKNOWN = Unknown()


@dataclass(eq=False)
class Waiting:
    """A write that waits. `execute` does it alone, for its result. `id`: the one document that it changes, and `before`: what
    was known of that."""

    write: Write
    execute: Callable[[], Any]
    id: Any = None
    before: Doc | Unknown | None = UNKNOWN
    must_match: bool = False


class WaitingResult:
    """The result of a write that waits. To look at it is to send it."""

    def __init__(self, collection: "TransactionCollection", waiting: Waiting) -> None:
        self._collection, self._waiting = collection, waiting
        self._result: Any = None

    def require_match(self) -> None:
        """Raises StaleObject, when it leaves, unless it matched one document."""
        self._waiting.must_match = True

    def __getattr__(self, name: str) -> Any:
        if self._result is None:
            self._result = self._collection.send(self._waiting)
        return getattr(self._result, name)


class TransactionCollection:
    """See the module. What is not listed here goes to the real collection, after everything that waits."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._waiting: list[Waiting] = []
        self._known: dict[Any, Doc | None] = {}
        self._outdated: set[Any] = set()
        self._any_outdated = False
        self.flushes = 0

    def __getattr__(self, name: str) -> Any:
        self.flush()
        self._count_flush()  # it may be a write
        self._known.clear()
        return getattr(self._rows, name)

    # writes

    def insert_one(self, document: Doc) -> WaitingResult:
        document.setdefault("_id", ObjectId())
        return self._write(InsertOne(document), lambda: self._rows.insert_one(document), document["_id"], document)

    def insert_many(self, documents: Iterable[Doc]) -> None:
        for document in documents:
            self.insert_one(document)

    def replace_one(self, where: Doc, document: Doc, upsert: bool = False) -> WaitingResult:
        certain = (upsert and where.keys() == {"_id"}) or where.keys() == {"_id", "version"}
        after = {"_id": where["_id"], **document} if certain else UNKNOWN
        send = lambda: self._rows.replace_one(where, document, upsert=upsert)  # noqa: E731
        return self._write(ReplaceOne(where, document, upsert=upsert), send, where.get("_id"), after)

    def update_one(self, where: Doc, change: Any, upsert: bool = False) -> WaitingResult:
        send = lambda: self._rows.update_one(where, change, upsert=upsert)  # noqa: E731
        return self._write(UpdateOne(where, change, upsert=upsert), send, where.get("_id"), UNKNOWN)

    def update_many(self, where: Doc, change: Any) -> WaitingResult:
        return self._write(UpdateMany(where, change), lambda: self._rows.update_many(where, change), None, UNKNOWN)

    def delete_one(self, where: Doc) -> WaitingResult:
        after = None if where.keys() == {"_id"} else UNKNOWN
        return self._write(DeleteOne(where), lambda: self._rows.delete_one(where), where.get("_id"), after)

    def delete_many(self, where: Doc) -> WaitingResult:
        return self._write(DeleteMany(where), lambda: self._rows.delete_many(where), None, UNKNOWN)

    # reads

    def find_one(self, where: Doc, *args: Any, **options: Any) -> Doc | None:
        if where.keys() == {"_id"} and not isinstance(where["_id"], dict) and not options:
            return self.by_id([where["_id"]])[0]
        self.flush()
        return self._rows.find_one(where, *args, **options)

    def find(self, where: Doc | None = None, *args: Any, **options: Any) -> Any:
        by_id = where["_id"] if where and where.keys() == {"_id"} else None
        ids = by_id["$in"] if isinstance(by_id, dict) and by_id.keys() == {"$in"} else None
        if ids is not None and not options:
            return iter([document for document in self.by_id(dict.fromkeys(ids)) if document is not None])
        self.flush()
        return self._rows.find(where, *args, **options)

    def by_id(self, ids: Iterable[Any]) -> list[Doc | None]:
        """In this order, None for what is not there."""
        wanted = list(ids)
        if self._any_outdated or not self._outdated.isdisjoint(wanted):
            self.flush()
        missing = [id for id in dict.fromkeys(wanted) if id not in self._known]
        if missing:
            self._known.update(dict.fromkeys(missing))
            self._known.update({document["_id"]: document for document in self._read(missing)})
        return [_copy(self._known[id]) for id in wanted]

    def _read(self, ids: list[Any]) -> Iterable[Doc]:
        if len(ids) > 1:
            return self._rows.find({"_id": {"$in": ids}})
        document = self._rows.find_one({"_id": ids[0]})
        return [] if document is None else [document]

    # what waits

    def mark(self) -> int:
        return len(self._waiting)

    def roll_back(self, mark: int) -> None:
        while len(self._waiting) > mark:
            self._forget(self._waiting.pop())

    def flush(self) -> None:
        """Raises DuplicateKeyError, or StaleObject."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        self._count_flush()
        for group in _alike(waiting):
            matched = _bulk_write(self._rows, [one.write for one in group])
            if group[0].must_match and matched != len(group):
                raise StaleObject

    def send(self, waiting: Waiting) -> Any:
        """Everything before it, then this one alone, for its result."""
        assert self._waiting[-1:] == [waiting], "its result was looked at after other writes"
        self._waiting.pop()
        self.flush()
        self._count_flush()
        return waiting.execute()

    def _count_flush(self) -> None:
        self._outdated.clear()
        self._any_outdated = False
        self.flushes += 1

    def _write(self, write: Write, execute: Callable[[], Any], id: Any, after: Doc | Unknown | None) -> WaitingResult:
        waiting = Waiting(write, execute, id, self._known.get(id, UNKNOWN))
        self._waiting.append(waiting)
        self._learn(id, after)
        return WaitingResult(self, waiting)

    def _learn(self, id: Any, after: Doc | Unknown | None) -> None:
        if not isinstance(after, Unknown):
            self._known[id] = after
            return
        if id is None:
            self._any_outdated = True
            self._known.clear()
        else:
            self._outdated.add(id)
            self._known.pop(id, None)

    def _forget(self, waiting: Waiting) -> None:
        self._known.pop(waiting.id, None)
        if not isinstance(waiting.before, Unknown):
            self._known[waiting.id] = waiting.before


@dataclass(frozen=True)
class Savepoint:
    flushes: int
    marks: Mapping[str, int]


class Transaction:
    """One attempt at a transaction. `db` must be used within a bound session."""

    def __init__(self, db: Db) -> None:
        self._rows_of = db.get_collection
        self._collections: dict[str, TransactionCollection] = {}

    def __getattr__(self, name: str) -> TransactionCollection:
        return self[name]

    def __getitem__(self, name: str) -> TransactionCollection:
        if name not in self._collections:
            self._collections[name] = TransactionCollection(self._rows_of(name))
        return self._collections[name]

    def as_db(self) -> Db:
        return cast(Db, self)

    def prefetch(self, wanted: Iterable[Keys]) -> None:
        """Read all of these documents, with one command for each collection."""
        together: dict[str, list[Any]] = {}
        for keys in wanted:
            for name, ids in keys.items():
                together.setdefault(name, []).extend(ids)
        for name, all_ids in together.items():
            self[name].by_id(all_ids)

    def savepoint(self) -> Savepoint:
        return Savepoint(self._flushes(), {name: one.mark() for name, one in self._collections.items()})

    def roll_back(self, savepoint: Savepoint) -> None:
        """Take back what was written since. Raises CannotRollBack when some of it has left."""
        if self._flushes() != savepoint.flushes:
            raise CannotRollBack
        for name, collection in self._collections.items():
            collection.roll_back(savepoint.marks.get(name, 0))

    def flush(self) -> None:
        for collection in self._collections.values():
            collection.flush()

    def _flushes(self) -> int:
        return sum(one.flushes for one in self._collections.values())


def require_match(result: Any) -> None:
    """Raises StaleObject unless the write matched a document; in a transaction, when it leaves."""
    if isinstance(result, WaitingResult):
        result.require_match()
    elif result.matched_count != 1:
        raise StaleObject


def _alike(waiting: list[Waiting]) -> Iterator[list[Waiting]]:
    """In their order, so that in each group all must match a document, or none."""
    group: list[Waiting] = []
    for one in waiting:
        if group and one.must_match != group[0].must_match:
            yield group
            group = []
        group.append(one)
    yield group


def _bulk_write(rows: Rows, writes: list[Write]) -> int:
    try:
        return rows.bulk_write(writes).matched_count
    except BulkWriteError as error:
        errors = error.details["writeErrors"]
        if any(one["code"] != DUPLICATE_KEY for one in errors):
            raise
        raise DuplicateKeyError("duplicate key", DUPLICATE_KEY, errors[0]) from None


def _copy(document: Doc | None) -> Doc | None:
    return None if document is None else dict(document)
