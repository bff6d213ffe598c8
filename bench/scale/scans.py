"""What mongod did for each command, by its profiler: which collections it read from end to end, and what reads many documents."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import MongoClient

from deploy.local.stack import SERVICES
from shared.mongo import Db, Doc

BYTES_OF_PROFILE = 256 * 1024 * 1024
FEW = 500
"""A collection with so few documents may be read whole: an index would save nothing."""
MANY = 2000
LONGEST_SHAPE = 160


@dataclass(frozen=True)
class Command:
    """The worst of its shape. `examined`: documents or index keys, whichever are more."""

    collection: str
    plan: str
    shape: str
    examined: int
    returned: int
    times: int = 1

    def __str__(self) -> str:
        read = f"{self.examined} examined, {self.returned} returned, {self.times} times"
        return f"{self.collection}: {self.plan}, {read}: {self.shape}"


def start_profiler(server: MongoClient[Doc]) -> None:
    for db in databases(server):
        db.command({"profile": 0})
        db.drop_collection("system.profile")
        db.create_collection("system.profile", capped=True, size=BYTES_OF_PROFILE)
        db.command({"profile": 2})


def databases(server: MongoClient[Doc]) -> Iterable[Db]:
    return [server.get_database(name) for name in SERVICES]


def examined_since(server: MongoClient[Doc], since: datetime) -> int:
    """Of all commands since then, the documents or keys that the worst of them looked at."""
    return max((_examined(row) for db in databases(server) for row in _rows(db, {"ts": {"$gte": since}})), default=0)


def collection_scans(server: MongoClient[Doc]) -> list[Command]:
    """On collections with more than FEW documents. Two kinds read little: a change stream follows the oplog, which has no index,
    and the newest few are read in the order in which they are stored."""
    found = _commands(server, {"planSummary": {"$regex": "COLLSCAN"}, "command.limit": {"$not": {"$lte": FEW, "$gt": 0}}})
    return [command for command in found if _size(server, command.collection) > FEW]


def _size(server: MongoClient[Doc], collection: str) -> int:
    database, _, name = collection.partition(".")
    return server[database][name].estimated_document_count()


def commands_that_read_many(server: MongoClient[Doc]) -> list[Command]:
    many = [{"docsExamined": {"$gt": MANY}}, {"keysExamined": {"$gt": MANY}}]
    return sorted(_commands(server, {"$or": many}), key=lambda command: -command.examined)


def _commands(server: MongoClient[Doc], where: Doc) -> list[Command]:
    worst: dict[tuple[str, str, str], Command] = {}
    for db in databases(server):
        for row in _rows(db, where):
            one = Command(row["ns"], row["planSummary"], _shape(row), _examined(row), row.get("nreturned", 0))
            key = one.collection, one.plan, one.shape
            known = worst.get(key, one)
            times = known.times + 1 if key in worst else 1
            top = max(known, one, key=lambda command: command.examined)
            worst[key] = Command(one.collection, one.plan, one.shape, top.examined, top.returned, times)
    return list(worst.values())


def _rows(db: Db, where: Doc) -> Iterator[Doc]:
    ours = {"planSummary": {"$exists": True}, "ns": {"$not": {"$regex": r"\.system\.|\$cmd"}}}
    for row in db["system.profile"].find({**ours, **where}):
        if not _is_change_stream(row):
            yield row


def _is_change_stream(row: Doc) -> bool:
    command = row.get("originatingCommand") or row.get("command", {})
    return any("$changeStream" in stage for stage in command.get("pipeline", []) if isinstance(stage, dict))


def _examined(row: Doc) -> int:
    return int(max(row.get("docsExamined", 0), row.get("keysExamined", 0)))


def _shape(row: Doc) -> str:
    """What was asked, without the values."""
    command = row.get("originatingCommand") or row.get("command", {})
    asked = {name: command[name] for name in ("filter", "q", "query", "sort", "limit", "pipeline") if name in command}
    return f"{row.get('op')} {json.dumps(_without_values(asked))}"[:LONGEST_SHAPE]


def _without_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_values(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_values(value[0])] if value else []
    return value if isinstance(value, bool | int) else "?"
