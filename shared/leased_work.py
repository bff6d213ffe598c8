"""The one loop for leased work: the outbox relay, the delivery of notifications and matching's jobs run on it.

An item of work is a document with `next_at`. Its states:

    due        `next_at` has passed by the server's clock, or lies further ahead than any right clock would write (`horizon`)
    leased     claimed: `next_at` is the end of the lease, `claim` the token of the round that claimed it, `attempts` grew by one
    in flight  leased, and this process works on it; the lease is renewed when a third of it is over
    finished   the work gave an outcome, kept in memory until it is recorded, however long Mongo is away; still renewed
    done       `next_at` is gone
    waiting    rescheduled: `next_at` is the time of the next attempt

A worker that dies loses its leases with their time, and the items are due again for any other. After a claim that failed with the
database, leases that ran out are left alone for one lease more: another worker may hold outcomes that it could neither record nor
renew, and records them first. Who writes work that is due at once sets `next_at` to DUE_NOW, so that no writer's clock decides; a
time that the domain computed is a real time.
"""

import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import pymongo
from pymongo.errors import ConnectionFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.backoff import delay
from shared.heartbeat import Heartbeat as Heartbeat
from shared.logs import get_logger
from shared.mongo import Doc, Rows, WakeUp

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

DUE_NOW = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_TRANSACTION = timedelta(seconds=8)
SECONDS_FOR_ONE_STEP = 8
SECONDS_TO_FINISH = 20
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.25), timedelta(seconds=5)
log = get_logger("leased_work")


class NotStarted(Exception):
    """The outcome of an item that was submitted while nothing could be started: release it."""


class LeasedWork(Protocol[Item, Outcome]):
    """What a user of the loop supplies. All but `start` and `ready` may raise PyMongoError and are called again."""

    name: str

    def ready(self) -> bool:
        """False: nothing is claimed now (the broker is away, a breaker is open)."""

    def claim(self, limit: int) -> list[Item]:
        """Up to `limit` due items, leased."""

    def start(self, items: list[Item]) -> list[Future[Outcome]]:
        """Begin the work elsewhere (an executor, an IO thread) and return at once: one future for each item. The lease is renewed
        until its future ends, so every future must end."""

    def renew(self, items: list[Item]) -> None:
        """Called for items in flight and for outcomes not yet recorded, before their lease ends."""

    def record(self, finished: list[tuple[Item, Outcome | BaseException]]) -> None:
        """Write down what became of these items: an outcome, what the work raised, or NotStarted. Must be idempotent: after a
        PyMongoError it is called again with the same items until it succeeds. Anything else it raises leaves the item to its
        lease's end."""


@dataclass
class _Leased(Generic[Item, Outcome]):
    item: Item
    future: Future[Outcome]
    renew_at: float


class LeasedWorker(Generic[Item, Outcome]):
    """Claims, starts, renews and records until told to stop. At most `capacity` items are in flight or wait to be recorded.

    `record_within`: outcomes may be collected for this long, so that many go into one write.
    """

    def __init__(
        self,
        work: LeasedWork[Item, Outcome],
        *,
        capacity: int,
        lease: timedelta,
        poll: timedelta = timedelta(seconds=1),
        record_within: timedelta = timedelta(),
        heartbeat_limit: timedelta = timedelta(seconds=60),
    ) -> None:
        self.wake_up = WakeUp()
        self._work, self._capacity = work, capacity
        self._lease = lease.total_seconds()
        self._poll = min(poll.total_seconds(), self._lease / 4)
        self._record_within = record_within.total_seconds()
        self._heartbeat = Heartbeat(heartbeat_limit)
        self._guard = threading.Lock()
        self._in_flight: list[_Leased[Item, Outcome]] = []
        self._finished: list[_Leased[Item, Outcome]] = []
        self._record_at = math.inf
        self._look_at = -math.inf
        self._done = 0
        self._failures = 0
        self._may_find_more = False
        self._stopping = False

    def alive(self) -> bool:
        return self._heartbeat.alive()

    def can_take(self) -> bool:
        """Whether an item that is submitted now is started, as far as that can be known."""
        return not self._stopping and self._work.ready() and self._room() > 0

    def submit(self, items: list[Item]) -> None:
        """Start items that this process wrote with a lease, without a look at the database. What finds no room, or comes while
        the work is not ready, is recorded as NotStarted."""
        if self._stopping:
            return  # nobody would record them; they are due for others when their lease ends
        room = max(0, self._room()) if self._work.ready() else 0
        self._start(items[:room])
        if items[room:]:
            self._refuse(items[room:])

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._turn()
        self._stopping = True
        self._finish()
        self._heartbeat.stop()

    # one turn of the loop

    def _turn(self) -> None:
        # Each step is taken even when one before it failed: a lease is renewed while its outcome cannot be recorded. What is new
        # does not wait for what is written down about the old.
        went_well = [self._attempt(step) for step in (self._renew_when_due, self._claim_when_due, self._record_when_due)]
        self._failures = 0 if all(went_well) else self._failures + 1
        pause = self._pause()
        if pause and self.wake_up.wait(pause):
            self._look_at = -math.inf

    def _pause(self) -> float:
        if self._failures:
            # Never so long that leases end meanwhile.
            wait = delay(self._failures, base=SHORTEST_PAUSE, longest=LONGEST_PAUSE).total_seconds()
            return min(wait, self._lease / 4)
        if self._room() <= 0:
            return self._until(self._record_at)
        return 0.0 if self._may_find_more else self._until(min(self._look_at, self._record_at))

    def _until(self, moment: float) -> float:
        return min(self._poll, max(0.0, moment - time.monotonic()))

    def _attempt(self, step: Callable[[], None]) -> bool:
        self._heartbeat.beat()
        try:
            with pymongo.timeout(min(SECONDS_FOR_ONE_STEP, self._lease / 4)):  # else a step that waits would use up the leases
                step()
        except PyMongoError as error:
            log.warning("leased work waits for the database", extra={"task": self._work.name, "reason": type(error).__name__})
            return False
        except Exception:
            log.exception("a step of leased work failed", extra={"task": self._work.name})
            return False
        return True

    def _claim_when_due(self) -> None:
        """A turn that only records looks for nothing new."""
        if self._may_find_more or time.monotonic() >= self._look_at:
            self._claim()

    def _claim(self) -> None:
        room = self._room()
        if room <= 0:
            return  # it stays due
        items = self._work.claim(room) if self._work.ready() else []
        self._look_at = time.monotonic() + self._poll
        self._may_find_more = len(items) == room
        self._start(items)

    def _room(self) -> int:
        with self._guard:
            return self._capacity - len(self._in_flight) - len(self._finished)

    def _on_done(self, _: Future[Outcome]) -> None:
        """On whatever thread ended the work."""
        self._done += 1  # a hint: a count lost between threads is made up for by `_record_at`
        if self._record_at == math.inf:
            self._record_at = time.monotonic() + self._record_within
            self.wake_up.interrupt()
        elif self._enough_for_one_write():
            self.wake_up.interrupt()

    def _enough_for_one_write(self) -> bool:
        return 2 * self._done >= self._capacity

    def _start(self, items: list[Item]) -> None:
        if not items:
            return
        try:
            futures = self._work.start(items)
        except Exception as error:
            log.exception("leased work could not be started", extra={"task": self._work.name})
            futures = [_failed(error) for _ in items]
        self._add(items, futures)

    def _refuse(self, items: list[Item]) -> None:
        self._add(items, [_failed(NotStarted()) for _ in items])

    def _add(self, items: list[Item], futures: list[Future[Outcome]]) -> None:
        renew_at = time.monotonic() + self._lease / 3
        with self._guard:
            self._in_flight += [_Leased(item, future, renew_at) for item, future in zip(items, futures, strict=True)]
        for future in futures:
            future.add_done_callback(self._on_done)

    def _collect(self) -> None:
        with self._guard:
            in_flight, self._in_flight = self._in_flight, []
            for leased in in_flight:
                (self._finished if leased.future.done() else self._in_flight).append(leased)

    def _record_when_due(self) -> None:
        due = time.monotonic() >= self._record_at or self._enough_for_one_write()
        if due:
            self._record_at = math.inf  # before they are collected: what is done after that sets it again
        self._collect()
        if due and self._finished:
            self._record_or_try_again()

    def _record_or_try_again(self) -> None:
        """What could not be recorded is tried again after the pause."""
        try:
            self._record()
        except BaseException:
            self._record_at = -math.inf
            raise
        if self._finished:
            self._record_at = time.monotonic() + self._poll

    def _record(self) -> None:
        batch = list(self._finished)
        try:
            self._work.record([_outcome_of(leased) for leased in batch])
        except ConnectionFailure:
            raise
        except PyMongoError as error:
            if error.timeout:
                raise
            batch = self._record_one_by_one(batch)
        except Exception:
            batch = self._record_one_by_one(batch)
        self._forget(batch)

    def _record_one_by_one(self, batch: list[_Leased[Item, Outcome]]) -> list[_Leased[Item, Outcome]]:
        """One item that cannot be recorded must not keep the others. What is left is tried again, alone."""
        return [leased for leased in batch if self._recorded_alone(leased)]

    def _recorded_alone(self, leased: _Leased[Item, Outcome]) -> bool:
        try:
            self._work.record([_outcome_of(leased)])
        except PyMongoError:
            return False
        except Exception:
            log.exception(
                "an outcome cannot be recorded; its item is due again when the lease ends", extra={"task": self._work.name}
            )
        return True

    def _forget(self, recorded: list[_Leased[Item, Outcome]]) -> None:
        gone = {id(leased) for leased in recorded}
        with self._guard:
            self._finished = [leased for leased in self._finished if id(leased) not in gone]
        self._done = max(0, self._done - len(recorded))

    def _renew_when_due(self) -> None:
        moment = time.monotonic()
        with self._guard:
            due = [leased for leased in (*self._in_flight, *self._finished) if leased.renew_at <= moment]
        if due:
            self._work.renew([leased.item for leased in due])
            for leased in due:
                leased.renew_at = moment + self._lease / 3

    def _finish(self) -> None:
        """What is in flight is waited for and recorded; what takes longer is due again for others when its lease ends."""
        self._record_within, self._record_at, until = 0.0, -math.inf, time.monotonic() + SECONDS_TO_FINISH
        while self._room() < self._capacity and time.monotonic() < until:
            if not self._attempt(self._renew_when_due) or not self._attempt(self._record_when_due) or self._in_flight:
                time.sleep(0.02)


def _failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def _outcome_of(leased: _Leased[Any, Any]) -> tuple[Any, Any]:
    if leased.future.cancelled():
        return leased.item, NotStarted()
    error = leased.future.exception()
    return leased.item, error if error is not None else leased.future.result()


class Lease(NamedTuple):
    """Who holds a document: its `_id` and the token of the round that claimed it."""

    id: Any
    token: str


def lease_of(document: Mapping[str, Any]) -> Lease:
    return Lease(document["_id"], document["claim"])


def server_time(after: timedelta) -> Doc:
    """An expression for update pipelines: this time from now by the server's clock."""
    return {"$add": ["$$NOW", int(after.total_seconds() * 1000)]}


def no_offset() -> timedelta:
    return timedelta()


class MongoQueue:
    """The documents of one collection that have `next_at` (and match `where`), claimed by the server's clock.

    `horizon`: further ahead than any `next_at` that is right. One beyond it was written by a wrong clock and is due at once.
    `clock_offset`: for collections whose times are in app time (shared.clock.offset), which the demo may move.
    An index on `next_at`, partial on its existence, belongs to each such collection.
    """

    def __init__(
        self,
        collection: Rows,
        *,
        lease: timedelta,
        horizon: timedelta,
        where: Mapping[str, Any] | None = None,
        clock_offset: Callable[[], timedelta] = no_offset,
    ) -> None:
        # Found with majority: a document that a failover takes back is never worked on. A lost claim costs one repetition only,
        # so claims need not wait for a majority.
        self._documents = collection.with_options(read_concern=ReadConcern("majority"))
        self._claims = collection.with_options(read_concern=ReadConcern("local"), write_concern=WriteConcern(w=1))
        self._lease, self._horizon, self._where, self._clock_offset = lease, horizon, dict(where or {}), clock_offset
        self._failed_at = -math.inf

    def claim(self, limit: int) -> list[Doc]:
        """Due documents as they were found, with `claim` and `attempts` as claimed: each goes to one claimer."""
        try:
            return self._claim(limit)
        except PyMongoError:
            self._failed_at = time.monotonic()
            raise

    def _claim(self, limit: int) -> list[Doc]:
        found = list(self._documents.find(self._due()).sort("next_at", 1).limit(limit))
        if not found:
            return []
        # A token for this round alone: a majority read shows documents again that the round before has just claimed with w=1.
        token, ids = str(uuid.uuid4()), [document["_id"] for document in found]
        leased = {"next_at": self._from_now(self._lease), "claim": token, "attempts": {"$add": [_ATTEMPTS, 1]}}
        won = self._claims.update_many({**self._due(), "_id": {"$in": ids}}, [{"$set": leased}]).modified_count
        mine = set(ids) if won == len(ids) else self._ids_with(token, ids)
        return [self._claimed(document, token) for document in found if document["_id"] in mine]

    def written_lease(self, token: str) -> Doc:
        """The fields of a document that this process writes in a transaction and submits after the commit: its lease outlives the
        longest transaction and lasts until the first renewal."""
        ends = datetime.now(UTC) + self._clock_offset() + LONGEST_TRANSACTION + self._lease
        return {"next_at": ends, "attempts": 1, "claim": token}

    def renew(self, leases: Sequence[Lease]) -> None:
        self._update(leases, {"next_at": self._from_now(self._lease)})

    def reschedule(self, leases: Sequence[Lease], *, after: timedelta | None = None, at: datetime | None = None) -> None:
        """The next attempt is `after` this time from now, or `at` a time of the domain."""
        self._update(leases, {"next_at": at if after is None else self._from_now(after)}, remove=("claim",))

    def release(self, leases: Sequence[Lease]) -> None:
        """Due at once, as if it had not been claimed."""
        attempts = {"$max": [0, {"$subtract": [_ATTEMPTS, 1]}]}
        self._update(leases, {"next_at": DUE_NOW, "attempts": attempts}, remove=("claim",))

    def finish(self, ids: Sequence[Any], fields: Mapping[str, Any]) -> None:
        """Done, whoever holds the lease now. `fields` are set; a value may be an expression of an update pipeline ("$$NOW")."""
        if ids:
            self._documents.update_many({"_id": {"$in": list(ids)}}, [{"$set": dict(fields)}, {"$unset": ["next_at", "claim"]}])

    def _due(self) -> Doc:
        past = {"$lte": ["$next_at", self._from_now(timedelta())]}
        impossible = {"$gt": ["$next_at", self._from_now(self._horizon)]}
        due = {**self._where, "next_at": {"$exists": True}, "$or": [{"$expr": past}, {"$expr": impossible}]}
        return {**due, "claim": {"$exists": False}} if self._holders_come_first() else due

    def _holders_come_first(self) -> bool:
        return time.monotonic() - self._failed_at < self._lease.total_seconds()

    def _from_now(self, after: timedelta) -> Doc:
        return server_time(self._clock_offset() + after)

    def _ids_with(self, token: str, ids: list[Any]) -> set[Any]:
        return {document["_id"] for document in self._claims.find({"_id": {"$in": ids}, "claim": token}, {"_id": 1})}

    def _claimed(self, document: Doc, token: str) -> Doc:
        return {**document, "claim": token, "attempts": document.get("attempts", 0) + 1}

    def _update(self, leases: Sequence[Lease], fields: Doc, remove: Sequence[str] = ()) -> None:
        if not leases:
            return
        held = {"_id": {"$in": [lease.id for lease in leases]}, "claim": {"$in": list({lease.token for lease in leases})}}
        pipeline: list[Doc] = [{"$set": fields}]
        self._documents.update_many(held, [*pipeline, {"$unset": list(remove)}] if remove else pipeline)


_ATTEMPTS: Doc = {"$ifNull": ["$attempts", 0]}
