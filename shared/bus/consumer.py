"""Messages from the broker: taken on the IO thread, settled in a small pool, acknowledged on the IO thread."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

from shared import metrics
from shared.bus.line import Line
from shared.bus.settle import Delivery, Settler, delivery_from
from shared.bus.topology import EXCHANGES, major_version, queue_of, queues_of, seal_of
from shared.logs import get_logger

ASK_EVERY = 10.0
ANSWER_WITHIN = 30.0
NOTHING_CAME_FOR = 30.0
KEEP_AT_MOST = 600.0
"""Longer than this with Mongo away, what is in hand goes back: the broker would take it after 30 minutes, again and again,
and each time counts towards its delivery limit."""
log = get_logger("bus.consumer")


class Consumer(Line):
    def __init__(
        self, amqp_url: str, service: str, kinds: Sequence[str], settler: Settler, *, threads: int, may_take: Callable[[], bool]
    ) -> None:
        super().__init__(amqp_url, service, "consumer")
        self._kinds, self._settler, self._may_take = kinds, settler, may_take
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"{service}.handler")
        self._prefetch = 2 * threads
        self._generation = 0
        self._in_hand: set[tuple[int, int]] = set()
        self._acks: deque[Delivery] = deque()
        self._declared = False
        self._taking = ""
        self._stopped_taking = False
        self._asked_at: float | None = None
        self._forget()

    def ready(self) -> bool:
        return bool(self._taking) and self._settler.away_since is None

    def declared(self) -> bool:
        return self._declared

    def stop_taking(self) -> None:
        self._stopped_taking = True
        self._on_io(self._cancel)

    def drain(self, until: float) -> bool:
        """Wait until everything in hand is settled and acknowledged."""
        while self._in_hand and time.monotonic() < until:
            time.sleep(0.01)
        return not self._in_hand

    def close(self, timeout: float = 5.0) -> None:
        super().close(timeout)
        self._pool.shutdown(wait=False, cancel_futures=True)

    # on the IO thread: begin

    def _opened(self, channel: Any) -> None:
        broker = major_version(self._connection)
        self._others = cycle(queues_of(self._service, broker))
        for exchange in EXCHANGES:
            channel.exchange_declare(exchange, passive=True)
        for queue in queues_of(self._service, broker):
            channel.queue_declare(queue, passive=True)
        # What is missing closes the channel, so this answer comes only when everything is there.
        channel.exchange_declare(seal_of(self._service, self._kinds, broker), passive=True, callback=lambda _: self._all_there())
        channel.add_on_cancel_callback(lambda _: self._drop("the broker ended the consumer"))

    def _all_there(self) -> None:
        self._declared = True
        self._take_if_we_may()

    def _take_if_we_may(self) -> None:
        if self._declared and not self._taking and not self._stopped_taking and self._may_take():
            self._channel.basic_qos(prefetch_count=self._prefetch)
            self._taking = self._channel.basic_consume(queue_of(self._service), self._take)
            self._came_at, self._settler.away_since = time.monotonic(), None
            log.info("taking messages", extra={"queue": queue_of(self._service)})

    def _cancel(self) -> None:
        if self._taking and self._channel is not None and self._channel.is_open:
            self._channel.basic_cancel(self._taking)
        self._taking = ""

    # on the IO thread: each message

    def _take(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self._came_at = time.monotonic()
        delivery = delivery_from(self._generation, method.delivery_tag, properties, body)
        self._in_hand.add((delivery.generation, delivery.tag))
        metrics.DELIVERIES.labels(self._service, str(bool(method.redelivered)).lower()).inc()
        metrics.IN_HAND.labels(self._service).set(len(self._in_hand))
        self._pool.submit(self._settle, delivery)

    def _send_acks(self) -> None:
        while self._acks:
            delivery = self._acks.popleft()
            # An ack for an older connection would be a protocol error; its message comes again and the inbox knows it.
            if self._still_ours(delivery) and self._channel is not None and self._channel.is_open:
                self._channel.basic_ack(delivery.tag)
            self._let_go(delivery)

    def _still_ours(self, delivery: Delivery) -> bool:
        return delivery.generation == self._generation

    def _let_go(self, delivery: Delivery) -> None:
        self._in_hand.discard((delivery.generation, delivery.tag))
        metrics.IN_HAND.labels(self._service).set(len(self._in_hand))

    # in the pool

    def _settle(self, delivery: Delivery) -> None:
        settled = False
        try:
            settled = self._settler.settle(delivery, lambda: self._still_ours(delivery))
        except BaseException:
            log.exception("settling a message failed", extra={"event_id": delivery.event_id, "event_type": delivery.kind})
        if not settled:
            self._let_go(delivery)
            return
        self._acks.append(delivery)
        if not self._on_io(self._send_acks):
            self._let_go(delivery)

    # on the IO thread: is it still working?

    def _look(self) -> None:
        moment = time.monotonic()
        self._take_if_we_may()
        away = self._settler.away_since
        if self._asked_at is not None and moment - self._asked_at > ANSWER_WITHIN:
            self._drop("the channel does not answer")
        elif self._backlog and not self._in_hand and self._taking and moment - self._came_at > NOTHING_CAME_FOR:
            self._drop("messages wait and none comes")
        elif away is not None and self._in_hand and moment - max(away, self._opened_at or 0) > KEEP_AT_MOST:
            self._drop("giving back what waits for Mongo")
        elif self._declared and self._asked_at is None and moment - self._answered_at > ASK_EVERY:
            self._ask(moment)

    def _ask(self, moment: float) -> None:
        self._asked_at = moment
        self._channel.queue_declare(next(self._others), passive=True)
        self._channel.queue_declare(queue_of(self._service), passive=True, callback=self._answered)

    def _answered(self, frame: Any) -> None:
        self._asked_at, self._answered_at, self._backlog = None, time.monotonic(), frame.method.message_count > 0

    def _lost(self) -> None:
        self._generation += 1
        self._forget()
        self._send_acks()

    def _forget(self) -> None:
        self._declared, self._taking, self._backlog = False, "", False
        self._asked_at = None
        self._answered_at = self._came_at = time.monotonic()
