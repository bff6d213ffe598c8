"""How full a service's queues are, for whoever looks after the broker."""

from dataclasses import dataclass

import pika
from pika.exceptions import AMQPError

from shared.bus.topology import TIERS, dead_queue_of, queue_of, retry_queue_of

BrokerError = (AMQPError, OSError)


@dataclass(frozen=True)
class QueueCounts:
    """`workers`: consumers of the queue. `waiting`: messages that nobody has taken yet."""

    workers: int
    waiting: int
    retrying: int
    dead: int


def count(amqp_url: str, service: str) -> QueueCounts:
    """Raises one of BrokerError when the broker is away or a queue is not there."""
    parameters = pika.URLParameters(amqp_url)
    parameters.socket_timeout = parameters.blocked_connection_timeout = 10
    connection = pika.BlockingConnection(parameters)
    try:
        channel = connection.channel()
        main = channel.queue_declare(queue_of(service), passive=True).method
        retries = [channel.queue_declare(retry_queue_of(service, tier), passive=True).method.message_count for tier in TIERS]
        dead = channel.queue_declare(dead_queue_of(service), passive=True).method.message_count
    finally:
        connection.close()
    return QueueCounts(main.consumer_count, main.message_count, sum(retries), dead)
