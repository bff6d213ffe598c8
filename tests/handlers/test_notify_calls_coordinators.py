"""The desk calls coordinators at once, and then no more than once in four hours, as long as something new comes."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from services.notify.domain import DESK_CALL_GAP
from services.notify.handlers.outcomes import GiveUp, give_up
from services.notify.handlers.requests import enqueue_coordinator_call
from shared.clock import now
from shared.contracts import CoordinatorNeeded
from shared.messages import make_envelope
from shared.mongo import Db, Doc
from shared.runner import Job
from shared.service import Service
from tests.delivery import delivering_email, end_leases, notify_settings
from tests.eventually import eventually
from tests.mailbox import Mailbox, a_mailbox, words_of
from tests.receivers import a_coordinator, encrypted_for_notify, record_contact

RO, DARA = "ro@example.org", "dara@example.org"


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(a_coordinator(notify, "ro"), notify.db)
    return notify.db


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with a_mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def sending(notify: Service, keys: Path, mailbox: Mailbox) -> Iterator[None]:
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        yield


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(os.environ, "CLOCK_FILE", str(tmp_path / "clock"))
    return tmp_path / "clock"


def it_is_later_by(clock: Path, by: timedelta) -> None:
    clock.write_text(str(by.total_seconds()))


def a_task(number: int = 1, **facts: Any) -> CoordinatorNeeded:
    usual: dict[str, Any] = {"supportee_id": "wren", "reason": "asks_first", "reaching_out": False, "version": 2}
    return CoordinatorNeeded(**{"request_id": f"r{number}", **usual, **facts})


def tasks_come(notify: Service, *numbers: int) -> None:
    for number in numbers:
        notify.run(enqueue_coordinator_call, a_task(number))


def calls(db: Db, person: str = "ro", channel: str = "email") -> list[Doc]:
    return list(db.notifications.find({"template": "reach_out", "person_id": person, "channel": channel}).sort("created_at", 1))


def test_the_email_says_the_hours_that_the_rule_has() -> None:
    assert timedelta(hours=4) == DESK_CALL_GAP


@pytest.mark.usefixtures("sending")
def test_ten_tasks_in_a_minute_are_one_email_now_and_one_in_four_hours(
    notify: Service, db: Db, mailbox: Mailbox, clock: Path
) -> None:
    tasks_come(notify, 1)
    [first] = mailbox.wait_for(RO)
    for number in range(2, 11):
        it_is_later_by(clock, timedelta(seconds=6 * (number - 1)))
        tasks_come(notify, number)
    [_, gathered] = calls(db)
    it_is_later_by(clock, timedelta(hours=3, minutes=59))
    assert len(calls(db)) == 2
    assert gathered["state"] == "pending"
    assert gathered["next_at"] > now()
    it_is_later_by(clock, DESK_CALL_GAP + timedelta(seconds=1))
    [_, second] = mailbox.wait_for(RO, 2)
    assert "Something on the desk needs a person. It may be more than one thing" in words_of(first)
    assert "something new has come to the desk that needs a person. It may be more than one thing" in words_of(second)
    assert timedelta(hours=3, minutes=59) < _date(second) - _date(first) <= DESK_CALL_GAP + timedelta(minutes=1)
    it_is_later_by(clock, 3 * DESK_CALL_GAP)
    eventually(lambda: db.notifications.count_documents({"state": "accepted"}) == 2)
    assert db.notifications.count_documents({"state": "pending"}) == 0
    assert len(mailbox.to(RO)) == 2


def _date(mail: Any) -> datetime:
    return parsedate_to_datetime(str(mail["Date"]))


@pytest.mark.usefixtures("db", "sending")
def test_after_four_quiet_hours_the_next_task_calls_at_once(notify: Service, mailbox: Mailbox, clock: Path) -> None:
    tasks_come(notify, 1)
    mailbox.wait_for(RO)
    it_is_later_by(clock, DESK_CALL_GAP)
    tasks_come(notify, 2)
    assert "Something on the desk" in words_of(mailbox.wait_for(RO, 2)[1])


@pytest.mark.usefixtures("sending")
def test_what_comes_after_the_gathered_email_waits_four_hours_from_that_one(
    notify: Service, db: Db, mailbox: Mailbox, clock: Path
) -> None:
    tasks_come(notify, 1)
    mailbox.wait_for(RO)
    tasks_come(notify, 2)
    it_is_later_by(clock, DESK_CALL_GAP + timedelta(minutes=1))
    mailbox.wait_for(RO, 2)
    eventually(lambda: db.notifications.count_documents({"state": "accepted"}) == 2)
    tasks_come(notify, 3)
    [_, second, third] = calls(db)
    assert third["next_at"] - second["created_at"] == DESK_CALL_GAP
    assert len(mailbox.to(RO)) == 2


@pytest.mark.usefixtures("sending")
def test_each_coordinator_gets_their_own(notify: Service, db: Db, mailbox: Mailbox) -> None:
    tasks_come(notify, 1)
    mailbox.wait_for(RO)
    record_contact(a_coordinator(notify, "dara"), db)
    tasks_come(notify, 2, 3)
    mailbox.wait_for(DARA)
    assert (len(calls(db, "ro")), len(calls(db, "dara"))) == (2, 2)
    assert (len(mailbox.to(RO)), len(mailbox.to(DARA))) == (1, 1)


def test_a_task_that_somebody_has_taken_calls_nobody(notify: Service, db: Db) -> None:
    notify.run(enqueue_coordinator_call, a_task(taken=True))
    assert calls(db) == []
    assert db.desk_calls.count_documents({}) == 0


def test_while_no_email_leaves_one_that_waits_says_it_all(notify: Service, db: Db, clock: Path) -> None:
    """No worker sends here: a call that nobody has had yet is no reason to make another."""
    tasks_come(notify, *range(1, 6))
    it_is_later_by(clock, 2 * DESK_CALL_GAP)
    tasks_come(notify, *range(6, 11))
    assert len(calls(db)) == 1


def test_one_that_may_have_arrived_does_not_speak_for_what_comes_later(notify: Service, db: Db) -> None:
    tasks_come(notify, 1)
    end_leases(db)
    tasks_come(notify, 2)
    assert len(calls(db)) == 2


def test_the_gathered_email_has_as_long_to_be_sent_as_any_other(notify: Service, db: Db) -> None:
    tasks_come(notify, 1)
    db.notifications.update_many({}, {"$set": {"state": "accepted"}})
    tasks_come(notify, 2)
    first, gathered = calls(db)
    assert gathered["expires_at"] - gathered["next_at"] == first["expires_at"] - first["created_at"]


def test_a_task_that_is_heard_twice_calls_once(notify: Service, db: Db) -> None:
    envelope = make_envelope(a_task(), id="e1", source="/matching", time=now())
    notify.receive(envelope)
    db.notifications.update_many({}, {"$set": {"state": "accepted"}})
    notify.receive(envelope)
    enqueue_coordinator_call(a_task(), db)  # even where nothing remembers that it was heard
    assert len(calls(db)) == 1


def test_tasks_that_share_a_transaction_call_once(notify: Service, db: Db) -> None:
    jobs = [Job(handler=enqueue_coordinator_call, command=a_task(n), idempotency_key=f"e{n}") for n in range(10)]
    assert all(result.error is None for result in notify.run_together(jobs))
    assert len(calls(db)) == 1


def test_workers_that_hear_of_tasks_at_the_same_moment_call_once(notify: Service, db: Db) -> None:
    record_contact(a_coordinator(notify, "dara"), db)
    for turn in range(5):
        db.notifications.delete_many({})
        db.desk_calls.delete_many({})
        at_once = threading.Barrier(4)

        def hear(number: int, turn: int = turn, at_once: threading.Barrier = at_once) -> None:
            at_once.wait(10)
            notify.run(enqueue_coordinator_call, a_task(10 * turn + number))

        with ThreadPoolExecutor(4) as workers:
            list(workers.map(hear, range(4)))
        assert (len(calls(db, "ro")), len(calls(db, "dara"))) == (1, 1)


def by_text(notify: Service, **facts: Any) -> Any:
    both = encrypted_for_notify(notify.vault, "ro", email=RO, phone="+15550199")
    contact = a_coordinator(notify, "ro", version=2, channels=("email", "text"), **facts)
    return type(contact)(**{**vars(contact), "encrypted": both})


def test_at_night_texts_are_gathered_until_the_morning(notify: Service, db: Db) -> None:
    hour = now().hour
    record_contact(by_text(notify, time_zone="UTC", quiet_from=hour, quiet_until=(hour + 8) % 24), db)
    tasks_come(notify, 1, 2, 3)
    [text] = calls(db, channel="text")
    assert text["next_at"] > now()
    db.notifications.update_one({"_id": text["_id"]}, {"$set": {"state": "delivered"}})
    tasks_come(notify, 4)
    [_, later] = calls(db, channel="text")
    assert later["next_at"] >= text["next_at"]


def test_a_text_that_failed_is_no_reason_for_one_more_email(notify: Service, db: Db) -> None:
    record_contact(by_text(notify), db)
    tasks_come(notify, 1)
    db.notifications.update_one({"channel": "text"}, {"$set": {"state": "accepted"}})
    tasks_come(notify, 2)  # the e-mail of the first still waits
    [_, text] = calls(db, channel="text")
    assert notify.run(give_up, GiveUp(text["_id"], "failed", "stopped")) == []
    assert len(calls(db)) == 1


def test_a_call_that_was_stopped_before_its_time_is_made_again_for_that_time(notify: Service, db: Db) -> None:
    tasks_come(notify, 1)
    db.notifications.update_many({}, {"$set": {"state": "accepted"}})
    tasks_come(notify, 2)
    db.notifications.update_many({"state": "pending"}, {"$set": {"state": "cancelled"}})
    tasks_come(notify, 3)
    [_, stopped, again] = calls(db)
    assert again["next_at"] == stopped["next_at"]
