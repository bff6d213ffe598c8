"""What becomes of one message: handled, retried later, dead, or kept because Mongo or the broker is unavailable."""

import hashlib
import re
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from shared import metrics
from shared.backoff import delay
from shared.bus.publisher import ENDS_WITHIN, NotPublished, OutgoingMessage, Publisher
from shared.bus.topology import DEAD, RETRY, retry_queue_of, tier_after
from shared.clock import now
from shared.logs import get_logger
from shared.messages import EVENT_TYPES, Envelope, InvalidMessage, from_json
from shared.mongo import Db
from shared.service import RetryLater, Service

ATTEMPT, REASON, FAILED_AT, PUBLISHED_BY = "x-attempt", "x-reason", "x-failed-at", "x-published-by"
NOT_AUTHORIZED = {13, 18}
LONGEST_REASON = 200
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.25), timedelta(seconds=5)
HANDLER_LIMIT = timedelta(seconds=120)
"""Longer than a handler takes with all its write conflicts."""
log = get_logger("bus.processor")


@dataclass(frozen=True)
class Delivery:
    """A received message. Its tag means something only to the connection of its generation. `published_by`: the broker user who
    published the event, empty when the broker does not vouch for anybody."""

    generation: int
    tag: int
    body: bytes
    event_id: str
    event_type: str
    attempt: int
    published_by: str


@dataclass(frozen=True)
class Result:
    """`outcome`: handled, invalid, retry later or failed; `reason` is empty when handled."""

    handler: str
    outcome: str
    reason: str = ""


class DependencyUnavailable(Exception):
    """Mongo or the broker is unavailable: no fault of the message, so no attempt is spent."""


class MessageProcessor:
    """`verify_publishers`: the broker has a user for each service, so it is checked who published an event. `handler_limit`: a
    handler that takes longer than this hangs."""

    def __init__(
        self, service: Service, publisher: Publisher, *, verify_publishers: bool, handler_limit: timedelta = HANDLER_LIMIT
    ) -> None:
        self._service, self._publisher, self._verify_publishers = service, publisher, verify_publishers
        self._handler_limit = handler_limit.total_seconds()
        self._stopping = threading.Event()
        self._handling_since: dict[int, float] = {}
        self.unavailable_since: float | None = None

    def alive(self) -> bool:
        """No handler hangs. Waiting for Mongo or the broker is not hanging."""
        oldest = min(list(self._handling_since.values()), default=time.monotonic())
        return time.monotonic() - oldest < self._handler_limit

    def stop(self) -> None:
        """What waits for Mongo or the broker goes back to its queue; what is being handled is finished."""
        self._stopping.set()

    def process(self, delivery: Delivery, is_current: Callable[[], bool]) -> bool:
        """True: acknowledge it. False: it stays with the broker."""
        failures = 0
        while is_current():
            try:
                self._process_once(delivery)
                self.unavailable_since = None
                return True
            except DependencyUnavailable as unavailable:
                failures += 1
                self.unavailable_since = self.unavailable_since or time.monotonic()
                log.warning("a message waits for a dependency", extra=_about(delivery) | {"reason": str(unavailable)})
                pause = delay(failures, base=SHORTEST_PAUSE, longest=LONGEST_PAUSE)
                if self._stopping.wait(pause.total_seconds()):
                    return False
        return False

    def _process_once(self, delivery: Delivery) -> None:
        begun = self._handling_since[threading.get_ident()] = time.monotonic()
        try:
            result = self._handle(delivery)
        finally:
            del self._handling_since[threading.get_ident()]
        seconds = time.monotonic() - begun
        if result.reason:
            self._forward(delivery, result)
        metrics.HANDLED.labels(self._service.name, result.handler, result.outcome).inc()
        metrics.HANDLER_SECONDS.labels(self._service.name, result.handler).observe(seconds)
        (log.warning if result.reason else log.info)(
            "processed a message",
            extra=_about(delivery)
            | {
                "handler": result.handler,
                "outcome": result.outcome,
                "seconds": round(seconds, 4),
                "attempt": delivery.attempt,
                "reason": result.reason,
            },
        )

    def _handle(self, delivery: Delivery) -> Result:
        handler = "none"
        try:
            envelope = _read(delivery.body)
            self._check_publisher(envelope, delivery)
            handler = self._handler_of(envelope)
            self._service.receive(envelope)
        except InvalidMessage as error:
            return Result(handler, "invalid", _without_values(str(error)))
        except BaseException as error:  # whatever a handler raises, its message goes somewhere
            if environment_failed(error, self._service.db):
                metrics.HANDLED.labels(self._service.name, handler, "unavailable").inc()
                raise DependencyUnavailable(type(error).__name__) from error
            outcome = "retry later" if isinstance(error, RetryLater) else "failed"
            return Result(handler, outcome, f"{type(error).__name__} at {location_of(error)}")
        return Result(handler, "handled")

    def _handler_of(self, envelope: Envelope) -> str:
        handlers = self._service.handlers.items()
        return next((handler.__name__ for event_class, handler in handlers if event_class.event_type == envelope.type), "none")

    def _check_publisher(self, envelope: Envelope, delivery: Delivery) -> None:
        """Raise InvalidMessage when this event is not from the one service that may publish it."""
        contract = EVENT_TYPES.get(envelope.type)
        if contract is None:
            raise InvalidMessage("unknown type")
        if envelope.source != f"/{contract.published_by}":
            raise InvalidMessage(f"the source is not {contract.published_by}")
        if self._verify_publishers and delivery.published_by != contract.published_by:
            raise InvalidMessage(f"not published by {contract.published_by} but by {delivery.published_by or 'an unknown user'}")

    def _forward(self, delivery: Delivery, result: Result) -> None:
        """To the next retry queue, or to the dead queue."""
        name = self._service.name
        tier = None if result.outcome == "invalid" else tier_after(delivery.attempt)
        exchange, routing_key = (RETRY, retry_queue_of(name, tier)) if tier else (DEAD, name)
        headers: dict[str, Any] = {
            ATTEMPT: delivery.attempt + (1 if tier else 0),
            REASON: result.reason,
            FAILED_AT: now().isoformat(),
            PUBLISHED_BY: delivery.published_by,
        }
        message = OutgoingMessage(exchange, routing_key, delivery.body, delivery.event_id, delivery.event_type, headers)
        try:
            self._publisher.publish(message).result(ENDS_WITHIN)
        except (NotPublished, TimeoutError) as error:
            raise DependencyUnavailable(type(error).__name__) from error
        if tier:
            metrics.RETRIES.labels(name, tier).inc()
        else:
            metrics.DEAD.labels(name, result.outcome).inc()


def delivery_from(service: str, generation: int, tag: int, properties: Any, body: bytes) -> Delivery:
    """The message as this service received it. What is not text, in a property that should be, is taken as absent."""
    headers = properties.headers or {}
    attempt = headers.get(ATTEMPT, 0)
    return Delivery(
        generation=generation,
        tag=tag,
        body=body,
        event_id=text(properties.message_id) or f"sha256-{hashlib.sha256(body).hexdigest()[:24]}",
        event_type=text(properties.type),
        attempt=attempt if isinstance(attempt, int) and attempt >= 0 else 0,
        published_by=_published_by(service, text(properties.user_id), headers),
    )


def _published_by(service: str, user: str, headers: dict[str, Any]) -> str:
    """The broker vouches for `user`. What the service itself published again, for a retry or a replay, names the first publisher
    in a header: nobody else can publish as this user."""
    return text(headers[PUBLISHED_BY]) if user == service and PUBLISHED_BY in headers else user


def text(value: Any) -> str:
    """Pika leaves what is not UTF-8 as bytes, which it could not send again."""
    return value if isinstance(value, str) and value.isprintable() else ""


def environment_failed(error: BaseException, db: Db) -> bool:
    """Is it the environment, not the message? A time-out counts only while Mongo does not answer: a slow handler is not kept for
    ever."""
    if isinstance(error, ConnectionFailure):
        return True
    if isinstance(error, OperationFailure) and error.code in NOT_AUTHORIZED:
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


def location_of(error: BaseException) -> str:
    """Where in our own code it was raised. Never its message: that may quote a person."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename] or list(frames)
    return f"{ours[-1].filename.rsplit('/', 1)[-1]}:{ours[-1].lineno} {ours[-1].name}" if ours else "nowhere"


def _read(body: bytes) -> Envelope:
    try:
        return from_json(body)
    except RecursionError as error:
        raise InvalidMessage("nested too deeply") from error


def _without_values(reason: str) -> str:
    """Field names come from our own contracts, but a stranger's message may bring its own keys."""
    return re.sub(r"[^\w .,:]", "", reason, flags=re.ASCII)[:LONGEST_REASON]


def _about(delivery: Delivery) -> dict[str, object]:
    return {"event_id": delivery.event_id, "event_type": delivery.event_type}
