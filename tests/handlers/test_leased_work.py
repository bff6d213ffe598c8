"""The loop for leased work and its queue, on a real MongoDB: every item is worked on once, and none is forgotten."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import IndexModel
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from shared.backoff import delay
from shared.heartbeat import Heartbeat
from shared.leased_work import DUE_NOW, LeasedWorker, MongoQueue, NotStarted, lease_of
from shared.mongo import Db, Doc, Rows, connect, make_indexes
from tests.eventually import eventually, never

LEASE = timedelta(seconds=10)
SHORT = timedelta(seconds=4)
HORIZON = timedelta(hours=1)


@pytest.fixture
def db(mongodb_uri: str) -> Iterator[Db]:
    db = connect(mongodb_uri, f"leased_work_{os.getpid()}")
    make_indexes(db, {"jobs": [IndexModel("next_at", partialFilterExpression={"next_at": {"$exists": True}})]})
    yield db
    db.client.drop_database(db.name)
    db.client.close()


@pytest.fixture
def jobs(db: Db) -> Rows:
    return db.get_collection("jobs", read_concern=ReadConcern("local"))  # a majority read may be some milliseconds behind


def add(jobs: Rows, *ids: str, next_at: datetime = DUE_NOW) -> None:
    jobs.insert_many([{"_id": id, "next_at": next_at} for id in ids])


def queue_on(jobs: Rows, lease: timedelta = LEASE, **more: Any) -> MongoQueue:
    return MongoQueue(jobs, lease=lease, horizon=HORIZON, **more)


def let_leases_end(jobs: Rows) -> None:
    jobs.update_many({"next_at": {"$exists": True}}, {"$set": {"next_at": datetime.now(UTC) - timedelta(seconds=1)}})


# the queue


def test_each_of_many_items_goes_to_one_of_many_claimers(jobs: Rows) -> None:
    add(jobs, *(f"j{number}" for number in range(400)))

    def claim_all(queue: MongoQueue) -> list[str]:
        claimed: list[str] = []
        while jobs.find_one({"attempts": None}):
            claimed += [job["_id"] for job in queue.claim(25)]
        return claimed

    with ThreadPoolExecutor(4) as pool:
        claimed = [job for batch in pool.map(claim_all, [queue_on(jobs) for _ in range(4)]) for job in batch]
    assert sorted(claimed) == sorted(f"j{number}" for number in range(400))
    assert jobs.distinct("attempts") == [1]


def test_claiming_again_and_again_never_returns_an_item_of_an_earlier_round(jobs: Rows) -> None:
    """A majority read still shows what the round before has claimed with w=1."""
    queue = queue_on(jobs)
    add(jobs, *(f"j{number}" for number in range(300)))
    rounds = [{job["_id"] for job in queue.claim(10)} for _ in range(60)]
    assert sum(map(len, rounds)) == len(set().union(*rounds))


def test_a_claimed_item_is_left_alone_until_its_lease_ends(jobs: Rows) -> None:
    add(jobs, "j")
    assert [job["attempts"] for job in queue_on(jobs).claim(5)] == [1]
    assert queue_on(jobs).claim(5) == []
    let_leases_end(jobs)
    assert [job["attempts"] for job in queue_on(jobs).claim(5)] == [2]


def test_an_item_written_by_a_clock_two_hours_ahead_is_due_at_once(jobs: Rows) -> None:
    add(jobs, "j", next_at=datetime.now(UTC) + timedelta(hours=2))
    assert [job["_id"] for job in queue_on(jobs).claim(5)] == ["j"]


def test_an_item_is_due_by_the_servers_clock_and_the_apps_offset(jobs: Rows) -> None:
    add(jobs, "j", next_at=datetime.now(UTC) + timedelta(minutes=30))
    assert queue_on(jobs).claim(5) == []
    assert [job["_id"] for job in queue_on(jobs, clock_offset=lambda: timedelta(minutes=31)).claim(5)] == ["j"]


def test_only_items_that_match_are_claimed(jobs: Rows) -> None:
    jobs.insert_many([{"_id": channel, "channel": channel, "next_at": DUE_NOW} for channel in ("email", "text")])
    assert [job["_id"] for job in queue_on(jobs, where={"channel": "text"}).claim(5)] == ["text"]


def test_only_the_holder_of_a_lease_renews_reschedules_or_releases_it(jobs: Rows) -> None:
    add(jobs, "j")
    queue = queue_on(jobs)
    [earlier] = queue.claim(1)
    let_leases_end(jobs)
    [held] = queue.claim(1)
    before = jobs.find_one({"_id": "j"})
    queue.renew([lease_of(earlier)])
    queue.reschedule([lease_of(earlier)], after=timedelta())
    queue.release([lease_of(earlier)])
    assert jobs.find_one({"_id": "j"}) == before
    queue.release([lease_of(held)])
    assert [job["attempts"] for job in queue.claim(1)] == [2]  # the attempt was given back


def test_a_rescheduled_item_waits(jobs: Rows) -> None:
    add(jobs, "j", "k")
    queue = queue_on(jobs)
    claimed = {job["_id"]: job for job in queue.claim(2)}
    queue.reschedule([lease_of(claimed["j"])], after=timedelta(minutes=5))
    queue.reschedule([lease_of(claimed["k"])], at=datetime.now(UTC) + timedelta(minutes=5))
    assert queue.claim(2) == []
    let_leases_end(jobs)
    assert len(queue.claim(2)) == 2


def test_a_finished_item_is_no_work_any_more(jobs: Rows) -> None:
    add(jobs, "j")
    queue = queue_on(jobs)
    queue.claim(1)
    queue.finish(["j"], {"sent_at": "$$NOW", "state": "sent"})
    job = jobs.find_one({"_id": "j"}) or {}
    assert job.keys() == {"_id", "attempts", "sent_at", "state"}
    assert abs(job["sent_at"] - datetime.now(UTC)) < timedelta(minutes=1)


def test_after_a_failed_claim_leases_that_ran_out_are_left_to_their_holders_for_one_lease(jobs: Rows) -> None:
    add(jobs, "held")
    holder, other = queue_on(jobs), queue_on(jobs, SHORT)
    [held] = holder.claim(1)
    let_leases_end(jobs)
    with failing(jobs, "jobs"), pytest.raises(PyMongoError):
        other.claim(5)
    add(jobs, "never claimed")
    assert [job["_id"] for job in other.claim(5)] == ["never claimed"]
    holder.renew([lease_of(held)])
    assert jobs.count_documents({"_id": "held", "next_at": {"$gt": datetime.now(UTC)}}) == 1, "its holder still has it"
    let_leases_end(jobs)
    assert eventually(lambda: {job["_id"] for job in other.claim(5)} >= {"held"})


def test_looking_for_due_items_reads_none_that_wait(jobs: Rows) -> None:
    add(jobs, *(f"w{number}" for number in range(500)), next_at=datetime.now(UTC) + timedelta(minutes=30))
    add(jobs, "due")
    explained = jobs.find(queue_on(jobs)._due()).sort("next_at", 1).limit(10).explain()
    assert explained["executionStats"]["totalDocsExamined"] <= 1


# the loop


class Jobs:
    """Work on the collection `jobs`. What happens to an item stands in its id."""

    name = "jobs"

    def __init__(self, jobs: Rows, lease: timedelta = SHORT) -> None:
        self.jobs, self.queue = jobs, queue_on(jobs, lease)
        self.pool = ThreadPoolExecutor(4)
        self.started: list[str] = []
        self.claiming = self.finish = self.is_ready = True
        self.go_on, self.hangs = threading.Event(), threading.Event()
        self.go_on.set()
        self.renewed = self.failed_claims = self.claims = self.writes = 0

    def ready(self) -> bool:
        if self.hangs.is_set():
            self.go_on.wait()
        return self.is_ready

    def claim(self, limit: int) -> list[Doc]:
        self.claims += 1
        try:
            return self.queue.claim(limit)
        except PyMongoError:
            self.failed_claims += 1
            raise

    def start(self, items: list[Doc]) -> list[Future[str]]:
        return [self.pool.submit(self._work, item["_id"]) for item in items]

    def _work(self, id: str) -> str:
        self.started.append(id)
        self.go_on.wait(60)
        if id.startswith("raises"):
            raise LookupError(id)
        return f"worked on {id}"

    def renew(self, items: list[Doc]) -> None:
        self.renewed += len(items)
        self.queue.renew([lease_of(item) for item in items])

    def record(self, finished: list[tuple[Doc, str | BaseException]]) -> None:
        self.writes += 1
        for item, outcome in finished:
            if isinstance(outcome, NotStarted):
                self.queue.release([lease_of(item)])
            elif item["_id"] == "cannot be recorded":
                raise ValueError(item["_id"])
            else:
                told = type(outcome).__name__ if isinstance(outcome, BaseException) else outcome
                self.jobs.database.outcomes.update_one({"_id": item["_id"]}, {"$set": {"outcome": told}}, upsert=True)
                self.queue.finish([item["_id"]], {})

    def outcomes(self) -> dict[str, str]:
        return {row["_id"]: row["outcome"] for row in self.jobs.database.outcomes.find()}


@contextmanager
def running(work: Jobs, **more: Any) -> Iterator[LeasedWorker[Doc, str]]:
    worker = LeasedWorker[Doc, str](work, **{"capacity": 8, "lease": SHORT, "poll": timedelta(seconds=0.05), **more})
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    yield worker
    work.go_on.set()
    stop.set()
    worker.wake_up.wake()
    thread.join(30)
    work.pool.shutdown(wait=False)


def test_every_due_item_is_worked_on_and_recorded(jobs: Rows) -> None:
    add(jobs, *(f"j{number}" for number in range(50)))
    work = Jobs(jobs, LEASE)
    with running(work, lease=LEASE):
        assert eventually(lambda: len(work.outcomes()) == 50)
    assert sorted(work.started) == sorted(f"j{number}" for number in range(50))


def test_an_item_whose_work_raises_is_recorded_with_the_error_and_the_loop_goes_on(jobs: Rows) -> None:
    add(jobs, "raises", "j")
    with running(work := Jobs(jobs)):
        assert eventually(lambda: work.outcomes() == {"raises": "LookupError", "j": "worked on j"})
        add(jobs, "k")
        assert eventually(lambda: "k" in work.outcomes())


def test_an_outcome_that_cannot_be_recorded_does_not_hold_up_the_others(jobs: Rows) -> None:
    add(jobs, "cannot be recorded", "j", "k")
    with running(work := Jobs(jobs), record_within=timedelta(seconds=0.2)) as worker:
        assert eventually(lambda: work.outcomes().keys() >= {"j", "k"})
        assert eventually(lambda: work.started.count("cannot be recorded") >= 2), "it is due again when its lease ends"
        assert worker.alive()


def test_the_lease_of_slow_work_is_renewed_so_that_nobody_else_claims_it(jobs: Rows) -> None:
    add(jobs, "slow")
    work, other = Jobs(jobs), Jobs(jobs)
    work.go_on.clear()
    with running(work):
        assert eventually(lambda: work.started == ["slow"])
        with running(other):
            assert eventually(lambda: work.renewed >= 4)
        assert other.started == []
        work.go_on.set()
        assert eventually(lambda: "slow" in work.outcomes())


@contextmanager
def failing(jobs: Rows, *collections: str) -> Iterator[None]:
    """The server refuses to write into this collection, as it does without a primary; or into any, if there are several."""
    namespace = {"namespace": f"{jobs.database.name}.{collections[0]}"} if len(collections) == 1 else {}
    data = {"failCommands": ["update"], "errorCode": 10107, **namespace}
    jobs.database.client.admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})
    try:
        yield
    finally:
        jobs.database.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def test_outcomes_are_kept_until_they_are_recorded_and_their_leases_renewed_meanwhile(jobs: Rows) -> None:
    work, other = Jobs(jobs), Jobs(jobs)
    with failing(jobs, "outcomes"), running(work):
        add(jobs, "j", "k")
        assert eventually(lambda: work.renewed >= 2)
        with running(other):
            assert eventually(lambda: work.renewed >= 6)
        assert (sorted(work.started), other.started, work.outcomes()) == (["j", "k"], [], {})
        jobs.database.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        assert eventually(lambda: sorted(work.outcomes()) == ["j", "k"])
    assert sorted(work.started) == ["j", "k"]


def test_what_was_done_before_the_database_went_away_for_longer_than_a_lease_is_done_once(jobs: Rows) -> None:
    add(jobs, "j")
    work, other = Jobs(jobs), Jobs(jobs)
    work.go_on.clear()
    with running(work):
        assert eventually(lambda: work.started == ["j"])
        with failing(jobs, "jobs", "outcomes"), running(other):
            work.go_on.set()
            assert eventually(lambda: other.failed_claims >= 2)
            jobs.database.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
            assert eventually(lambda: "next_at" not in (jobs.find_one({"_id": "j"}) or {}))
    assert (work.started, other.started) == (["j"], [])


def test_while_the_work_is_not_ready_nothing_is_claimed(jobs: Rows) -> None:
    add(jobs, "j")
    work = Jobs(jobs)
    work.is_ready = False
    with running(work) as worker:
        assert never(lambda: work.started, 0.5)
        worker.submit([{"_id": "k", "claim": "t"}])
        assert never(lambda: work.started, 0.2)
        work.is_ready = True
        assert eventually(lambda: "j" in work.outcomes())
    assert work.started == ["j"]


def test_items_that_this_process_wrote_with_a_lease_start_without_a_look_at_the_database(jobs: Rows) -> None:
    work = Jobs(jobs, LEASE)
    written = {"_id": "j", **work.queue.written_lease("token")}
    jobs.insert_one(dict(written))
    assert queue_on(jobs).claim(5) == [], "others leave it to its writer"
    with running(work, lease=LEASE) as worker:
        worker.submit([written])
        assert eventually(lambda: work.outcomes() == {"j": "worked on j"})
    assert work.started == ["j"]


def test_what_is_done_within_a_short_time_is_recorded_together_and_without_a_look_for_more(jobs: Rows) -> None:
    work = Jobs(jobs, LEASE)
    written = [{"_id": f"j{number}", **work.queue.written_lease("token")} for number in range(20)]
    jobs.insert_many([dict(each) for each in written])
    within = timedelta(seconds=1)
    with running(work, lease=LEASE, capacity=100, poll=timedelta(seconds=60), record_within=within) as worker:
        assert eventually(lambda: work.claims == 1)
        for each in written:
            worker.submit([each])
        assert eventually(lambda: len(work.outcomes()) == 20)
        worker.submit([])
        assert work.claims <= 3, "one look each quarter of a lease"
    assert work.writes < 20


def test_one_outcome_is_recorded_within_the_short_time_although_nothing_else_happens(jobs: Rows) -> None:
    hours = timedelta(hours=9)
    work = Jobs(jobs, hours)
    with running(work, lease=hours, capacity=100, poll=hours, record_within=timedelta(seconds=0.1)) as worker:
        assert eventually(lambda: work.claims == 1)
        for name in ("j", "k"):
            written = {"_id": name, **work.queue.written_lease("token")}
            jobs.insert_one(dict(written))
            worker.submit([written])
            assert eventually(lambda id=name: id in work.outcomes())
        assert work.claims == 1


def test_there_is_room_until_the_capacity_is_reached_and_none_in_one_that_stops(jobs: Rows) -> None:
    work = Jobs(jobs, LEASE)
    work.go_on.clear()
    with running(work, lease=LEASE, capacity=1) as worker:
        assert worker.can_take()
        written = {"_id": "j", **work.queue.written_lease("token")}
        jobs.insert_one(dict(written))
        worker.submit([written])
        assert not worker.can_take()
        work.go_on.set()
        assert eventually(worker.can_take)
        work.is_ready = False
        assert not worker.can_take()
        work.is_ready = True
    assert not worker.can_take()


def test_what_finds_no_room_is_released_for_whoever_has_some(jobs: Rows) -> None:
    work = Jobs(jobs, LEASE)
    work.go_on.clear()
    written = [{"_id": f"j{number}", **work.queue.written_lease("token")} for number in range(5)]
    jobs.insert_many([dict(each) for each in written])
    with running(work, lease=LEASE, capacity=2) as worker:
        worker.submit(written)
        elsewhere: set[str] = set()  # they are released one after the other, so a claim may find the first of them alone

        def all_are_claimed() -> bool:
            elsewhere.update(job["_id"] for job in queue_on(jobs).claim(5))
            return len(elsewhere) == 3

        assert eventually(all_are_claimed)
    assert elsewhere.isdisjoint(work.started)


def test_a_worker_that_is_told_to_stop_records_what_it_has_begun(jobs: Rows) -> None:
    add(jobs, "j")
    work = Jobs(jobs)
    work.go_on.clear()
    with running(work):
        assert eventually(lambda: work.started == ["j"])
    assert work.outcomes() == {"j": "worked on j"}


def test_a_loop_that_hangs_is_not_alive(jobs: Rows) -> None:
    work = Jobs(jobs)
    with running(work, heartbeat_limit=timedelta(seconds=1)) as worker:
        assert eventually(worker.alive)
        work.go_on.clear()
        work.hangs.set()
        assert eventually(lambda: not worker.alive())


# heartbeat and backoff


def test_a_heartbeat_ends_with_its_thread_unless_the_loop_was_told_to_stop() -> None:
    heartbeat = Heartbeat(timedelta(hours=1))
    assert heartbeat.alive()
    thread = threading.Thread(target=heartbeat.beat)
    thread.start()
    thread.join()
    assert not heartbeat.alive()
    heartbeat.stop()
    assert heartbeat.alive()


def test_each_failure_waits_longer_up_to_a_limit_and_never_less_than_half() -> None:
    for attempt, full in [(0, 1), (1, 1), (2, 2), (4, 8), (7, 60), (5000, 60)]:
        waits = [delay(attempt, base=timedelta(seconds=1), longest=timedelta(seconds=60)).total_seconds() for _ in range(50)]
        assert full / 2 <= min(waits) <= max(waits) <= full
