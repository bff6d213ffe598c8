"""Work for the assignment job, and the job's lease.

A trigger is a document for each fact that may bring somebody who waits and a free place together. Its `_id` follows from what it
is about. Whoever writes it writes that practitioner or request too, so there are no conflicts that were not there already. Each
gives it a new token, and the job deletes what it has dealt with by the token that it read: what was written meanwhile stays.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pymongo import IndexModel

from shared.clock import now
from shared.documents import load_all, load_each
from shared.leased_work import DUE_NOW, Lease, MongoQueue, lease_of
from shared.mongo import Db, WakeUp

TRIGGER_INDEXES = [IndexModel("created_at")]
JOB_INDEXES = [IndexModel("next_at", partialFilterExpression={"next_at": {"$exists": True}})]
EVERYTHING = "everything"
About = Literal["practitioner_id", "stepped_back_id", "request_id"]
"""Which field of a trigger holds the id."""
JOB = "assignment"
HORIZON = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class AssignmentTrigger:
    """This practitioner has room, this one stepped back, or this request began to wait; none of them: everybody with room and
    everybody who waits."""

    id: str
    token: str | None = None
    created_at: datetime | None = None
    practitioner_id: str | None = None
    stepped_back_id: str | None = None
    request_id: str | None = None

    @property
    def is_everything(self) -> bool:
        return not (self.practitioner_id or self.stepped_back_id or self.request_id)


def leave_triggers(db: Db, about: About, ids: Sequence[str]) -> None:
    for id in ids:
        _write(db, trigger_id(about, id), {about: id})


def look_at_everything(db: Db) -> None:
    _write(db, EVERYTHING, {})


def triggers(db: Db, limit: int) -> list[AssignmentTrigger]:
    return load_all(AssignmentTrigger, db.assignment_triggers.find().limit(limit))


def oldest_trigger(db: Db) -> AssignmentTrigger | None:
    return next(load_each(AssignmentTrigger, db.assignment_triggers.find().sort("created_at", 1)), None)


def those_with_unassigned_room(db: Db, practitioner_ids: Iterable[str]) -> set[str]:
    """Which of these have places that came free and that the job has not looked at yet."""
    among = {"_id": {"$in": [trigger_id("practitioner_id", id) for id in practitioner_ids]}}
    return {row["practitioner_id"] for row in db.assignment_triggers.find(among)}


def delete_triggers(db: Db, done: Sequence[AssignmentTrigger]) -> None:
    """Those that nobody wrote again since they were read."""
    as_read = {"_id": {"$in": [one.id for one in done]}, "token": {"$in": [one.token for one in done]}}
    db.assignment_triggers.delete_many(as_read)


def delete_trigger(db: Db, about: About, id: str) -> None:
    db.assignment_triggers.delete_one({"_id": trigger_id(about, id)})


def wake_on_triggers(db: Db, wake_up: WakeUp) -> None:
    """Whichever process writes one."""
    wake_up.watch(db.assignment_triggers, {})


def trigger_id(about: About, id: str) -> str:
    return f"{about}/{id}"


def _write(db: Db, id: str, about: Mapping[str, str]) -> None:
    # Where it is there already too: so the job's deletion and this notice each other.
    document = {"token": str(uuid.uuid4()), "created_at": now(), **about}
    db.assignment_triggers.replace_one({"_id": id}, document, upsert=True)


class JobQueue:
    """The lease of the one job. Its document is always due, unless a worker holds it or a run failed a moment ago."""

    def __init__(self, db: Db, lease: timedelta) -> None:
        self._jobs = db.jobs
        self._queue = MongoQueue(db.jobs, where={"_id": JOB}, lease=lease, horizon=HORIZON)

    def claim(self) -> list[Lease]:
        """The job, or nothing while another worker has it."""
        self._jobs.update_one({"_id": JOB}, {"$setOnInsert": {"next_at": DUE_NOW}}, upsert=True)
        return [lease_of(document) for document in self._queue.claim(1)]

    def renew(self, leases: Sequence[Lease]) -> None:
        self._queue.renew(leases)

    def release(self, lease: Lease) -> None:
        self._queue.release([lease])

    def postpone(self, lease: Lease, pause: timedelta) -> None:
        self._queue.reschedule([lease], after=pause)
