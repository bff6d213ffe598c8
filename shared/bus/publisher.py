"""Messages to the broker. Each publish is a future that ends: confirmed, returned, or the broker was unavailable."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pika

from shared import metrics
from shared.bus.connection import ReconnectingConnection
from shared.bus.topology import BACK, probe_key_of, user_of

CONTENT_TYPE = "application/cloudevents+json"
OLDEST_UNCONFIRMED = 10.0
PROBE_AFTER = 10.0
"""Idle for this long, the publisher publishes an empty message that no queue gets, and is ready only while it is confirmed:
RabbitMQ tells of a memory or disk alarm only a connection that publishes."""
ENDS_WITHIN = 15.0
"""No future of `publish` takes longer than this, whatever the broker does."""


class NotPublished(Exception):
    """The broker did not take it."""


class BrokerUnavailable(NotPublished):
    """No connection, lost before the confirm, or blocked by an alarm: nobody knows whether the message arrived. Publish again."""


class Unroutable(NotPublished):
    """No queue is bound for it: the topology is missing."""


@dataclass
class OutgoingMessage:
    exchange: str
    routing_key: str
    body: bytes
    event_id: str
    event_type: str
    headers: dict[str, Any] = field(default_factory=dict)
    mandatory: bool = True
    future: Future[None] = field(default_factory=Future)
    sent_at: float = 0.0
    returned: bool = False


class Publisher(ReconnectingConnection):
    def __init__(self, amqp_url: str, service: str) -> None:
        super().__init__(amqp_url, service, "publisher")
        self._user_id = user_of(amqp_url)
        self._waiting: deque[OutgoingMessage] = deque()
        self._unconfirmed: OrderedDict[int, OutgoingMessage] = OrderedDict()
        self._last_tag = 0
        self._confirmed_at = 0.0
        self._confirms = threading.Event()
        self.connections = 0

    def ready(self) -> bool:
        """The broker confirms what is published."""
        return self._confirms.is_set()

    def wait_until_ready(self, timeout: float) -> bool:
        return self._confirms.wait(timeout)

    def publish(self, message: OutgoingMessage) -> Future[None]:
        return self.publish_all([message])[0]

    def publish_all(self, messages: list[OutgoingMessage]) -> list[Future[None]]:
        if not messages:
            return []  # nobody is woken
        self._waiting.extend(messages)
        # Without a connection, or one that was lost with our call: the queue is emptied here or in _on_connection_lost.
        if not self._confirms.is_set() or not self._call_on_io_thread(self._send_waiting):
            self._fail_waiting()
        return [message.future for message in messages]

    # on the IO thread

    def _on_channel_open(self, channel: Any) -> None:
        self._last_tag = 0
        channel.add_on_return_callback(self._on_return)
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._send_probe())

    def _send_probe(self) -> None:
        probe = OutgoingMessage(BACK, probe_key_of(self._service), b"", "probe", "probe", mandatory=False)
        probe.future.add_done_callback(self._probe_ended)
        self._send(probe)

    def _probe_ended(self, future: Future[None]) -> None:
        if future.exception() is None and not self._confirms.is_set():
            self.connections += 1
            self._confirms.set()

    def _on_blocked(self, blocked: bool) -> None:
        if blocked:
            self._confirms.clear()
            self._fail(self._take_unconfirmed())
            self._fail_waiting()
        else:
            self._send_probe()

    def _send_waiting(self) -> None:
        while self._waiting and self._channel is not None and self._channel.is_open:
            self._send(self._waiting.popleft())
        metrics.UNCONFIRMED.labels(self._service).set(len(self._unconfirmed))

    def _send(self, message: OutgoingMessage) -> None:
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=2,
            message_id=message.event_id,
            type=message.event_type,
            headers=message.headers,
            user_id=self._user_id,  # the broker refuses any other than the user of this connection
        )
        self._last_tag += 1
        message.sent_at = time.monotonic()
        self._unconfirmed[self._last_tag] = message
        self._channel.basic_publish(message.exchange, message.routing_key, message.body, properties, mandatory=message.mandatory)

    def _on_return(self, _: Any, method: Any, properties: Any, __: bytes) -> None:
        where = (method.exchange, method.routing_key, properties.message_id)
        for message in self._unconfirmed.values():  # the confirm of a returned message follows, and says "ack"
            if (message.exchange, message.routing_key, message.event_id) == where:
                message.returned = True

    def _on_confirm(self, frame: Any) -> None:
        acked, tag = isinstance(frame.method, pika.spec.Basic.Ack), frame.method.delivery_tag
        self._confirmed_at = time.monotonic()
        tags = [tag] if not frame.method.multiple else [t for t in self._unconfirmed if t <= tag or tag == 0]
        for each in tags:
            message = self._unconfirmed.pop(each, None)
            if message is not None:
                self._resolve(message, acked)
        metrics.UNCONFIRMED.labels(self._service).set(len(self._unconfirmed))

    def _resolve(self, message: OutgoingMessage, acked: bool) -> None:
        outcome = "returned" if message.returned else "confirmed" if acked else "refused"
        metrics.PUBLISHED.labels(self._service, outcome).inc()
        if message.returned:
            message.future.set_exception(Unroutable(message.routing_key))
        elif acked:
            message.future.set_result(None)
        else:
            message.future.set_exception(NotPublished(message.routing_key))

    def _check_health(self) -> None:
        oldest, moment = next(iter(self._unconfirmed.values()), None), time.monotonic()
        if oldest is not None and moment - oldest.sent_at > OLDEST_UNCONFIRMED:
            self._abort("a message was not confirmed in time")
        elif oldest is None and self._confirms.is_set() and moment - self._confirmed_at > PROBE_AFTER:
            self._send_probe()

    def _on_connection_lost(self) -> None:
        self._confirms.clear()
        self._fail(self._take_unconfirmed())
        self._fail_waiting()

    def _take_unconfirmed(self) -> list[OutgoingMessage]:
        lost, self._unconfirmed = list(self._unconfirmed.values()), OrderedDict()
        metrics.UNCONFIRMED.labels(self._service).set(0)
        return lost

    def _fail_waiting(self) -> None:
        while True:
            try:
                self._fail([self._waiting.popleft()])
            except IndexError:
                return

    def _fail(self, messages: Iterable[OutgoingMessage]) -> None:
        for message in messages:
            metrics.PUBLISHED.labels(self._service, "unavailable").inc()
            message.future.set_exception(BrokerUnavailable(message.routing_key))
