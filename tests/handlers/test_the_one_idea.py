"""Service.run: inbox, handler and outbox in one transaction."""

from typing import Any

import pytest

from shared.contracts import ReplyReceived, RequestWithdrawn
from shared.mongo import Db
from shared.service import Service


def leave_a_mark(message: str, db: Db) -> list[Any]:
    db.marks.insert_one({"_id": message})
    return [RequestWithdrawn(request_id=message)]


def fail_half_way(message: str, db: Db) -> list[Any]:
    leave_a_mark(message, db)
    raise LookupError("half way")


def test_a_service_cannot_publish_an_event_of_another(intake: Service) -> None:
    def publish_somebody_elses(command: str, db: Db) -> list[Any]:
        return [ReplyReceived(offer_id="o", practitioner_id="p", reply_id="r", answer="yes")]

    with pytest.raises(ValueError, match="only"):
        intake.run(publish_somebody_elses, "a")
    assert intake.db.outbox.count_documents({}) == 0


def test_the_change_and_its_events_are_one_write(intake: Service) -> None:
    assert intake.run(leave_a_mark, "a", idempotency_key="m1") == [RequestWithdrawn(request_id="a")]
    assert [row["subject"] for row in intake.db.outbox.find()] == ["a"]


def test_the_same_message_twice_changes_nothing(intake: Service) -> None:
    intake.run(leave_a_mark, "a", idempotency_key="m1")
    assert intake.run(leave_a_mark, "b", idempotency_key="m1") == []
    assert intake.db.marks.count_documents({}) == intake.db.outbox.count_documents({}) == 1


def test_a_handler_that_fails_leaves_nothing_behind(intake: Service) -> None:
    with pytest.raises(LookupError):
        intake.run(fail_half_way, "a", idempotency_key="m1")
    assert [intake.db[name].count_documents({}) for name in ("marks", "inbox", "outbox")] == [0, 0, 0]
