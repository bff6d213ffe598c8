"""The one idea: a handler takes a message and its database, and returns the news.

`Service.run` notes the message in `inbox`, calls the handler, writes what it returned into `outbox`, and commits all three
together. A web form, a broker event and a timer go through the same method. Nobody publishes, opens a transaction or
acknowledges anywhere else.
"""

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pymongo
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.clock import now
from shared.messages import Envelope, Event, make_envelope, parse_event, to_json
from shared.mongo import MAJORITY, Db, Doc, connect, make_indexes
from shared.programme import Programme, read_programme
from shared.settings import Settings
from shared.vault import Vault, load_vault

M = TypeVar("M")
E = TypeVar("E", bound=Event)
Handler = Callable[[M, Db], list[Event]]

TRANSACTION_TIMEOUT_SECONDS = 8
RELAY_HEAD_START = timedelta(seconds=5)
MAX_WRITE_CONFLICT_RETRIES = 5
INDEXES = {
    "inbox": [IndexModel("at", expireAfterSeconds=90 * 24 * 3600)],
    "outbox": [
        IndexModel("next_at", partialFilterExpression={"next_at": {"$exists": True}}),
        IndexModel("sent_at", expireAfterSeconds=30 * 24 * 3600),
    ],
}


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
        self.relay_id: str | None = None
        self._listeners: list[Callable[[list[Doc]], None]] = []
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
        make_indexes(self.db, self._indexes)

    def on(self, event_class: type[E]) -> Callable[[Handler[E]], Handler[E]]:
        """The decorated handler hears `event_class`. One handler for each event class: what happens on a fact is read in one place."""

        def register(handler: Handler[E]) -> Handler[E]:
            if event_class in self.handlers:
                raise ValueError(f"{self.name} hears {event_class.__name__} twice")
            self.handlers[event_class] = handler
            return handler

        return register

    def every(self, seconds: float, find: Callable[[Db], Iterable[M]]) -> Callable[[Handler[M]], Handler[M]]:
        def register(handler: Handler[M]) -> Handler[M]:
            self.timers.append(Timer(seconds, find, handler))
            return handler

        return register

    def background_task(
        self, name: str
    ) -> Callable[[Callable[[Db, threading.Event], None]], Callable[[Db, threading.Event], None]]:
        def register(run: Callable[[Db, threading.Event], None]) -> Callable[[Db, threading.Event], None]:
            self.tasks.append(Task(name, run))
            return run

        return register

    def after_commit(self, listener: Callable[[list[Doc]], None]) -> None:
        """`listener` gets the outbox rows of each transaction of this process, as soon as they are there. A crash swallows it."""
        self._listeners.append(listener)

    def run(self, handler: Handler[M], message: M, *, once: str | None = None, traceparent: str | None = None) -> list[Event]:
        """Handle one message in one transaction and return its news.

        `once` names the message: a second run with the same name changes nothing and returns [].
        Whatever the handler raises leaves the database as it was.
        """
        cause = once or str(uuid.uuid4())
        for tries_left in reversed(range(MAX_WRITE_CONFLICT_RETRIES)):
            try:
                return self._in_one_transaction(handler, message, cause, once is not None, traceparent)
            except DuplicateKeyError:
                # Outside the transaction on purpose: swallowed inside, with_transaction would loop on it for minutes.
                if once is not None and self.db.inbox.find_one({"_id": once}, {"_id": 1}):
                    return []
                if not tries_left:
                    raise
        raise AssertionError("unreachable")

    def receive(self, envelope: Envelope) -> list[Event]:
        """Handle one fact from the broker. Raises InvalidMessage (dead at once) or RetryLater (retry)."""
        event = parse_event(envelope)
        handler = self.handlers.get(type(event))
        if handler is None:
            return []
        return self.run(handler, event, once=envelope.id, traceparent=envelope.traceparent)

    def _in_one_transaction(
        self, handler: Handler[M], message: M, cause: str, remember: bool, traceparent: str | None
    ) -> list[Event]:
        db = self._db_inside
        rows: list[Doc] = []

        def work(_: Any) -> list[Event]:
            if remember:
                db.inbox.insert_one({"_id": cause, "handler": handler.__name__, "at": now()})
            news = handler(message, db)
            rows[:] = [self._row(event, cause, place, traceparent) for place, event in enumerate(news)]
            if rows:
                db.outbox.insert_many(rows)
            return news

        with pymongo.timeout(TRANSACTION_TIMEOUT_SECONDS), db.client.start_session() as session, session.bind(end_session=False):
            news = session.with_transaction(work, read_concern=ReadConcern("snapshot"), write_concern=MAJORITY)
        for listener in self._listeners:
            listener(rows)
        return news

    def _row(self, event: Event, cause: str, place: int, traceparent: str | None) -> dict[str, Any]:
        # The id follows from the cause, so a handler that runs again says the same thing under the same id.
        event_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/{cause}/{place}"))
        moment = now()
        envelope = make_envelope(event, id=event_id, source=f"/{self.name}", time=moment, traceparent=traceparent)
        return {
            "_id": event_id, "type": event.event_type, "subject": event.subject, "body": to_json(envelope), "made_at": moment,
            **self._first_try(moment),
        }  # fmt: skip

    def _first_try(self, moment: datetime) -> Doc:
        """Due at once for any relay; or, beside a relay of our own that says it as soon as it is written, not for a while."""
        if self.relay_id is None:
            return {"next_at": moment, "tries": 0}
        return {"next_at": datetime.now(UTC) + RELAY_HEAD_START, "tries": 1, "claim": self.relay_id}
