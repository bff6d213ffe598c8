"""Outbox to broker: a message is marked sent only after the broker confirmed it.

What a process writes it publishes from memory, right after the commit. Everything else - of a process that died, while the broker
was away, or too much at once - is claimed from the outbox by a worker.
"""

import uuid
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

from shared import outbox
from shared.backoff import delay
from shared.bus.publisher import BrokerUnavailable, OutgoingMessage, Publisher
from shared.bus.topology import EVENTS
from shared.leased_work import LeasedWorker, MongoQueue, NotStarted
from shared.logs import get_logger
from shared.mongo import Db
from shared.outbox import OutboxMessage

CAPACITY = 500
LEASE = timedelta(seconds=10)
RECORD_WITHIN = timedelta(seconds=1)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)
HORIZON = timedelta(minutes=2)
"""No right clock writes a later `next_at`: the longest are a lease and a pause."""
UNAVAILABLE = (BrokerUnavailable, TimeoutError, NotStarted)
Finished = list[tuple[OutboxMessage, BaseException | None]]
log = get_logger("bus.relay")


class OutboxWork:
    """Publishing as leased work: the outcome of a message is None when the broker confirmed it."""

    name = "outbox relay"

    def __init__(self, db: Db, publisher: Publisher) -> None:
        self._queue, self._publisher = MongoQueue(db.outbox, lease=LEASE, horizon=HORIZON), publisher

    def written_lease(self) -> dict[str, Any]:
        return self._queue.written_lease(str(uuid.uuid4()))

    def ready(self) -> bool:
        return self._publisher.ready() and self._publisher.alive()

    def claim(self, limit: int) -> list[OutboxMessage]:
        return [outbox.from_document(document) for document in self._queue.claim(limit)]

    def start(self, items: list[OutboxMessage]) -> list[Future[None]]:
        return self._publisher.publish_all([_outgoing(message) for message in items])

    def renew(self, items: list[OutboxMessage]) -> None:
        self._queue.renew([message.lease for message in items])

    def record(self, finished: Finished) -> None:
        self._mark_confirmed([message for message, error in finished if error is None])
        self._release([message for message, error in finished if isinstance(error, UNAVAILABLE)])
        for message, error in finished:
            if error is not None and not isinstance(error, UNAVAILABLE):
                self._reschedule(message, error)

    def _mark_confirmed(self, messages: list[OutboxMessage]) -> None:
        self._queue.finish([message.id for message in messages], {"sent_at": "$$NOW"})

    def _release(self, messages: list[OutboxMessage]) -> None:
        """Due at once: the relay waits for the broker, not the message."""
        self._queue.release([message.lease for message in messages])

    def _reschedule(self, message: OutboxMessage, error: BaseException) -> None:
        log.error(
            "the broker did not take an event",
            extra={
                "event_id": message.id,
                "event_type": message.event_type,
                "reason": type(error).__name__,
                "attempt": message.attempts,
            },
        )
        self._queue.reschedule([message.lease], after=delay(message.attempts, base=SHORTEST_PAUSE, longest=LONGEST_PAUSE))


class OwnWork(OutboxWork):
    """Only what this process submits."""

    def claim(self, limit: int) -> list[OutboxMessage]:
        return []

    def renew(self, items: list[OutboxMessage]) -> None:
        """Not for a publisher that hangs: nobody restarts a web process for it, so its messages are left to a worker."""
        if self._publisher.alive():
            super().renew(items)


class Relay(LeasedWorker[OutboxMessage, None]):
    """`claims`: also what other processes left."""

    def __init__(self, db: Db, publisher: Publisher, *, claims: bool = True) -> None:
        self._outbox = (OutboxWork if claims else OwnWork)(db, publisher)
        super().__init__(self._outbox, capacity=CAPACITY, lease=LEASE, record_within=RECORD_WITHIN)
        self._collection = db.outbox

    def watch(self) -> None:
        """Wake up when another process writes a message."""
        self.wake_up.watch(self._collection, {"attempts": 0})

    def written_lease(self) -> dict[str, Any]:
        """Without a connection to the broker there is none: whoever has one may claim the message at once."""
        return self._outbox.written_lease() if self.can_take() else {}

    def submit(self, items: list[OutboxMessage]) -> None:
        super().submit([message for message in items if message.claim])


def _outgoing(message: OutboxMessage) -> OutgoingMessage:
    return OutgoingMessage(EVENTS, message.event_type, message.body.encode(), message.id, message.event_type)
