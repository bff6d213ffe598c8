"""Every exchange and queue, named here and nowhere else. One tool declares them; services only look whether they are there."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from shared.logs import get_logger
from shared.service import Service

EVENTS, RETRY, BACK, DEAD = "kitchen", "retry", "back", "dead"
EXCHANGES = {EVENTS: "topic", RETRY: "direct", BACK: "direct", DEAD: "direct"}
TIERS = {"5s": 5, "30s": 30, "2m": 120, "10m": 600, "1h": 3600}
RETURNS_BEFORE_DEAD = 20
# The default at-most-once strategy lost every delayed message while a node was down; at-least-once needs reject-publish.
SAFE = {"x-queue-type": "quorum", "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
log = get_logger("bus.topology")


class TopologyDiffers(Exception):
    """A queue or exchange exists with other arguments; a queue cannot be changed, only emptied, deleted and declared again."""


@dataclass(frozen=True)
class Rights:
    """The three patterns of a RabbitMQ user's permissions."""

    configure: str
    write: str
    read: str


def queue_of(service: str) -> str:
    return service


def dead_queue_of(service: str) -> str:
    return f"{service}.dead"


def retry_queue_of(service: str, tier: str) -> str:
    return f"{service}.retry.{tier}"


def tier_after(attempts: int) -> str | None:
    """Where a message waits after it failed `attempts` times before; None: it has been everywhere."""
    return list(TIERS)[attempts] if attempts < len(TIERS) else None


def heard_by(service: Service) -> list[str]:
    return sorted(kind.event_type for kind in service.handlers)


def rights_of(service: str) -> Rights:
    """A service may say anything, read its own queue and its own dead letters, and declare nothing."""
    return Rights("^$", f"^({'|'.join(EXCHANGES)})$", rf"^{service}(\.dead)?$")


def queues_of(service: str, broker: int) -> dict[str, dict[str, Any]]:
    """Each queue of a service with its arguments, on a broker of this major version."""
    home = {**SAFE, "x-delivery-limit": RETURNS_BEFORE_DEAD, "x-dead-letter-exchange": DEAD, "x-dead-letter-routing-key": service}
    back = {**SAFE, "x-dead-letter-exchange": BACK, "x-dead-letter-routing-key": service}
    waiting = {retry_queue_of(service, tier): {**back, "x-message-ttl": s * 1000} for tier, s in TIERS.items()}
    # Looking returns a message to its queue. From 4.0 the 21st look would delete it unless the limit is -1; before 4.0 there
    # is no limit unless one is set, and -1 deletes at the first look.
    looked_at_for_ever = {"x-delivery-limit": -1} if broker >= 4 else {}
    return {queue_of(service): home, **waiting, dead_queue_of(service): {"x-queue-type": "quorum", **looked_at_for_ever}}


def seal_of(service: str, kinds: Iterable[str], broker: int) -> str:
    """An exchange that exists when exactly these queues and bindings were declared: looking shows names, never arguments."""
    what = json.dumps([EXCHANGES, queues_of(service, broker), sorted(kinds)], sort_keys=True)
    return f"{service}.declared.{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def major_version(connection: Any) -> int:
    properties = getattr(connection, "_impl", connection).server_properties
    return int(str(properties["version"]).split(".")[0])


def declare(amqp_url: str, services: Mapping[str, Iterable[str]], *, wait_seconds: float = 60) -> None:
    """Declare everything for these services and the kinds each hears. Safe to repeat. Needs a user who may configure."""
    connection = _connect(amqp_url, time.monotonic() + wait_seconds)
    try:
        _declare_all(connection.channel(), services, major_version(connection))
    except ChannelClosedByBroker as closed:
        if closed.reply_code == 406:
            raise TopologyDiffers(closed.reply_text) from closed
        raise
    finally:
        if connection.is_open:
            connection.close()


def _declare_all(channel: Any, services: Mapping[str, Iterable[str]], broker: int) -> None:
    for exchange, kind in EXCHANGES.items():
        channel.exchange_declare(exchange, kind, durable=True)
    for service, heard in services.items():
        kinds = sorted(heard)
        for queue, arguments in queues_of(service, broker).items():
            channel.queue_declare(queue, durable=True, arguments=arguments)
        for queue, exchange, key in bindings_of(service, kinds):
            channel.queue_bind(queue, exchange, key)
        channel.exchange_declare(seal_of(service, kinds, broker), "direct", durable=True)


def bindings_of(service: str, kinds: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    yield from ((queue_of(service), EVENTS, kind) for kind in kinds)
    yield from ((retry_queue_of(service, tier), RETRY, retry_queue_of(service, tier)) for tier in TIERS)
    yield queue_of(service), BACK, service
    yield dead_queue_of(service), DEAD, service


def _connect(amqp_url: str, until: float) -> Any:
    while True:
        try:
            return pika.BlockingConnection(pika.URLParameters(amqp_url))
        except (AMQPError, OSError):
            if time.monotonic() > until:
                raise
            log.info("waiting for the broker")
            time.sleep(1)
