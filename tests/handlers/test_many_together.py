"""Many messages in one transaction: each is handled as if it were alone."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient, monitoring

from shared.contracts import RequestWithdrawn
from shared.messages import Event
from shared.mongo import Db
from shared.runner import Gathering, GroupCommit, Job, Runner
from shared.service import Service
from shared.transaction import Keys


class Commands(monitoring.CommandListener):
    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


def count_up(message: str, db: Db) -> list[Event]:
    """message: counter's name; fails for those that are broken."""
    counter = db.counters.find_one({"_id": message}) or {"n": 0}
    db.counters.replace_one({"_id": message}, {"n": counter["n"] + 1}, upsert=True)
    if message.startswith("broken"):
        raise LookupError(message)
    return [RequestWithdrawn(request_id=message)]


def count_all_first(message: str, db: Db) -> list[Event]:
    """As `count_up`, and what it wrote has left when it fails."""
    db.counters.replace_one({"_id": message}, {"n": 1}, upsert=True)
    if db.counters.count_documents({}) and message.startswith("broken"):
        raise LookupError(message)
    return []


def job(name: str, key: str, handler: Any = count_up) -> Job:
    keys: Keys = {"counters": [name]}
    return Job(handler=handler, command=name, idempotency_key=key, prefetch=keys)


def counters(db: Db) -> dict[str, int]:
    return {row["_id"]: row["n"] for row in db.counters.find()}


def test_many_are_handled_in_order_and_see_what_those_before_them_wrote(intake: Service) -> None:
    results = intake.run_together([job("a", "1"), job("b", "2"), job("a", "3")])
    assert [result.events for result in results] == [[RequestWithdrawn(request_id=name)] for name in ("a", "b", "a")]
    assert counters(intake.db) == {"a": 2, "b": 1}
    assert [row["subject"] for row in intake.db.outbox.find().sort("$natural", 1)] == ["a", "b", "a"]


def test_one_that_fails_takes_back_its_own_writes_only(intake: Service) -> None:
    results = intake.run_together([job("a", "1"), job("broken", "2"), job("b", "3")])
    assert [type(result.error) for result in results] == [type(None), LookupError, type(None)]
    assert counters(intake.db) == {"a": 1, "b": 1}
    assert sorted(row["_id"] for row in intake.db.inbox.find()) == ["1", "3"]


def test_when_what_failed_has_left_already_nothing_of_all_is_done(intake: Service) -> None:
    with pytest.raises(RuntimeError):
        intake.run_together([job("a", "1"), job("broken", "2", count_all_first)])
    assert counters(intake.db) == {}
    assert intake.db.inbox.count_documents({}) == intake.db.outbox.count_documents({}) == 0


def test_those_that_were_handled_before_change_nothing_and_do_not_keep_the_others(intake: Service) -> None:
    intake.run(count_up, "a", idempotency_key="1")
    results = intake.run_together([job("a", "1"), job("b", "2"), job("b", "2")])
    assert [len(result.events) for result in results] == [0, 1, 0]
    assert counters(intake.db) == {"a": 1, "b": 1}


def test_what_was_handled_before_and_would_fail_now_changes_nothing_and_does_not_fail(intake: Service) -> None:
    intake.run(count_up, "a", idempotency_key="1")
    assert intake.run(count_up, "broken", idempotency_key="1") == []
    results = intake.run_together([job("broken", "1"), job("broken", "2")])
    assert [type(result.error) for result in results] == [type(None), LookupError]


def test_the_second_of_two_that_are_the_same_is_told_that_the_first_failed(intake: Service) -> None:
    results = intake.run_together([job("broken", "1"), job("broken", "1")])
    assert [type(result.error) for result in results] == [LookupError, LookupError]


def test_calls_after_the_commit_are_only_of_those_that_were_handled(intake: Service) -> None:
    called: list[str] = []

    def call_later(message: str, db: Db) -> list[Event]:
        intake.on_commit(lambda: called.append(message))
        return count_up(message, db)

    intake.run_together([job(name, name, call_later) for name in ("a", "broken", "b")])
    assert called == ["a", "b"]


def test_sixty_together_cost_as_many_commands_as_one(intake: Service, mongodb_uri: str) -> None:
    commands = Commands()
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb_uri, tz_aware=True, event_listeners=[commands])
    runner = Runner("intake", client.get_database(intake.db.name))
    runner.run_together([job("first", "first")])
    of_one = commands.names[:]
    commands.names.clear()
    runner.run_together([job(str(number), str(number)) for number in range(60)])
    assert sorted(commands.names) == sorted(of_one) == ["commitTransaction", "find", "insert", "insert", "update"]
    client.close()


def test_commands_that_come_at_the_same_time_share_a_transaction_and_each_gets_its_own_answer(intake: Service) -> None:
    runner = Runner("intake", intake.db)
    together, begin = GroupCommit(runner), threading.Barrier(8)

    def run(number: int) -> Any:
        begin.wait()
        name = "broken" if number == 3 else f"counter {number % 3}"
        try:
            return together.run(job(name, str(number)))
        except LookupError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(run, range(8)))
    assert isinstance(answers[3], LookupError)
    assert [len(answer) for number, answer in enumerate(answers) if number != 3] == [1] * 7
    assert counters(intake.db) == {"counter 0": 2, "counter 1": 3, "counter 2": 2}


def test_whoever_takes_batches_waits_for_more_in_a_busy_time_only() -> None:
    gathering = Gathering(timedelta(seconds=0.05))
    waits: list[bool] = []
    for count in (1, 2, 3, 1):
        begun = time.monotonic()
        gathering.wait()
        waits.append(time.monotonic() - begun >= 0.05)
        gathering.took(count)
    assert waits[3]
    never = Gathering(timedelta(hours=1))
    for _ in range(3):
        never.wait()
        never.took(1)


def test_what_cannot_be_run_together_is_run_by_each_alone(intake: Service) -> None:
    runner = Runner("intake", intake.db)
    together, begin = GroupCommit(runner), threading.Barrier(4)

    def run(number: int) -> Any:
        begin.wait()
        try:
            return together.run(job("broken" if number == 0 else f"counter {number}", str(number), count_all_first))
        except LookupError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(run, range(4)))
    assert isinstance(answers[0], LookupError)
    assert answers[1:] == [[], [], []]
    assert counters(intake.db) == {f"counter {number}": 1 for number in (1, 2, 3)}
