"""What becomes of one message: handled, retried later, dead, or kept because Mongo or the broker is unavailable."""

import hashlib
import re
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pymongo
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from shared import metrics
from shared.backoff import delay
from shared.bus.publisher import ENDS_WITHIN, BrokerUnavailable, NotPublished, OutgoingMessage, Publisher
from shared.bus.topology import DEAD, RETRY, retry_queue_of, tier_after
from shared.clock import now
from shared.logs import get_logger
from shared.messages import EVENT_TYPES, Envelope, InvalidMessage, from_json
from shared.mongo import Db
from shared.runner import Job
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
class Verdict:
    """`outcome`: handled, invalid, retry later or failed; `reason` is empty when handled."""

    handler: str
    outcome: str
    reason: str = ""


@dataclass(eq=False)
class Task:
    """A delivery on its way: what it asks for, and what became of it once that is known."""

    delivery: Delivery
    job: Job | None = None
    verdict: Verdict | None = None
    seconds: float = 0.0


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

    def process(
        self,
        deliveries: Sequence[Delivery],
        is_current: Callable[[Delivery], bool],
        acknowledge: Callable[[Sequence[Delivery]], None],
    ) -> list[Delivery]:
        """All in one transaction, and one by one when that fails. Returns those that were acknowledged; the others stay with the
        broker."""
        finished: list[Delivery] = []
        failures = 0
        while todo := [one for one in deliveries if one not in finished and is_current(one)]:
            done, unavailable = self._process_once(todo)
            acknowledge(done)
            finished += done
            if len(done) < len(todo):
                failures += 1
                if self._wait_for_dependency(unavailable, failures, len(todo) - len(done)):
                    break
            else:
                self.unavailable_since = None
        return finished

    def _wait_for_dependency(self, dependency: str, failures: int, count: int) -> bool:
        """True: told to stop meanwhile."""
        self.unavailable_since = self.unavailable_since or time.monotonic()
        log.warning("messages wait for a dependency", extra={"reason": dependency, "count": count})
        return self._stopping.wait(delay(failures, base=SHORTEST_PAUSE, longest=LONGEST_PAUSE).total_seconds())

    def _process_once(self, deliveries: Sequence[Delivery]) -> tuple[list[Delivery], str]:
        """Those that are finished, and which dependency the others wait for."""
        tasks, unavailable = [self._read(delivery) for delivery in deliveries], ""
        try:
            self._run([task for task in tasks if not task.verdict])
        except DependencyUnavailable as error:
            unavailable = str(error)
        handled = [task for task in tasks if task.verdict and not task.verdict.reason]
        forwarded = self._forward([task for task in tasks if task.verdict and task.verdict.reason])
        for task in (*handled, *forwarded):
            self._report(task)
        return [task.delivery for task in (*handled, *forwarded)], unavailable or BrokerUnavailable.__name__

    def _read(self, delivery: Delivery) -> Task:
        task = Task(delivery)
        try:
            envelope = _read(delivery.body)
            self._check_publisher(envelope, delivery)
            task.job = self._service.job_for(envelope)
            task.verdict = None if task.job else Verdict("none", "handled")
        except BaseException as error:
            task.verdict = _verdict("none", error)
        return task

    def _run(self, tasks: Sequence[Task]) -> None:
        """Raises DependencyUnavailable; tasks without a verdict are not done then."""
        if len(tasks) > 1:
            self._run_together(tasks)
        for task in tasks:
            if not task.verdict:
                self._run_alone(task)

    def _run_together(self, tasks: Sequence[Task]) -> None:
        try:
            with self._handling():
                results = self._service.run_together([task.job for task in tasks if task.job])
        except BaseException as error:
            self._raise_if_environment_failed(error, "batch")
            log.warning("a batch is run one by one", extra={"reason": _reason(error), "count": len(tasks)})
            return
        for task, result in zip(tasks, results, strict=True):
            task.verdict, task.seconds = _verdict(_handler_of(task), result.error), result.seconds

    def _run_alone(self, task: Task) -> None:
        assert task.job
        begun, raised = time.monotonic(), None
        try:
            with self._handling():
                self._service.run_job(task.job)
        except BaseException as error:  # whatever a handler raises, its message goes somewhere
            self._raise_if_environment_failed(error, _handler_of(task))
            raised = error
        task.verdict, task.seconds = _verdict(_handler_of(task), raised), time.monotonic() - begun

    @contextmanager
    def _handling(self) -> Iterator[None]:
        self._handling_since[threading.get_ident()] = time.monotonic()
        try:
            yield
        finally:
            del self._handling_since[threading.get_ident()]

    def _raise_if_environment_failed(self, error: BaseException, handler: str) -> None:
        if environment_failed(error, self._service.db):
            metrics.HANDLED.labels(self._service.name, handler, "unavailable").inc()
            raise DependencyUnavailable(type(error).__name__) from error

    def _report(self, task: Task) -> None:
        assert task.verdict
        delivery, verdict = task.delivery, task.verdict
        metrics.HANDLED.labels(self._service.name, verdict.handler, verdict.outcome).inc()
        metrics.HANDLER_SECONDS.labels(self._service.name, verdict.handler).observe(task.seconds)
        (log.warning if verdict.reason else log.info)(
            "processed a message",
            extra={
                "event_id": delivery.event_id,
                "event_type": delivery.event_type,
                "handler": verdict.handler,
                "outcome": verdict.outcome,
                "seconds": round(task.seconds, 4),
                "attempt": delivery.attempt,
                "reason": verdict.reason,
            },
        )

    def _check_publisher(self, envelope: Envelope, delivery: Delivery) -> None:
        """Raise InvalidMessage when this event is not from the one service that may publish it."""
        contract = EVENT_TYPES.get(envelope.type)
        if contract is None:
            raise InvalidMessage("unknown type")
        if envelope.source != f"/{contract.published_by}":
            raise InvalidMessage(f"the source is not {contract.published_by}")
        if self._verify_publishers and delivery.published_by != contract.published_by:
            raise InvalidMessage(f"not published by {contract.published_by} but by {delivery.published_by or 'an unknown user'}")

    def _forward(self, tasks: Sequence[Task]) -> list[Task]:
        """To the next retry queue, or to the dead queue. Returns those that the broker took."""
        futures = self._publisher.publish_all([self._forwarded(task) for task in tasks])
        return [task for task, future in zip(tasks, futures, strict=True) if self._is_taken(task, future)]

    def _forwarded(self, task: Task) -> OutgoingMessage:
        assert task.verdict
        delivery, tier = task.delivery, _tier_of(task)
        exchange, routing_key = (RETRY, retry_queue_of(self._service.name, tier)) if tier else (DEAD, self._service.name)
        headers: dict[str, Any] = {
            ATTEMPT: delivery.attempt + (1 if tier else 0),
            REASON: task.verdict.reason,
            FAILED_AT: now().isoformat(),
            PUBLISHED_BY: delivery.published_by,
        }
        return OutgoingMessage(exchange, routing_key, delivery.body, delivery.event_id, delivery.event_type, headers)

    def _is_taken(self, task: Task, future: Future[None]) -> bool:
        try:
            future.result(ENDS_WITHIN)
        except (NotPublished, TimeoutError):
            return False
        tier = _tier_of(task)
        if tier:
            metrics.RETRIES.labels(self._service.name, tier).inc()
        else:
            metrics.DEAD.labels(self._service.name, task.verdict.outcome if task.verdict else "").inc()
        return True


def _handler_of(task: Task) -> str:
    return task.job.name if task.job else "none"


def _tier_of(task: Task) -> str | None:
    """None: to the dead queue."""
    return None if task.verdict and task.verdict.outcome == "invalid" else tier_after(task.delivery.attempt)


def _verdict(handler: str, error: BaseException | None) -> Verdict:
    match error:
        case None:
            return Verdict(handler, "handled")
        case InvalidMessage():
            return Verdict(handler, "invalid", _without_values(str(error)))
        case RetryLater():
            return Verdict(handler, "retry later", _reason(error))
        case _:
            return Verdict(handler, "failed", _reason(error))


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__} at {location_of(error)}"


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
