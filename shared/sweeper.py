"""Deletes what is kept no longer (retention.py), in each worker, by the product's own clock: some rows at a time, by an index.

MongoDB's TTL is only a second line, a week later: it runs by another clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel

from shared import clock
from shared.messages import Event
from shared.mongo import Db, Doc
from shared.retention import Kept, rules_of

SECOND_LINE = timedelta(days=7)
AT_ONCE = 500
BATCHES_AT_ONCE = 10
BY_THE_SERVERS_CLOCK = ("sent_at",)  # of the outbox: a demo or a test that moves the clock does not move that


@dataclass(frozen=True)
class Overdue:
    """Rows that one rule ends. `where`: what was true of them when they were found."""

    rule: Kept
    ids: tuple[Any, ...]
    where: Doc


def indexes_of(service: str) -> dict[str, list[IndexModel]]:
    found: dict[str, list[IndexModel]] = {}
    for rule in rules_of(service):
        found.setdefault(rule.collection, []).append(_index(rule))
    return found


def _index(rule: Kept) -> IndexModel:
    """For the sweeper's look; where whole rows go, it is the second line too."""
    name = "_".join(["kept", rule.since, *rule.only])
    later = {} if rule.removes else {"expireAfterSeconds": int((rule.longest + SECOND_LINE).total_seconds())}
    partial: Doc = {**rule.only, rule.since: {"$exists": True}}
    return IndexModel([(rule.since, ASCENDING)], name=name, partialFilterExpression=partial, **later)


def find_overdue(db: Db, service: str, moment: datetime, days: Mapping[str, float]) -> Iterator[Overdue]:
    """Some of what is kept no longer, the longest overdue first."""
    for rule in rules_of(service):
        where = _over(rule, moment, days)
        found = db[rule.collection].find(where, {"_id": 1}).sort(rule.since, ASCENDING).limit(AT_ONCE * BATCHES_AT_ONCE)
        ids = [row["_id"] for row in found]
        for start in range(0, len(ids), AT_ONCE):
            yield Overdue(rule, tuple(ids[start : start + AT_ONCE]), where)


def late(service: str, moment: datetime, days: Mapping[str, float]) -> Iterator[tuple[Kept, Doc]]:
    """Each rule, and which rows it should have ended by this moment."""
    for rule in rules_of(service):
        by = moment - clock.offset() if rule.since in BY_THE_SERVERS_CLOCK else moment
        yield rule, _over(rule, by, days)


def _over(rule: Kept, moment: datetime, days: Mapping[str, float]) -> Doc:
    return {**rule.only, rule.since: {"$lte": moment - rule.kept(days)}}


def delete_overdue(overdue: Overdue, db: Db) -> list[Event]:
    """Those that are still overdue: somebody may have changed them since they were found."""
    rule, rows = overdue.rule, db[overdue.rule.collection]
    these: Doc = {"_id": {"$in": list(overdue.ids)}, **overdue.where}
    if not rule.removes:
        rows.delete_many(these)
        return []
    if rule.else_row_goes:
        rows.delete_many({**these, **dict.fromkeys(rule.else_row_goes)})
    rows.update_many(these, {"$unset": dict.fromkeys(rule.removes, "")})
    return []
