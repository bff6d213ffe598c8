"""The one idea: a handler takes a message and its database, and returns events.

`Service.run` records the message in `inbox`, calls the handler, writes the events it returned into `outbox`, and commits all
three together. A web form, a broker event and a timer go through the same method. Nobody publishes, opens a transaction or
acknowledges anywhere else.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import pymongo
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared import outbox
from shared.clock import now
from shared.leased_work import LONGEST_TRANSACTION
from shared.logs import get_logger
from shared.messages import Envelope, Event, make_envelope, parse_event, to_json
from shared.mongo import MAJORITY, Db, connect, make_indexes
from shared.outbox import OutboxMessage
from shared.programme import Programme, read_programme
from shared.settings import Settings
from shared.vault import DecryptionError, Vault, load_vault

M = TypeVar("M")
E = TypeVar("E", bound=Event)
Handler = Callable[[M, Db], list[Event]]

MAX_WRITE_CONFLICT_RETRIES = 5
INBOX_DAYS = 90
"""Longer than the outbox keeps what was sent: an event that is published again is always recognised."""
INDEXES = {"inbox": [IndexModel("at", expireAfterSeconds=INBOX_DAYS * 24 * 3600)], "outbox": outbox.INDEXES}
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
class Task:
    """Work with the outside world (SMTP, SMS) that runs in the worker until `stop` is set."""

    name: str
    run: Callable[[Db, threading.Event], None]


class Relay(Protocol):
    """Publishes what this process writes from memory, right after the commit."""

    def written_lease(self) -> dict[str, Any]:
        """`next_at`, `attempts` and `claim` of a message that this process writes and then submits."""

    def submit(self, messages: list[OutboxMessage]) -> None: ...


class Service:
    def __init__(self, name: str, indexes: dict[str, list[IndexModel]] | None = None) -> None:
        self.name = name
        self.handlers: dict[type[Event], Handler[Any]] = {}
        self.timers: list[Timer] = []
        self.tasks: list[Task] = []
        self.db: Db
        self.vault: Vault
        self.programme: Programme
        self.public_url: str
        self.parts: dict[str, Callable[[], bool]] = {}
        self.progress: dict[str, Callable[[], bool]] = {}
        self._relay: Relay | None = None
        self._transaction = _Transaction()
        self._indexes = {**INDEXES, **(indexes or {})}

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
        # Inside a transaction only the transaction may name concerns; a bound session does not hide a collection's own.
        self._db_inside = db.with_options(read_concern=ReadConcern(), write_concern=WriteConcern())
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

    def on(self, event_class: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """Subscribe the decorated handler to `event_class`. One handler for each event class; ValueError for a second one."""

        def register(handler: Handler[E]) -> Handler[E]:
            if event_class in self.handlers:
                raise ValueError(f"{self.name} has two handlers for {event_class.__name__}")
            self.handlers[event_class] = handler
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
        nothing. Outside of a transaction nothing is remembered."""
        self._transaction.calls.append(call)

    def publish_with(self, relay: Relay) -> None:
        self._relay = relay

    def run(
        self, handler: Handler[M], command: M, *, idempotency_key: str | None = None, traceparent: str | None = None
    ) -> list[Event]:
        """Handle one command or event in one transaction and return the events it caused.

        A second run with the same `idempotency_key` changes nothing and returns []. Whatever the handler raises leaves the
        database as it was. ValueError for an event that only another service may publish.
        """
        cause = idempotency_key or str(uuid.uuid4())
        for tries_left in reversed(range(MAX_WRITE_CONFLICT_RETRIES)):
            try:
                return self._in_one_transaction(handler, command, cause, idempotency_key is not None, traceparent)
            except DuplicateKeyError:
                # Outside the transaction on purpose: swallowed inside, with_transaction would loop on it for minutes.
                if idempotency_key is not None and self.db.inbox.find_one({"_id": idempotency_key}, {"_id": 1}):
                    return []
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    def receive(self, envelope: Envelope) -> list[Event]:
        """Handle one event from the broker. Raises InvalidMessage (dead at once) or RetryLater (retry)."""
        event = parse_event(envelope)
        handler = self.handlers.get(type(event))
        if handler is None:
            return []
        return self.run(handler, event, idempotency_key=envelope.id, traceparent=envelope.traceparent)

    def _in_one_transaction(
        self, handler: Handler[M], command: M, cause: str, remember: bool, traceparent: str | None
    ) -> list[Event]:
        db = self._db_inside
        messages: list[OutboxMessage] = []

        def work(_: Any) -> list[Event]:
            self._transaction.calls.clear()
            if remember:
                db.inbox.insert_one({"_id": cause, "handler": handler.__name__, "at": now()})
            events = handler(command, db)
            messages[:] = [self._message(event, cause, index, traceparent) for index, event in enumerate(events)]
            if messages:
                db.outbox.insert_many([message.to_document() for message in messages])
            return events

        timeout = pymongo.timeout(LONGEST_TRANSACTION.total_seconds())
        with timeout, db.client.start_session() as session, session.bind(end_session=False):
            events = session.with_transaction(work, read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
        self._committed(messages)
        return events

    def _message(self, event: Event, cause: str, index: int, traceparent: str | None) -> OutboxMessage:
        if event.published_by != self.name:
            raise ValueError(f"{event.event_type} may be published by {event.published_by} only")
        # The id follows from the cause, so a handler that runs again publishes the same event under the same id.
        event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/{cause}/{index}"))
        moment = now()
        envelope = make_envelope(event, id=event_id, source=f"/{self.name}", time=moment, traceparent=traceparent)
        lease = self._relay.written_lease() if self._relay else {}
        return OutboxMessage(event_id, event.event_type, event.subject, to_json(envelope), moment, **lease)

    def _committed(self, messages: list[OutboxMessage]) -> None:
        """The work is done whatever happens here: a message that is not submitted is due when its lease ends."""
        calls = list(self._transaction.calls)
        if self._relay and messages:
            calls.insert(0, partial(self._relay.submit, messages))
        for call in calls:
            try:
                call()
            except Exception:
                log.exception("a call after the commit failed")
        self._transaction.calls.clear()


class _Transaction(threading.local):
    """What the handlers of this thread's transaction want done after its commit."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []


def _succeeds(decrypt: Callable[[], object]) -> bool:
    try:
        decrypt()
    except DecryptionError:
        return False
    return True
