"""Every exchange and queue, named here and nowhere else, and what each service's broker user may do with them.

One tool declares them; services only check that they are there. All exchanges are topic exchanges, because RabbitMQ checks a
user's right to a routing key on those alone: a service may publish its own contracts' events, and reach its own retry, dead and
home queue; it can put nothing into another service's queues but the events that the other has subscribed to.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from shared import contracts  # noqa: F401 (registers every contract in EVENT_TYPES)
from shared.logs import get_logger
from shared.messages import EVENT_TYPES
from shared.service import Service

EVENTS, RETRY, BACK, DEAD = "kitchen", "retry", "back", "dead"
EXCHANGES = (EVENTS, RETRY, BACK, DEAD)
TIERS = {"5s": 5, "30s": 30, "2m": 120, "10m": 600, "1h": 3600}
RETURNS_BEFORE_DEAD = 20
# The default at-most-once strategy lost every delayed message while a node was down; at-least-once needs reject-publish.
QUORUM = {"x-queue-type": "quorum", "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
log = get_logger("bus.topology")


class TopologyDiffers(Exception):
    """A queue or exchange exists with other arguments; neither can be changed, only deleted (when empty) and declared again."""


@dataclass(frozen=True)
class Permissions:
    """A RabbitMQ user's permissions: three patterns of names of queues and exchanges. `topics`: for each exchange the pattern of
    routing keys it may publish; without an entry RabbitMQ would allow every key."""

    configure: str
    write: str
    read: str
    topics: dict[str, str]


def queue_of(service: str) -> str:
    return service


def dead_queue_of(service: str) -> str:
    return f"{service}.dead"


def retry_queue_of(service: str, tier: str) -> str:
    return f"{service}.retry.{tier}"


def probe_key_of(service: str) -> str:
    """A routing key of the exchange BACK that no queue is bound to."""
    return f"{service}.probe"


def marker_of(service: str, broker_id: str) -> str:
    """An exchange that says: this broker still has what this service published since it made the marker."""
    return f"{service}.marker.{broker_id}"


def tier_after(attempts: int) -> str | None:
    """Where a message waits after it failed `attempts` times before; None: it has been everywhere."""
    return list(TIERS)[attempts] if attempts < len(TIERS) else None


def subscriptions_of(service: Service) -> list[str]:
    return sorted(event_class.event_type for event_class in service.handlers)


def published_by(service: str) -> list[str]:
    return sorted(event_class.event_type for event_class in EVENT_TYPES.values() if event_class.published_by == service)


def user_of(amqp_url: str) -> str:
    return unquote(urlsplit(amqp_url).username or "guest")


def publishers_are_verified(amqp_url: str, service: str) -> bool:
    """Each service has a broker user with its own name: then the broker vouches for who published a message. Where one user is
    shared by all (a broker that somebody else runs), only the source that a message claims can be compared."""
    return user_of(amqp_url) == service


def permissions_of(service: str) -> Permissions:
    """Publish its own contracts' events, use its own queues, and declare nothing but its marker."""
    events = "|".join(re.escape(event_type) for event_type in published_by(service))
    return Permissions(
        configure=rf"^{service}\.marker\.[0-9a-f-]+$",
        write=f"^({'|'.join(EXCHANGES)})$",
        read=rf"^{service}(\.dead)?$",
        topics={
            EVENTS: f"^({events})$" if events else "^$",
            RETRY: rf"^{service}\.retry\.[0-9a-z]+$",
            BACK: rf"^{service}(\.probe)?$",
            DEAD: f"^{service}$",
        },
    )


def queues_of(service: str, broker: int) -> dict[str, dict[str, Any]]:
    """Each queue of a service with its arguments, on a broker of this major version."""
    home = {
        **QUORUM,
        "x-delivery-limit": RETURNS_BEFORE_DEAD,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": service,
    }
    back = {**QUORUM, "x-dead-letter-exchange": BACK, "x-dead-letter-routing-key": service}
    waiting = {retry_queue_of(service, tier): {**back, "x-message-ttl": s * 1000} for tier, s in TIERS.items()}
    # Looking returns a message to its queue. From 4.0 the 21st look would delete it unless the limit is -1; before 4.0 there
    # is no limit unless one is set, and -1 deletes at the first look.
    unlimited = {"x-delivery-limit": -1} if broker >= 4 else {}
    return {queue_of(service): home, **waiting, dead_queue_of(service): {"x-queue-type": "quorum", **unlimited}}


def fingerprint_exchange(service: str, subscriptions: Iterable[str], broker: int) -> str:
    """An exchange that exists when exactly these queues and bindings were declared: a passive declare compares names, never
    arguments."""
    declared = json.dumps([EXCHANGES, "topic", queues_of(service, broker), sorted(subscriptions)], sort_keys=True)
    return f"{service}.declared.{hashlib.sha256(declared.encode()).hexdigest()[:12]}"


def major_version(connection: Any) -> int:
    # BlockingConnection has no public way to the server's properties; see tests/faults/bus/test_pika_private_names.py.
    properties = getattr(connection, "_impl", connection).server_properties
    return int(str(properties["version"]).split(".")[0])


def declare(amqp_url: str, services: Mapping[str, Iterable[str]], *, wait_seconds: float = 60) -> None:
    """Declare everything for these services and the event types each subscribes to. Safe to repeat. Needs a user who may
    configure. Raises TopologyDiffers."""
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
    for exchange in EXCHANGES:
        channel.exchange_declare(exchange, "topic", durable=True)
    for service, subscribed in services.items():
        subscriptions = sorted(subscribed)
        for queue, arguments in queues_of(service, broker).items():
            channel.queue_declare(queue, durable=True, arguments=arguments)
        for queue, exchange, key in bindings_of(service, subscriptions):
            channel.queue_bind(queue, exchange, key)
        channel.exchange_declare(fingerprint_exchange(service, subscriptions, broker), "direct", durable=True)


def bindings_of(service: str, subscriptions: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    yield from ((queue_of(service), EVENTS, event_type) for event_type in subscriptions)
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
