"""Messages to the broker. Each publish is a future that ends: confirmed, returned by the broker, or the broker was away."""

import threading
import time
from collections import OrderedDict, deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pika

from shared import metrics
from shared.bus.line import Line

CONTENT_TYPE = "application/cloudevents+json"
OLDEST_UNCONFIRMED = 10.0
ENDS_WITHIN = 15.0
"""No future of `publish` takes longer than this, whatever the broker does."""


class NotPublished(Exception):
    """The broker did not take it."""


class BrokerAway(NotPublished):
    """No connection, or it was lost before the confirm: nobody knows whether the message arrived. Publish again."""


class Unroutable(NotPublished):
    """No queue is bound for it: the topology is missing."""


@dataclass
class Outgoing:
    exchange: str
    key: str
    body: bytes
    event_id: str
    kind: str
    headers: dict[str, Any] = field(default_factory=dict)
    future: Future[None] = field(default_factory=Future)
    sent_at: float = 0.0
    returned: bool = False


class Publisher(Line):
    def __init__(self, amqp_url: str, service: str) -> None:
        super().__init__(amqp_url, service, "publisher")
        self._waiting: deque[Outgoing] = deque()
        self._unconfirmed: OrderedDict[int, Outgoing] = OrderedDict()
        self._tag = 0
        self._open = threading.Event()

    def ready(self) -> bool:
        return self._open.is_set()

    def wait_until_ready(self, timeout: float) -> bool:
        return self._open.wait(timeout)

    def publish(self, message: Outgoing) -> Future[None]:
        return self.publish_all([message])[0]

    def publish_all(self, messages: list[Outgoing]) -> list[Future[None]]:
        self._waiting.extend(messages)
        # Without a connection, or one that went with our call: _refuse empties the queue, here or in _lost.
        if not self._open.is_set() or not self._on_io(self._send_waiting):
            self._refuse_waiting()
        return [message.future for message in messages]

    # on the IO thread

    def _opened(self, channel: Any) -> None:
        self._tag = 0
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._confirmed, callback=lambda _: self._open.set())

    def _blocked(self, blocked: bool) -> None:
        if blocked:
            self._open.clear()
        else:
            self._open.set()

    def _send_waiting(self) -> None:
        while self._waiting and self._channel is not None and self._channel.is_open:
            self._send(self._waiting.popleft())
        metrics.UNCONFIRMED.labels(self._service).set(len(self._unconfirmed))

    def _send(self, message: Outgoing) -> None:
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE, delivery_mode=2, message_id=message.event_id, type=message.kind, headers=message.headers
        )
        self._tag += 1
        message.sent_at = time.monotonic()
        self._unconfirmed[self._tag] = message
        self._channel.basic_publish(message.exchange, message.key, message.body, properties, mandatory=True)

    def _returned(self, _: Any, method: Any, properties: Any, __: bytes) -> None:
        where = (method.exchange, method.routing_key, properties.message_id)
        for message in self._unconfirmed.values():  # the confirm of a returned message follows, and says "taken"
            if (message.exchange, message.key, message.event_id) == where:
                message.returned = True

    def _confirmed(self, frame: Any) -> None:
        taken, tag = isinstance(frame.method, pika.spec.Basic.Ack), frame.method.delivery_tag
        tags = [tag] if not frame.method.multiple else [t for t in self._unconfirmed if t <= tag or tag == 0]
        for each in tags:
            message = self._unconfirmed.pop(each, None)
            if message is not None:
                self._end(message, taken)
        metrics.UNCONFIRMED.labels(self._service).set(len(self._unconfirmed))

    def _end(self, message: Outgoing, taken: bool) -> None:
        outcome = "returned" if message.returned else "confirmed" if taken else "refused"
        metrics.PUBLISHED.labels(self._service, outcome).inc()
        if message.returned:
            message.future.set_exception(Unroutable(message.key))
        elif taken:
            message.future.set_result(None)
        else:
            message.future.set_exception(NotPublished(message.key))

    def _look(self) -> None:
        oldest = next(iter(self._unconfirmed.values()), None)
        if oldest is not None and time.monotonic() - oldest.sent_at > OLDEST_UNCONFIRMED:
            self._drop("a message was not confirmed in time")

    def _lost(self) -> None:
        self._open.clear()
        lost, self._unconfirmed = list(self._unconfirmed.values()), OrderedDict()
        for message in lost:
            self._refuse(message)
        self._refuse_waiting()
        metrics.UNCONFIRMED.labels(self._service).set(0)

    def _refuse_waiting(self) -> None:
        while True:
            try:
                self._refuse(self._waiting.popleft())
            except IndexError:
                return

    def _refuse(self, message: Outgoing) -> None:
        metrics.PUBLISHED.labels(self._service, "away").inc()
        message.future.set_exception(BrokerAway(message.key))
