"""What becomes of one message: handled, sent to wait, given up, or kept because something around us is down."""

import hashlib
import random
import re
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from shared import metrics
from shared.bus.publisher import ENDS_WITHIN, NotPublished, Outgoing, Publisher
from shared.bus.topology import DEAD, RETRY, retry_queue_of, tier_after
from shared.clock import now
from shared.logs import get_logger
from shared.messages import Envelope, InvalidMessage, from_json
from shared.mongo import Db
from shared.service import RetryLater, Service

ATTEMPT, REASON, FAILED_AT = "x-attempt", "x-reason", "x-failed-at"
NOT_LET_IN = {13, 18}
LONGEST_REASON = 200
log = get_logger("bus.settle")


@dataclass(frozen=True)
class Delivery:
    """A message in hand. Its tag means something only to the connection of its generation."""

    generation: int
    tag: int
    body: bytes
    event_id: str
    kind: str
    attempt: int
    trace: str | None = None


class Away(Exception):
    """Mongo or the broker is away: nobody's fault, so no attempt is spent."""


class Settler:
    def __init__(self, service: Service, publisher: Publisher) -> None:
        self._service, self._publisher = service, publisher
        self._leaving = threading.Event()
        self.away_since: float | None = None

    def leave(self) -> None:
        """What waits for Mongo or the broker goes back to its queue; what is being handled is finished."""
        self._leaving.set()

    def settle(self, delivery: Delivery, still_ours: Callable[[], bool]) -> bool:
        """True: done with, acknowledge it. False: it stays with the broker."""
        pause = 0.25
        while still_ours():
            try:
                self._try(delivery)
                self.away_since = None
                return True
            except Away as away:
                self.away_since = self.away_since or time.monotonic()
                log.warning("kept while something is away", extra=_about(delivery) | {"reason": str(away)})
                if self._leaving.wait(pause * random.uniform(0.5, 1.0)):  # noqa: S311
                    return False
                pause = min(pause * 2, 5.0)
        return False

    def _try(self, delivery: Delivery) -> None:
        begun = time.monotonic()
        handler, outcome, reason = "none", "handled", ""
        try:
            envelope = _read(delivery.body)
            handler = self._handler_of(envelope)
            self._service.receive(envelope)
        except InvalidMessage as error:
            outcome, reason = "unreadable", _plain(str(error))
        except BaseException as error:  # whatever a handler does, its message must be settled
            if environment_failed(error, self._service.db):
                metrics.HANDLED.labels(self._service.name, handler, "away").inc()
                raise Away(type(error).__name__) from error
            outcome, reason = (
                "not yet" if isinstance(error, RetryLater) else "failed",
                f"{type(error).__name__} at {place_of(error)}",
            )
        seconds = time.monotonic() - begun
        if reason:
            self._send_on(delivery, outcome, reason)
        metrics.HANDLED.labels(self._service.name, handler, outcome).inc()
        metrics.HANDLING.labels(self._service.name, handler).observe(seconds)
        told = {
            "handler": handler,
            "outcome": outcome,
            "seconds": round(seconds, 4),
            "attempt": delivery.attempt,
            "reason": reason,
        }
        (log.warning if reason else log.info)("settled", extra=_about(delivery) | told)

    def _handler_of(self, envelope: Envelope) -> str:
        return next((h.__name__ for kind, h in self._service.handlers.items() if kind.event_type == envelope.type), "none")

    def _send_on(self, delivery: Delivery, outcome: str, reason: str) -> None:
        name = self._service.name
        tier = None if outcome == "unreadable" else tier_after(delivery.attempt)
        exchange, key = (RETRY, retry_queue_of(name, tier)) if tier else (DEAD, name)
        headers: dict[str, Any] = {ATTEMPT: delivery.attempt + (1 if tier else 0), REASON: reason, FAILED_AT: now().isoformat()}
        try:
            self._publisher.publish(
                Outgoing(exchange, key, delivery.body, delivery.event_id, delivery.kind, headers)
            ).result(ENDS_WITHIN)  # fmt: skip
        except (NotPublished, TimeoutError) as error:
            raise Away(type(error).__name__) from error
        if tier:
            metrics.RETRIES.labels(name, tier).inc()
        else:
            metrics.DEAD.labels(name, outcome).inc()


def delivery_from(generation: int, tag: int, properties: Any, body: bytes) -> Delivery:
    headers = properties.headers or {}
    attempt = headers.get(ATTEMPT, 0)
    return Delivery(
        generation, tag, body,
        properties.message_id or f"sha256-{hashlib.sha256(body).hexdigest()[:24]}",
        properties.type or "",
        attempt if isinstance(attempt, int) and attempt >= 0 else 0,
    )  # fmt: skip


def environment_failed(error: BaseException, db: Db) -> bool:
    """The world, not the message? A time-out counts only while Mongo does not answer: a slow handler is not kept for ever."""
    if isinstance(error, ConnectionFailure):
        return True
    if isinstance(error, OperationFailure) and error.code in NOT_LET_IN:
        return True
    return isinstance(error, PyMongoError) and error.timeout and not answers(db)


def answers(db: Db) -> bool:
    """Is there a primary that answers now?"""
    try:
        with pymongo.timeout(3):
            db.command("ping")
    except PyMongoError:
        return False
    return True


def place_of(error: BaseException) -> str:
    """Where in our own code it was raised. Never what it says: that may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename] or list(frames)
    return f"{ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].lineno} {ours[-1].name}" if ours else "nowhere"


def _read(body: bytes) -> Envelope:
    try:
        return from_json(body)
    except RecursionError as error:
        raise InvalidMessage("nested too deeply") from error


def _plain(reason: str) -> str:
    """Field names come from our own contracts, but a stranger's message may bring its own keys and type."""
    if reason.startswith("unknown type"):
        return "unknown type"
    return re.sub(r"[^\w .,:]", "", reason, flags=re.ASCII)[:LONGEST_REASON]


def _about(delivery: Delivery) -> dict[str, object]:
    return {"event_id": delivery.event_id, "event_type": delivery.kind}
