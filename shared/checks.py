"""Once a day each service checks all that it holds, a page at a time, and counts what it found: repaired, or made a task.

Where a round stands is a row of `checks`. Two workers that begin the same page write the same row, so one of them runs again and
finds that the other was there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, Protocol

from shared import metrics
from shared.documents import load_one, to_document
from shared.logs import get_logger
from shared.mongo import Db

Outcome = Literal["repaired", "task"]
SECONDS_BETWEEN_LOOKS = 60
A_DAY, BETWEEN_PAGES = timedelta(days=1), timedelta(minutes=1)
log = get_logger("checks")


@dataclass(frozen=True, kw_only=True)
class Round:
    """`after`: the next page follows this id. `begun_at`: when this round began; `before`: when the round before it did, None in
    the first. What was due before that and is still undone is late, however long the workers were away."""

    id: str
    next_at: datetime
    begun_at: datetime
    after: str = ""
    before: datetime | None = None


class Committing(Protocol):
    """A service, in a handler."""

    @property
    def name(self) -> str: ...

    def on_commit(self, call: "partial[None]") -> None: ...


def due(db: Db, name: str, moment: datetime) -> list[str]:
    """For a timer: the name again when a page of that check is due."""
    known = _round(db, name)
    return [name] if known is None or known.next_at <= moment else []


def begin(db: Db, name: str, moment: datetime) -> Round | None:
    """None: another worker was here meanwhile."""
    known = _round(db, name)
    if known is None:
        return Round(id=name, next_at=moment, begun_at=moment)
    if known.next_at > moment:
        return None
    return known if known.after else replace(known, begun_at=moment, before=known.begun_at)


def end(db: Db, page: Round, last: str, moment: datetime) -> None:
    """`last`: of the page; empty when nothing follows it."""
    next_at = moment + BETWEEN_PAGES if last else page.begun_at + A_DAY
    stored = to_document(replace(page, after=last, next_at=next_at))
    db.checks.replace_one({"_id": stored.pop("_id")}, stored, upsert=True)


def record(service: Committing, db: Db, finding: str, outcome: Outcome) -> None:
    """In the handler that repairs it or makes it a task. `finding`: a name from the code."""
    db.checks.update_one({"_id": f"found {finding}"}, {"$inc": {outcome: 1}}, upsert=True)
    service.on_commit(partial(_tell, service.name, finding, outcome))


def findings(db: Db) -> dict[str, dict[Outcome, int]]:
    """How often each was found so far."""
    found = db.checks.find({"_id": {"$regex": "^found "}})
    return {row.pop("_id").removeprefix("found "): row for row in found}  # type: ignore[misc]


def _tell(service: str, finding: str, outcome: Outcome) -> None:
    metrics.CHECKS.labels(service, finding, outcome).inc()
    log.warning("a check found what should not be", extra={"reason": finding, "outcome": outcome})


def _round(db: Db, name: str) -> Round | None:
    return load_one(Round, db.checks.find_one({"_id": name}))
