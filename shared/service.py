"""The one idea: a handler takes a message and its database, and returns events.

`Service.run` records the message in `inbox`, calls the handler, writes the events it returned into `outbox`, and commits all
three together. A web form, a broker event and a timer go through the same method. Nobody publishes, opens a transaction or
acknowledges anywhere else.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pymongo import IndexModel

from shared import checks, metrics, outbox, sweeper
from shared.clock import now
from shared.logs import get_logger
from shared.messages import Envelope, Event, parse_event
from shared.mongo import Db, connect, make_indexes
from shared.programme import Programme, read_programme
from shared.runner import GroupCommit, Job, Relay, Result, Runner
from shared.settings import Settings
from shared.transaction import Keys
from shared.vault import DecryptionError, Vault, load_vault

M = TypeVar("M")
E = TypeVar("E", bound=Event)
Handler = Callable[[M, Db], list[Event]]

SECONDS_BETWEEN_SWEEPS, SECONDS_BETWEEN_ERASURES = 60, 10
CHECK_OF_RETENTION = "retention"
log = get_logger("service")


class RetryLater(Exception):
    """The message is right but came before something it needs: try it again later."""


@dataclass(frozen=True)
class Timer:
    """Every `seconds`, each message that `find` lists is handled in a transaction of its own."""

    seconds: float
    find: Callable[[Db], Iterable[Any]]
    handler: Handler[Any]


@dataclass(frozen=True)
class OldDeadLetter:
    """A message that this service could not handle, and that nobody has looked after for a day."""

    event_id: str
    failed_at: datetime


@dataclass(frozen=True)
class KeptTooLong:
    """Rows of these collections are kept longer than retention.py says, for a day at least: the sweeper does not get to them."""

    collections: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """Work with the outside world (SMTP, SMS) that runs in the worker until `stop` is set."""

    name: str
    run: Callable[[Db, threading.Event], None]


class Service:
    def __init__(self, name: str, indexes: dict[str, list[IndexModel]] | None = None) -> None:
        self.name = name
        self.handlers: dict[type[Event], Handler[Any]] = {}
        self.timers = [
            Timer(SECONDS_BETWEEN_SWEEPS, self._find_overdue, sweeper.delete_overdue),
            Timer(SECONDS_BETWEEN_ERASURES, outbox.erased_and_sent, outbox.delete_erased),
            Timer(checks.SECONDS_BETWEEN_LOOKS, self._find_due_check, self.check_retention),
        ]
        self.tasks: list[Task] = []
        self.old_dead_letter_handler: Handler[OldDeadLetter] | None = None
        self.kept_too_long_handler: Handler[KeptTooLong] | None = None
        self.db: Db
        self.vault: Vault
        self.programme: Programme
        self.public_url: str
        self.parts: dict[str, Callable[[], bool]] = {}
        self.progress: dict[str, Callable[[], bool]] = {}
        self._prefetches: dict[type[Event], Callable[[Any], Keys]] = {}
        self._runner: Runner
        self._run: Callable[[Job], list[Event]]
        self._indexes = _together({"inbox": [], "outbox": outbox.INDEXES, "checks": []}, indexes or {}, sweeper.indexes_of(name))

    def _find_overdue(self, db: Db) -> Iterable[sweeper.Overdue]:
        return sweeper.find_overdue(db, self.name, now(), self.programme.retention)

    def _find_due_check(self, db: Db) -> Iterable[str]:
        return checks.due(db, CHECK_OF_RETENTION, now())

    def check_retention(self, name: str, db: Db) -> list[Event]:
        """What was to go by the last round, a day ago, and is still here."""
        page = checks.begin(db, name, now())
        if page is None:
            return []
        checks.end(db, page, "", now())
        kept = dict[str, bool]()
        for rule, where in sweeper.late(self.name, page.before, self.programme.retention) if page.before else ():
            kept[rule.collection] = (
                kept.get(rule.collection, False) or db[rule.collection].find_one(where, {"_id": 1}) is not None
            )
        self.on_commit(partial(_tell_of_retention, self.name, kept))
        found = KeptTooLong(tuple(sorted(name for name, is_late in kept.items() if is_late)))
        if not found.collections or self.kept_too_long_handler is None:
            return []
        checks.record(self, db, "kept_too_long", "task")
        return self.kept_too_long_handler(found, db)

    def start(self, settings: Settings) -> "Service":
        """Connect this process. Call it after fork, once."""
        return self.configure(
            connect(settings.mongodb_uri, self.name),
            load_vault(settings.keys_dir, self.name),
            read_programme(settings.programme_file),
            settings.public_url,
        )

    def configure(self, db: Db, vault: Vault, programme: Programme, public_url: str) -> "Service":
        self.db, self.vault, self.programme, self.public_url = db, vault, programme, public_url
        self._runner = Runner(self.name, db)
        self._run = self._runner.run
        return self

    def make_indexes(self) -> None:
        """Raises SystemExit, naming KEYS_DIR, when the keys decrypt none of the newest of something that is stored: they are not
        this database's keys, and all that follows would be written under them."""
        make_indexes(self.db, self._indexes)
        for name, decryptions in self.newest_encrypted().items():
            if decryptions and not any(_succeeds(decrypt) for decrypt in decryptions):
                raise SystemExit(f"KEYS_DIR: its keys decrypt none of the newest {name}, so they are not this database's keys")

    def newest_encrypted(self) -> Mapping[str, Sequence[Callable[[], object]]]:
        """What is stored -> a call for each of the newest that decrypts it or raises DecryptionError. For a service to override
        that decrypts what it stores."""
        return {}

    def on(self, event_class: type[E], *, prefetch: Callable[[E], Keys] | None = None) -> Callable[[Handler[E]], Handler[E]]:
        """Subscribe the decorated handler to `event_class`. One handler for each event class; ValueError for a second one.

        `prefetch`: the documents that the handler will read by `_id`, so that those of many events are read together. A hint:
        what it leaves out is read when it is needed.
        """

        def register(handler: Handler[E]) -> Handler[E]:
            if event_class in self.handlers:
                raise ValueError(f"{self.name} has two handlers for {event_class.__name__}")
            self.handlers[event_class] = handler
            if prefetch:
                self._prefetches[event_class] = prefetch
            return handler

        return register

    def every(self, seconds: float, find: Callable[[Db], Iterable[M]]) -> Callable[[Handler[M]], Handler[M]]:
        """Each `seconds`, in every worker, the decorated handler runs once for each item that `find` returns, each in a
        transaction of its own. An item that fails is found again next time."""

        def register(handler: Handler[M]) -> Handler[M]:
            self.timers.append(Timer(seconds, find, handler))
            return handler

        return register

    def background_task(
        self, name: str
    ) -> Callable[[Callable[[Db, threading.Event], None]], Callable[[Db, threading.Event], None]]:
        """The decorated function runs in a thread of the worker until its `stop` is set; it is started again when it ends before.
        Register its sign of life with `watch`, so that /livez notices when it hangs."""

        def register(run: Callable[[Db, threading.Event], None]) -> Callable[[Db, threading.Event], None]:
            self.tasks.append(Task(name, run))
            return run

        return register

    def on_old_dead_letter(self, handler: Handler[OldDeadLetter]) -> Handler[OldDeadLetter]:
        """Call the decorated handler once for the oldest message that lies in this service's dead queue for a day."""
        self.old_dead_letter_handler = handler
        return handler

    def on_kept_too_long(self, handler: Handler[KeptTooLong]) -> Handler[KeptTooLong]:
        """Call the decorated handler once a day while something is kept too long."""
        self.kept_too_long_handler = handler
        return handler

    def watch(self, part: str, alive: Callable[[], bool]) -> None:
        """/livez of the worker answers 503 and names `part` while `alive()` is False (LeasedWorker.alive, Heartbeat.alive).
        May be called again for the same part."""
        self.parts[part] = alive

    def watch_progress(self, part: str, makes_progress: Callable[[], bool]) -> None:
        """/readyz of the worker answers 503 and names `part` while `makes_progress()` is False: its thread runs, and what it has
        to do stays undone, which no restart would change."""
        self.progress[part] = makes_progress

    def on_commit(self, call: Callable[[], None]) -> None:
        """To be called in a handler: `call` runs in this process right after the handler's transaction was committed, and not at
        all when it was not. A hint: a process that is killed in between never runs it, and what it raises is logged and changes
        nothing. What is left here outside of a transaction is forgotten when the next one begins."""
        self._runner.on_commit(call)

    def publish_with(self, relay: Relay | None) -> None:
        """What is written from now on is published by this relay, from memory; None: by whoever claims it from the outbox."""
        self._runner.relay = relay

    def run(
        self, handler: Handler[M], command: M, *, idempotency_key: str | None = None, prefetch: Keys | None = None
    ) -> list[Event]:
        """Handle one command in one transaction and return the events it caused.

        A second run with the same `idempotency_key` changes nothing and returns []. Whatever the handler raises leaves the
        database as it was. ValueError for an event that only another service may publish. `prefetch`: as in `on`.
        """
        return self._run(Job(handler=handler, command=command, idempotency_key=idempotency_key, prefetch=prefetch or {}))

    def commit_together(self) -> None:
        """From now on, commands that come at the same time from many threads share a transaction. For web processes."""
        self._run = GroupCommit(self._runner).run

    def run_job(self, job: Job) -> list[Event]:
        """As `run`."""
        return self._runner.run(job)

    def run_together(self, jobs: Sequence[Job]) -> list[Result]:
        """Handle all in one transaction, in this order. What is raised means that nothing was done: run them one by one."""
        return self._runner.run_together(jobs)

    def receive(self, envelope: Envelope) -> list[Event]:
        """Handle one event from the broker. Raises InvalidMessage (dead at once) or RetryLater (retry)."""
        job = self.job_for(envelope)
        return self._runner.run(job) if job else []

    def job_for(self, envelope: Envelope) -> Job | None:
        """What an event from the broker asks for; None when nobody listens to it here. Raises InvalidMessage."""
        event = parse_event(envelope)
        handler = self.handlers.get(type(event))
        if handler is None:
            return None
        prefetch = self._prefetches.get(type(event), lambda _: {})(event)
        return Job(
            handler=handler,
            command=event,
            idempotency_key=envelope.id,
            traceparent=envelope.traceparent,
            prefetch=prefetch,
        )


def _together(*indexes: Mapping[str, list[IndexModel]]) -> dict[str, list[IndexModel]]:
    names = {name: None for each in indexes for name in each}
    return {name: [index for each in indexes for index in each.get(name, [])] for name in names}


def _tell_of_retention(service: str, kept: Mapping[str, bool]) -> None:
    for collection, is_late in kept.items():
        metrics.KEPT_TOO_LONG.labels(service, collection).set(is_late)
        if is_late:
            log.error("rows are kept longer than retention.py says", extra={"reason": collection})


def _succeeds(decrypt: Callable[[], object]) -> bool:
    try:
        decrypt()
    except DecryptionError:
        return False
    return True
