"""Leased work that a few threads do, one item each. A service adds what is done for each item, and what its outcome changes.

A service defines a TypedQueue in its store and a subclass of ThreadedWork, and runs that with a LeasedWorker.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from pymongo.errors import PyMongoError

from shared.documents import load_each
from shared.leased_work import Lease, MongoQueue, lease_of
from shared.mongo import Doc

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
T = TypeVar("T")


@dataclass(frozen=True)
class Claimed(Generic[Item]):
    item: Item
    lease: Lease


class TypedQueue(Generic[Item]):
    """A MongoQueue of typed items. A document that cannot be read as `cls` fails alone: it gets the fields `unreadable` and is no
    work any more, so that it cannot keep the others."""

    def __init__(self, queue: MongoQueue, cls: type[Item], unreadable: Mapping[str, Any]) -> None:
        self._queue, self._cls, self._unreadable = queue, cls, unreadable

    def claim(self, limit: int) -> list[Claimed[Item]]:
        claimed = [self._claimed(document) for document in self._queue.claim(limit)]
        return [one for one in claimed if one]

    def renew(self, leases: Sequence[Lease]) -> None:
        self._queue.renew(leases)

    def release(self, leases: Sequence[Lease]) -> None:
        self._queue.release(leases)

    def _claimed(self, document: Doc) -> Claimed[Item] | None:
        for item in load_each(self._cls, [document]):
            return Claimed(item, lease_of(document))
        self._queue.finish([document["_id"]], self._unreadable)
        return None


class ThreadedWork(ABC, Generic[Item, Outcome]):
    """See LeasedWork. `longest`: no healthy call of `work_on` takes longer. `together`: that many items that wait are prepared
    by one thread at once."""

    def __init__(self, name: str, queue: TypedQueue[Item], *, threads: int, longest: timedelta, together: int = 1) -> None:
        self.name = name
        self._queue = queue
        self._busy = BusyThreads(threads, longest)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._together = together
        self._waiting: deque[tuple[Claimed[Item], Future[Outcome]]] = deque()
        self._prepared: deque[tuple[Callable[[], Outcome], Future[Outcome]]] = deque()
        self._unrecorded: set[Lease] = set()

    @abstractmethod
    def prepare(self, items: list[Claimed[Item]]) -> Sequence[Callable[[], Outcome]]:
        """What can be done for many at once, in one of the threads; and for each of them what is left to do, which any thread
        then calls. Whatever either raises means that nothing was done: the item is due again at once."""

    @abstractmethod
    def record_outcomes(self, finished: list[tuple[Claimed[Item], Outcome]]) -> None:
        """Idempotent; called again after a PyMongoError."""

    def ready(self) -> bool:
        return True

    def alive(self) -> bool:
        """False: every thread has been at its item for longer than any healthy one takes."""
        return self._busy.any_progress()

    def claim(self, limit: int) -> list[Claimed[Item]]:
        # After a time without database this process may claim what it has already done and not yet recorded.
        claimed, unrecorded = self._queue.claim(limit), {lease.id for lease in tuple(self._unrecorded)}
        return [one for one in claimed if one.lease.id not in unrecorded]

    def start(self, items: list[Claimed[Item]]) -> list[Future[Outcome]]:
        self._unrecorded.update(claimed.lease for claimed in items)
        futures: list[Future[Outcome]] = [Future() for _ in items]
        self._waiting.extend(zip(items, futures, strict=True))
        self._call_threads(-(-len(items) // self._together))
        return futures

    def renew(self, items: list[Claimed[Item]]) -> None:
        self._queue.renew([claimed.lease for claimed in items])

    def record(self, finished: list[tuple[Claimed[Item], Outcome | BaseException]]) -> None:
        try:
            self._queue.release([claimed.lease for claimed, outcome in finished if isinstance(outcome, BaseException)])
            self.record_outcomes([(claimed, done) for claimed, done in finished if not isinstance(done, BaseException)])
        except PyMongoError:
            raise  # and called again: until then these are not to be done again
        except Exception:
            self._forget(finished)
            raise
        self._forget(finished)

    def close(self) -> None:
        """Waits for nobody: what is not finished is due again for others when its lease ends."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        for _, future in (*_taken_from(self._prepared), *_taken_from(self._waiting)):
            future.cancel()

    def _call_threads(self, count: int) -> None:
        with suppress(RuntimeError):  # closed meanwhile
            for _ in range(count):
                self._executor.submit(self._work)

    def _work(self) -> None:
        """One item; when none is prepared, those that wait are prepared first. Such a call is under way for each item that is
        prepared, and for each `together` that wait."""
        with self._busy:
            while not (prepared := list(_taken_from(self._prepared, 1))) and self._prepare_waiting():
                pass  # another thread may have been quicker
            for rest, future in prepared:
                _end_with(future, rest)

    def _prepare_waiting(self) -> bool:
        taken = list(_taken_from(self._waiting, self._together))
        rests = self._rests_of([claimed for claimed, _ in taken])
        self._prepared.extend((rest, future) for rest, (_, future) in zip(rests, taken, strict=True))
        self._call_threads(len(taken) - 1)
        return bool(taken)

    def _rests_of(self, items: list[Claimed[Item]]) -> Sequence[Callable[[], Outcome]]:
        try:
            return self.prepare(items) if items else []
        except Exception as error:
            return [partial(_raise, error)] * len(items)

    def _forget(self, finished: list[tuple[Claimed[Item], Outcome | BaseException]]) -> None:
        self._unrecorded.difference_update(claimed.lease for claimed, _ in finished)


def _taken_from(queue: deque[T], count: int | None = None) -> Iterator[T]:
    """Up to `count` of them, each to one thread alone."""
    with suppress(IndexError):
        for _ in range(len(queue) if count is None else count):
            yield queue.popleft()


def _end_with(future: Future[Outcome], rest: Callable[[], Outcome]) -> None:
    try:
        future.set_result(rest())
    except BaseException as error:
        future.set_exception(error)


def _raise(error: Exception) -> Any:
    raise error


class BusyThreads:
    """Since when each thread has been at its item."""

    def __init__(self, count: int, longest: timedelta) -> None:
        self._count, self._longest = count, longest.total_seconds()
        self._begun: dict[int, float] = {}

    def __enter__(self) -> None:
        self._begun[threading.get_ident()] = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._begun.pop(threading.get_ident(), None)

    def any_progress(self) -> bool:
        stuck = [begun for begun in list(self._begun.values()) if time.monotonic() - begun > self._longest]
        return len(stuck) < self._count
