"""Leased work on threads, on a real MongoDB: nothing is done twice for a slow database, and nothing odd keeps the others."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import pytest

from shared.leased_work import DUE_NOW, MongoQueue, NotStarted
from shared.mongo import Db, Doc, connect
from shared.threaded_work import Claimed, ThreadedWork, TypedQueue

LEASE, HORIZON = timedelta(seconds=10), timedelta(hours=1)


@pytest.fixture
def db(mongodb_uri: str) -> Iterator[Db]:
    db = connect(mongodb_uri, f"threaded_work_{os.getpid()}")
    yield db
    db.client.drop_database(db.name)
    db.client.close()


@dataclass(frozen=True, kw_only=True)
class Number:
    id: str
    number: int


class Numbers(ThreadedWork[Number, int]):
    """Doubles the number of each document; a negative one cannot be worked on."""

    def __init__(self, db: Db) -> None:
        self.rows = db.numbers
        queue = TypedQueue(MongoQueue(db.numbers, lease=LEASE, horizon=HORIZON), Number, {"state": "unreadable"})
        super().__init__("numbers", queue, threads=2, longest=timedelta(seconds=60), together=4)
        self.prepared: list[int] = []
        self.may_prepare = threading.Event()
        self.may_prepare.set()

    def prepare(self, items: list[Claimed[Number]]) -> list[Callable[[], int]]:
        assert self.may_prepare.wait(20)
        self.prepared.append(len(items))
        if any(claimed.item.number == 0 for claimed in items):
            raise LookupError("nobody can prepare these")
        return [partial(self._double, claimed.item.number) for claimed in items]

    def _double(self, number: int) -> int:
        if number < 0:
            raise LookupError(number)
        return 2 * number

    def record_outcomes(self, finished: list[tuple[Claimed[Number], int]]) -> None:
        for claimed, outcome in finished:
            self.rows.update_one({"_id": claimed.lease.id}, {"$set": {"doubled": outcome}, "$unset": {"next_at": 1}})

    def do(self, items: list[Claimed[Number]]) -> list[tuple[Claimed[Number], int | BaseException]]:
        futures = self.start(items)
        wait(futures, 20)
        return [(item, future.exception() or future.result()) for item, future in zip(items, futures, strict=True)]


@pytest.fixture
def work(db: Db) -> Iterator[Numbers]:
    work = Numbers(db)
    yield work
    work.close()


def add(db: Db, **documents: Doc) -> None:
    db.numbers.insert_many([{"_id": id, "next_at": DUE_NOW, **document} for id, document in documents.items()])


def end_leases(db: Db) -> None:
    db.numbers.update_many({"next_at": {"$exists": True}}, {"$set": {"next_at": DUE_NOW}})


def test_what_is_done_is_recorded_and_no_work_any_more(db: Db, work: Numbers) -> None:
    add(db, a={"number": 1}, b={"number": 2})
    work.record(work.do(work.claim(5)))
    assert {row["_id"]: row["doubled"] for row in db.numbers.find()} == {"a": 2, "b": 4}
    assert work.claim(5) == []


def test_what_is_done_and_not_recorded_yet_is_not_claimed_again_by_the_same_worker(db: Db, work: Numbers) -> None:
    add(db, a={"number": 1})
    finished = work.do(work.claim(5))
    end_leases(db)
    assert work.claim(5) == []
    work.record(finished)
    assert (db.numbers.find_one() or {})["doubled"] == 2


def test_what_is_done_is_not_claimed_although_another_lease_of_the_same_was_given_back(db: Db, work: Numbers) -> None:
    add(db, a={"number": 1})
    [first] = work.claim(5)
    second = replace(first, lease=first.lease._replace(token="of the same process"))
    finished, again = work.do([first]), work.do([second])
    work.record([(claimed, NotStarted()) for claimed, _ in again])
    end_leases(db)
    assert work.claim(5) == []
    work.record(finished)


def test_work_that_raises_is_due_again_and_its_attempt_is_given_back(db: Db, work: Numbers) -> None:
    add(db, odd={"number": -1}, a={"number": 1})
    work.record(work.do(work.claim(5)))
    assert (db.numbers.find_one({"_id": "odd"}) or {})["attempts"] == 0
    assert [claimed.lease.id for claimed in work.claim(5)] == ["odd"]


def test_a_document_that_cannot_be_read_fails_alone(db: Db, work: Numbers) -> None:
    add(db, odd={"name": "seven"}, a={"number": 1})
    assert [claimed.item.number for claimed in work.claim(5)] == [1]
    assert (db.numbers.find_one({"_id": "odd"}) or {})["state"] == "unreadable"
    assert db.numbers.count_documents({"_id": "odd", "next_at": {"$exists": True}}) == 0


def test_what_waits_is_prepared_together_and_all_of_it_is_done(db: Db, work: Numbers) -> None:
    add(db, **{f"n{number}": {"number": number} for number in range(1, 101)})
    work.may_prepare.clear()
    claimed = work.claim(100)
    futures = [future for start in range(0, 100, 7) for future in work.start(claimed[start : start + 7])]
    work.may_prepare.set()
    wait(futures, 20)
    assert sorted(future.result(0) for future in futures) == [2 * number for number in range(1, 101)]
    assert sum(work.prepared) == 100
    assert len(work.prepared) < 50
    assert max(work.prepared) == 4


def test_what_cannot_be_prepared_is_due_again_and_keeps_no_other(db: Db, work: Numbers) -> None:
    add(db, odd={"number": 0})
    work.record(work.do(work.claim(5)))
    assert [claimed.lease.id for claimed in work.claim(5)] == ["odd"]
    add(db, a={"number": 1})
    work.record(work.do(work.claim(5)))
    assert (db.numbers.find_one({"_id": "a"}) or {})["doubled"] == 2


def test_what_has_not_begun_when_the_threads_are_closed_ends_without_outcome(db: Db, work: Numbers) -> None:
    add(db, **{f"n{number}": {"number": number} for number in range(1, 21)})
    work.may_prepare.clear()
    futures = work.start(work.claim(20))
    work.close()
    assert sum(future.cancelled() for future in futures) >= 12
    work.may_prepare.set()
