"""Runs handlers in transactions: one alone, or many together.

A transaction records each message in `inbox`, calls its handler, writes the events it returned into `outbox`, and commits all of
it at once. Among many, a handler that raises takes back its own writes only.
"""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

import pymongo
from pymongo.errors import ConnectionFailure, DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.clock import now
from shared.leased_work import LONGEST_TRANSACTION
from shared.logs import get_logger
from shared.messages import Event, make_envelope, to_json
from shared.mongo import MAJORITY, Db
from shared.outbox import OutboxMessage
from shared.transaction import Keys, Transaction

MAX_WRITE_CONFLICT_RETRIES = 5
SHORTEST_TRY = 0.1
PAUSE_FOR_OTHER_THREADS = timedelta(milliseconds=5)
log = get_logger("runner")


class Relay(Protocol):
    """Publishes what this process writes from memory, right after the commit."""

    def written_lease(self) -> dict[str, Any]:
        """`next_at`, `attempts` and `claim` of a message that this process writes and then submits; empty when it cannot
        publish now."""

    def submit(self, messages: list[OutboxMessage]) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command or event and its handler. `prefetch`: documents that the handler will read by `_id`; a hint."""

    handler: Callable[[Any, Db], list[Event]]
    command: Any
    idempotency_key: str | None = None
    traceparent: str | None = None
    prefetch: Keys = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.handler.__name__


@dataclass(frozen=True)
class Result:
    """`error`: what the handler raised; then nothing of it was written. `seconds`: in the handler itself."""

    events: list[Event] = field(default_factory=list)
    error: Exception | None = None
    seconds: float = 0.0


class Runner:
    def __init__(self, service_name: str, db: Db) -> None:
        self._name, self._db = service_name, db
        # Inside a transaction only the transaction may name concerns; a bound session does not hide a collection's own.
        self._db_inside = db.with_options(read_concern=ReadConcern(), write_concern=WriteConcern())
        self._after_commit = _AfterCommit()
        self.relay: Relay | None = None

    def on_commit(self, call: Callable[[], None]) -> None:
        """See Service.on_commit."""
        self._after_commit.calls.append(call)

    def run(self, job: Job) -> list[Event]:
        """See Service.run."""
        for tries_left in reversed(range(MAX_WRITE_CONFLICT_RETRIES)):
            try:
                return self._commit([job], keep_going=False)[0].events
            except DuplicateKeyError:
                # Outside the transaction on purpose: swallowed inside, with_transaction would loop on it for minutes.
                if self._seen([job]):
                    return []
                if not tries_left:
                    raise
            except PyMongoError:
                raise
            except Exception:
                # What was handled before may find a world in which it makes no sense any more.
                if self._seen([job]):
                    return []
                raise
        raise AssertionError("unreachable")

    def run_together(self, jobs: Sequence[Job]) -> list[Result]:
        """Handle all in one transaction, in this order. What is raised means that nothing was done: run them one by one."""
        first = {job.idempotency_key or id(job): job for job in reversed(jobs)}
        todo = [job for job in jobs if first[job.idempotency_key or id(job)] is job]
        try:
            done = self._commit(todo, keep_going=True)
        except DuplicateKeyError:
            seen = self._seen(todo)
            if not seen:
                raise
            todo = [job for job in todo if job.idempotency_key not in seen]
            done = self._commit(todo, keep_going=True)
        return self._results_of(jobs, dict(zip(map(id, todo), done, strict=True)))

    def _results_of(self, jobs: Sequence[Job], done: dict[int, Result]) -> list[Result]:
        """Of those, too, that are in `jobs` twice, and of those that failed because they were handled before."""
        failed = {job.idempotency_key: done[id(job)] for job in jobs if id(job) in done and done[id(job)].error}
        seen = self._seen([job for job in jobs if job.idempotency_key in failed]) if failed else set()
        again = {key: Result(error=result.error) for key, result in failed.items() if key}
        found = [done.get(id(job)) or again.get(job.idempotency_key or "", Result()) for job in jobs]
        return [Result() if job.idempotency_key in seen else result for job, result in zip(jobs, found, strict=True)]

    def _seen(self, jobs: Sequence[Job]) -> set[str]:
        keys = [job.idempotency_key for job in jobs if job.idempotency_key]
        return {row["_id"] for row in self._db.inbox.find({"_id": {"$in": keys}}, {"_id": 1})} if keys else set()

    def _commit(self, jobs: Sequence[Job], *, keep_going: bool) -> list[Result]:
        messages: list[OutboxMessage] = []

        def work(_: Any) -> list[Result]:
            messages.clear()
            self._after_commit.calls.clear()
            transaction = Transaction(self._db_inside)
            transaction.prefetch(job.prefetch for job in jobs)
            results = [self._handle(job, transaction, messages, keep_going=keep_going) for job in jobs]
            transaction.flush()
            return results

        timeout = pymongo.timeout(LONGEST_TRANSACTION.total_seconds())
        with timeout, self._db.client.start_session() as session, session.bind(end_session=False):
            results = session.with_transaction(work, read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
        self._committed(messages)
        return results

    def _handle(self, job: Job, transaction: Transaction, messages: list[OutboxMessage], *, keep_going: bool) -> Result:
        savepoint, calls, begun = transaction.savepoint(), len(self._after_commit.calls), time.monotonic()
        try:
            events = self._handle_one(job, transaction, messages)
        except PyMongoError:
            raise
        except Exception as error:
            if not keep_going:
                raise
            transaction.roll_back(savepoint)
            del self._after_commit.calls[calls:]
            return Result(error=error, seconds=time.monotonic() - begun)
        return Result(events, seconds=time.monotonic() - begun)

    def _handle_one(self, job: Job, transaction: Transaction, messages: list[OutboxMessage]) -> list[Event]:
        cause = job.idempotency_key or str(uuid.uuid4())
        if job.idempotency_key:
            transaction.inbox.insert_one({"_id": cause, "handler": job.name, "at": now()})
        events = job.handler(job.command, transaction.as_db())
        written = [self._message(event, cause, index, job.traceparent) for index, event in enumerate(events)]
        transaction.outbox.insert_many(message.to_document() for message in written)
        messages += written
        return events

    def _message(self, event: Event, cause: str, index: int, traceparent: str | None) -> OutboxMessage:
        if event.published_by != self._name:
            raise ValueError(f"{event.event_type} may be published by {event.published_by} only")
        # The id follows from the cause, so a handler that runs again publishes the same event under the same id.
        event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._name}/{cause}/{index}"))
        moment = now()
        envelope = make_envelope(event, id=event_id, source=f"/{self._name}", time=moment, traceparent=traceparent)
        lease = self.relay.written_lease() if self.relay else {}
        return OutboxMessage(event_id, event.event_type, event.subject, to_json(envelope), moment, **lease)

    def _committed(self, messages: list[OutboxMessage]) -> None:
        """The work is done whatever happens here: a message that is not submitted is due when its lease ends."""
        relay, calls = self.relay, list(self._after_commit.calls)
        self._after_commit.calls.clear()
        if relay and messages:
            calls.insert(0, lambda: relay.submit(messages))
        for call in calls:
            try:
                call()
            except Exception:
                log.exception("a call after the commit failed")


class _AfterCommit(threading.local):
    """What the handlers of this thread's transaction want done after its commit."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []


class Gathering:
    """When to wait a moment for more: after a batch of more than two. At a quiet time nobody waits."""

    def __init__(self, pause: timedelta) -> None:
        self._pause = pause.total_seconds()
        self._last = 0

    def wait(self) -> None:
        if self._last > 2:
            time.sleep(self._pause)

    def took(self, count: int) -> None:
        self._last = count


class GroupCommit:
    """Jobs that come at the same time from many threads are run together, by the thread that comes first."""

    MOST = 64

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._gathering = Gathering(PAUSE_FOR_OTHER_THREADS)
        self._guard, self._turn = threading.Lock(), threading.Lock()
        self._waiting: list[_Entry] = []

    def run(self, job: Job) -> list[Event]:
        """Raises what the handler raised."""
        entry = _Entry(job)
        with self._guard:
            self._waiting.append(entry)
        with self._turn:
            while not entry.done:
                self._run_waiting()
        if entry.result is None:
            return self._runner.run(job)  # in its own time: what kept them from being run together may be one of the others
        if entry.result.error:
            raise entry.result.error
        return entry.result.events

    def _run_waiting(self) -> None:
        self._gathering.wait()
        with self._guard:
            entries, self._waiting = self._waiting[: self.MOST], self._waiting[self.MOST :]
        self._gathering.took(len(entries))
        # Nobody waits for others longer than for a transaction of their own.
        waited = time.monotonic() - min(entry.begun for entry in entries)
        try:
            with pymongo.timeout(max(SHORTEST_TRY, LONGEST_TRANSACTION.total_seconds() - waited)):
                results = self._results([entry.job for entry in entries])
            for entry, result in zip(entries, results, strict=True):
                entry.result = result
        finally:
            for entry in entries:
                entry.done = True

    def _results(self, jobs: list[Job]) -> Sequence[Result | None]:
        try:
            return self._runner.run_together(jobs)
        except Exception as error:
            if _may_be_committed(error):
                return [Result(error=error)] * len(jobs)  # nothing is done twice
            log.info("a batch is run one by one", extra={"reason": type(error).__name__, "count": len(jobs)})
            return [None] * len(jobs)


def _may_be_committed(error: Exception) -> bool:
    return isinstance(error, ConnectionFailure) or (isinstance(error, PyMongoError) and error.timeout)


@dataclass(eq=False)
class _Entry:
    """`result` None when done: it must be run alone."""

    job: Job
    begun: float = field(default_factory=time.monotonic)
    done: bool = False
    result: Result | None = None
