"""Messages from the broker: received on the IO thread, processed in a small pool, acknowledged on the IO thread."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import cycle
from typing import Any

from shared import metrics
from shared.bus.connection import ReconnectingConnection
from shared.bus.processor import Delivery, MessageProcessor, delivery_from
from shared.bus.topology import EXCHANGES, fingerprint_exchange, major_version, queue_of, queues_of
from shared.logs import get_logger
from shared.runner import Gathering

PROBE_EVERY = 10.0
PROBE_TIMEOUT = 30.0
STALLED_AFTER = 30.0
LARGEST_BATCH = 64
PAUSE_FOR_MORE = timedelta(milliseconds=20)
KEEP_AT_MOST = 600.0
"""With Mongo unavailable for longer than this, what is unacknowledged goes back: the broker would take it after 30 minutes, again
and again, and each time counts towards its delivery limit."""
log = get_logger("bus.consumer")


class Consumer(ReconnectingConnection):
    def __init__(
        self,
        amqp_url: str,
        service: str,
        subscriptions: Sequence[str],
        processor: MessageProcessor,
        *,
        threads: int,
        may_consume: Callable[[], bool],
    ) -> None:
        super().__init__(amqp_url, service, "consumer")
        self._subscriptions, self._processor, self._may_consume = subscriptions, processor, may_consume
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"{service}.handler")
        self._prefetch = 2 * LARGEST_BATCH
        self._received: deque[Delivery] = deque()
        self._guard_calls, self._call_waits = threading.Lock(), False
        self._gathering = Gathering(PAUSE_FOR_MORE)
        self._generation = 0
        self._unacknowledged: set[tuple[int, int]] = set()
        self._kept_by_broker: set[int] = set()
        self._acks: deque[Delivery] = deque()
        self._declared = False
        self._consumer_tag = ""
        self._stopping = False
        self._probed_at: float | None = None
        self._reset()

    def ready(self) -> bool:
        return bool(self._consumer_tag) and self._processor.unavailable_since is None

    def declared(self) -> bool:
        return self._declared

    def stop_consuming(self) -> None:
        self._stopping = True
        self._call_on_io_thread(self._cancel)

    def drain(self, until: float) -> bool:
        """Wait until everything received is processed and acknowledged. False: not in time."""
        while self._unacknowledged and time.monotonic() < until:
            time.sleep(0.01)
        return not self._unacknowledged

    def close(self, timeout: float = 5.0) -> None:
        super().close(timeout)
        self._pool.shutdown(wait=False, cancel_futures=True)

    # on the IO thread: start

    def _on_channel_open(self, channel: Any) -> None:
        broker = major_version(self._connection)
        self._queues = cycle(queues_of(self._service, broker))
        for exchange in EXCHANGES:
            channel.exchange_declare(exchange, passive=True)
        for queue in queues_of(self._service, broker):
            channel.queue_declare(queue, passive=True)
        # What is missing closes the channel, so this answer comes only when everything is there.
        channel.exchange_declare(
            fingerprint_exchange(self._service, self._subscriptions, broker), passive=True, callback=lambda _: self._on_declared()
        )
        channel.add_on_cancel_callback(lambda _: self._abort("the broker cancelled the consumer"))

    def _on_declared(self) -> None:
        self._declared = True
        self._consume_if_possible()

    def _consume_if_possible(self) -> None:
        if self._declared and not self._consumer_tag and not self._stopping and self._may_consume():
            self._channel.basic_qos(prefetch_count=self._prefetch)
            self._consumer_tag = self._channel.basic_consume(queue_of(self._service), self._on_message)
            self._received_at, self._processor.unavailable_since = time.monotonic(), None
            log.info("consuming", extra={"queue": queue_of(self._service)})

    def _cancel(self) -> None:
        if self._consumer_tag and self._channel is not None and self._channel.is_open:
            self._channel.basic_cancel(self._consumer_tag)
        self._consumer_tag = ""

    # on the IO thread: each message

    def _on_message(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self._received_at = time.monotonic()
        delivery = delivery_from(self._service, self._generation, method.delivery_tag, properties, body)
        self._unacknowledged.add((delivery.generation, delivery.tag))
        metrics.DELIVERIES.labels(self._service, str(bool(method.redelivered)).lower()).inc()
        metrics.UNACKNOWLEDGED.labels(self._service).set(len(self._unacknowledged))
        self._received.append(delivery)
        self._call_pool()

    def _send_acks(self) -> None:
        acks = [self._acks.popleft() for _ in range(len(self._acks))]
        # An ack for an older connection would be a protocol error; its message comes again and the inbox knows it.
        if self._channel is not None and self._channel.is_open:
            self._acknowledge_on_channel({one.tag for one in acks if self._is_current(one)})
        self._forget(acks)

    def _acknowledge_on_channel(self, tags: set[int]) -> None:
        """With one frame for all, where nothing before the last is still being processed."""
        if not tags:
            return
        last = max(tags)
        waiting = {tag for generation, tag in list(self._unacknowledged) if generation == self._generation} | self._kept_by_broker
        if all(tag in tags for tag in waiting if tag <= last):
            self._channel.basic_ack(last, multiple=True)
        else:
            for tag in sorted(tags):
                self._channel.basic_ack(tag)

    def _is_current(self, delivery: Delivery) -> bool:
        return delivery.generation == self._generation

    def _forget(self, deliveries: Iterable[Delivery]) -> None:
        self._unacknowledged.difference_update((one.generation, one.tag) for one in deliveries)
        metrics.UNACKNOWLEDGED.labels(self._service).set(len(self._unacknowledged))

    # in the pool

    def _call_pool(self) -> None:
        """Unless a call that has not begun yet will find it."""
        with self._guard_calls, suppress(RuntimeError):  # closed meanwhile
            if self._received and not self._call_waits:
                self._pool.submit(self._process_received)
                self._call_waits = True

    def _process_received(self) -> None:
        """What came meanwhile, together."""
        self._gathering.wait()
        with self._guard_calls:
            self._call_waits = False
            batch = self._take_batch()
        self._gathering.took(len(batch))
        self._call_pool()
        if not batch:
            return
        finished: list[Delivery] = []
        try:
            finished = self._processor.process(batch, self._is_current, self._acknowledge)
        except BaseException:
            log.exception("processing messages failed", extra={"count": len(batch)})
        left = [one for one in batch if one not in finished]
        self._kept_by_broker.update(one.tag for one in left if self._is_current(one))
        self._forget(left)

    def _take_batch(self) -> list[Delivery]:
        batch: list[Delivery] = []
        with suppress(IndexError):
            while len(batch) < LARGEST_BATCH:
                batch.append(self._received.popleft())
        return batch

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._acks.extend(deliveries)
        if not self._call_on_io_thread(self._send_acks):
            self._forget(deliveries)

    # on the IO thread: health

    def _check_health(self) -> None:
        moment = time.monotonic()
        self._consume_if_possible()
        unavailable = self._processor.unavailable_since
        if self._probed_at is not None and moment - self._probed_at > PROBE_TIMEOUT:
            self._abort("the channel does not answer")
        elif self._backlog and not self._unacknowledged and self._consumer_tag and moment - self._received_at > STALLED_AFTER:
            self._abort("messages are ready and none is delivered")
        elif unavailable is not None and self._unacknowledged and moment - max(unavailable, self._opened_at or 0) > KEEP_AT_MOST:
            self._abort("returning what waits for Mongo")
        elif self._declared and self._probed_at is None and moment - self._answered_at > PROBE_EVERY:
            self._probe(moment)

    def _probe(self, moment: float) -> None:
        self._probed_at = moment
        self._channel.queue_declare(next(self._queues), passive=True)
        self._channel.queue_declare(queue_of(self._service), passive=True, callback=self._on_probe_answered)

    def _on_probe_answered(self, frame: Any) -> None:
        self._probed_at, self._answered_at, self._backlog = None, time.monotonic(), frame.method.message_count > 0

    def _on_connection_lost(self) -> None:
        self._generation += 1
        self._kept_by_broker.clear()
        self._reset()
        self._send_acks()

    def _reset(self) -> None:
        self._declared, self._consumer_tag, self._backlog = False, "", False
        self._probed_at = None
        self._answered_at = self._received_at = time.monotonic()
