"""Dead letters: messages that no retry helped. List them, show their shape, replay to the one service that failed, or drop.

`kitchen dead-letters` (deploy/kitchen) is their command line. The AMQP URL must be the service's own: what another broker user
replays counts as published by that user and is refused. Listing takes nothing away; shapes are names and types, never values.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pika

from shared.bus.processor import ATTEMPT, FAILED_AT, PUBLISHED_BY, REASON, Delivery, delivery_from, text
from shared.bus.publisher import ENDS_WITHIN, OutgoingMessage, Publisher
from shared.bus.topology import BACK, dead_queue_of
from shared.logs import get_logger

SECONDS_UNTIL_BACK = 2.0
log = get_logger("bus.dead_letters")


@dataclass(frozen=True)
class DeadLetter:
    event_id: str
    event_type: str
    reason: str
    failed_at: str
    attempts: int
    published_by: str
    body: bytes
    tag: int

    @property
    def failed(self) -> datetime | None:
        """None when nobody wrote down when that was."""
        return datetime.fromisoformat(self.failed_at) if self.failed_at else None


Track = Callable[[Sequence[DeadLetter]], Iterable[DeadLetter]]


def dead_letters_of(amqp_url: str, service: str) -> list[DeadLetter]:
    with _opened(amqp_url, service) as look:
        return list(look)


def replay(amqp_url: str, service: str, event_id: str | None, track: Track = iter) -> int:
    """Publish again, under the same id, to this service alone. None: all of them. Returns how many. `track` may show progress.

    A dead letter leaves its queue when the broker confirmed the new message. Raises NotPublished when the broker takes none now;
    those that it took before that have left their queue.
    """
    publisher = Publisher(amqp_url, service)
    publisher.start()
    try:
        publisher.wait_until_ready(10)
        return _take_out(amqp_url, service, event_id, lambda dead_letter: _publish_again(publisher, service, dead_letter), track)
    finally:
        publisher.close()


def drop(amqp_url: str, service: str, event_id: str, reason: str) -> int:
    def log_it(dropped: DeadLetter) -> None:
        about = {
            "event_id": dropped.event_id,
            "event_type": dropped.event_type,
            "queue": dead_queue_of(service),
            "reason": reason,
        }
        log.warning("a dead letter is dropped", extra=about)

    return _take_out(amqp_url, service, event_id, log_it, iter)


def drop_older_than(amqp_url: str, service: str, moment: datetime) -> DeadLetter | None:
    """Those that failed before this moment. Returns the oldest of those that stay."""
    with _opened(amqp_url, service) as look:
        for one in look:
            if one.failed is None or one.failed > moment:
                return one
            log.error("a dead letter was kept long enough", extra={"event_id": one.event_id, "event_type": one.event_type})
            look.take_out(one)
    return None


def shape_of(body: bytes) -> Any:
    """The names and types of the fields in it."""
    try:
        return _shape(json.loads(body))
    except (ValueError, RecursionError):
        return f"not JSON, {len(body)} bytes"


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key if _is_name(key) else "?": _shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shape(value[0]), f"{len(value)} of them"] if value else []
    return type(value).__name__


def _is_name(key: str) -> bool:
    """A stranger's message may carry what a person wrote as a key."""
    return key.isidentifier() and len(key) <= 30


def _publish_again(publisher: Publisher, service: str, dead_letter: DeadLetter) -> None:
    headers = {ATTEMPT: 0, PUBLISHED_BY: dead_letter.published_by}
    message = OutgoingMessage(BACK, service, dead_letter.body, dead_letter.event_id, dead_letter.event_type, headers)
    publisher.publish(message).result(ENDS_WITHIN)


def _take_out(amqp_url: str, service: str, event_id: str | None, first: Callable[[DeadLetter], None], track: Track) -> int:
    with _opened(amqp_url, service) as look:
        chosen = [one for one in look if event_id in (one.event_id, None)]
        for one in track(chosen):
            first(one)
            look.take_out(one)
    return len(chosen)


class _Look:
    """What was in the queue when it was opened. What is not taken out goes back when the channel closes."""

    def __init__(self, connection: Any, service: str) -> None:
        self._connection, self._service = connection, service
        self._channel = connection.channel()
        self._count = self._ready_on(self._channel)
        self._taken_out = 0

    def __iter__(self) -> Iterator[DeadLetter]:
        for _ in range(self._count):
            method, properties, body = self._channel.basic_get(dead_queue_of(self._service))
            if method is None:
                return
            headers = properties.headers or {}
            yield _dead_letter(delivery_from(self._service, 0, method.delivery_tag, properties, body), headers)

    def take_out(self, one: DeadLetter) -> None:
        self._channel.basic_ack(one.tag)
        self._taken_out += 1

    def give_back(self) -> None:
        """A quorum queue has them back a moment after the channel closed: whoever looks next finds them."""
        self._channel.close()
        channel, until = self._connection.channel(), time.monotonic() + SECONDS_UNTIL_BACK
        while self._ready_on(channel) < self._count - self._taken_out and time.monotonic() < until:
            time.sleep(0.02)

    def _ready_on(self, channel: Any) -> int:
        return int(channel.queue_declare(dead_queue_of(self._service), passive=True).method.message_count)


@contextmanager
def _opened(amqp_url: str, service: str) -> Iterator[_Look]:
    connection = pika.BlockingConnection(_parameters(amqp_url))
    try:
        look = _Look(connection, service)
        yield look
        look.give_back()
    finally:
        if connection.is_open:
            connection.close()


def _parameters(amqp_url: str) -> pika.URLParameters:
    parameters = pika.URLParameters(amqp_url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = 10
    return parameters


def _moment(by_the_broker: datetime | None) -> str:
    """The broker's clock knows no zone."""
    return by_the_broker.replace(tzinfo=UTC).isoformat() if by_the_broker else ""


def _dead_letter(delivery: Delivery, headers: Mapping[str, Any]) -> DeadLetter:
    by_the_broker: Mapping[str, Any] = (headers.get("x-death") or [{}])[0]
    return DeadLetter(
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        reason=text(headers.get(REASON)) or by_the_broker.get("reason", "unknown"),
        failed_at=text(headers.get(FAILED_AT)) or _moment(by_the_broker.get("time")),
        attempts=delivery.attempt,
        published_by=delivery.published_by,
        body=delivery.body,
        tag=delivery.tag,
    )
