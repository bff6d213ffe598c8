"""A request about which matching has published nothing is published again, without anybody doing something."""

from datetime import timedelta

import pytest

from services.intake import store
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.timers import find_unanswered_requests, publish_request_again
from shared import outbox
from shared.clock import now
from shared.contracts import RequestWithdrawn
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service
from tests.intake_requests import a_stored_request


def published(command: str, db: Db) -> list[Event]:
    return [RequestWithdrawn(request_id=command)]


@pytest.fixture
def request_id(intake: Service) -> str:
    """Sent and published a quarter of an hour ago."""
    request_id = a_stored_request(intake.db).id
    intake.run(published, request_id)
    age(intake.db, timedelta(minutes=15))
    return request_id


def age(db: Db, age: timedelta) -> None:
    db.requests.update_many({}, {"$set": {"sent_at": now() - age}})
    db.outbox.update_many(
        {}, [{"$set": {"sent_at": {"$subtract": ["$$NOW", age.total_seconds() * 1000]}}}, {"$unset": "next_at"}]
    )


def reconcile(intake: Service) -> int:
    for each in find_unanswered_requests(intake.db):
        intake.run(publish_request_again, each)
    return outbox.pending(intake.db).count


def test_an_unanswered_request_is_published_again(intake: Service, request_id: str) -> None:
    assert reconcile(intake) == 1


def test_each_time_it_waits_twice_as_long(intake: Service, request_id: str) -> None:
    assert reconcile(intake) == 1
    age(intake.db, timedelta(minutes=9))
    assert reconcile(intake) == 0
    age(intake.db, timedelta(minutes=11))
    assert reconcile(intake) == 1


def test_after_five_times_it_is_the_operators(intake: Service, request_id: str) -> None:
    """As when it lies in matching's dead queue, where each further copy would come to lie too."""
    for _ in range(5):
        assert store.count_given_up(intake.db) == 0
        assert reconcile(intake) == 1
        age(intake.db, timedelta(days=2))
    assert (reconcile(intake), store.count_given_up(intake.db)) == (0, 1)
    intake.db.requests.update_one({"_id": request_id}, {"$set": {"history": [{"event_type": "offer.made.v1", "version": 1}]}})
    assert store.count_given_up(intake.db) == 0


def test_the_oldest_unanswered_requests_do_not_keep_newer_ones_from_their_turn(intake: Service) -> None:
    most = store.UNANSWERED_AT_ONCE
    a_stored_request(intake.db, id="newest", person_id="newest")
    stored = intake.db.requests.find_one({"_id": "newest"}) or {}
    old = [{**stored, "_id": f"r{n}", "person_id": f"p{n}", "sent_at": now() - timedelta(hours=1)} for n in range(most)]
    intake.db.requests.insert_many(old)
    age(intake.db, timedelta(minutes=15))
    intake.db.requests.update_many({"_id": {"$ne": "newest"}}, {"$set": {"sent_at": now() - timedelta(hours=1)}})
    turns: set[str] = set()
    for _ in range(2):
        found = find_unanswered_requests(intake.db)
        turns |= {request_id for request_id, _ in found}
        for request_id, _ in found:
            store.mark_reconciled(intake.db, request_id, reemitted=False)
    assert len(turns) == most + 1


def test_one_that_matching_knows_is_left_alone(intake: Service, request_id: str) -> None:
    intake.db.requests.update_one({"_id": request_id}, {"$set": {"history": [{"event_type": "offer.made.v1", "version": 1}]}})
    assert reconcile(intake) == 0


def test_a_new_one_and_one_that_was_withdrawn_are_left_alone(intake: Service, request_id: str) -> None:
    age(intake.db, timedelta(minutes=4))
    assert reconcile(intake) == 0
    age(intake.db, timedelta(minutes=15))
    intake.run(withdraw_request, request_id)
    assert reconcile(intake) == 1  # the news that they left
    assert [row["type"] for row in intake.db.outbox.find()] == ["request.withdrawn.v1"]


def test_looking_reads_no_answered_request(intake: Service, request_id: str) -> None:
    answered = intake.db.requests.find_one({"_id": request_id}) or {}
    answered |= {"history": [{"event_type": "offer.made.v1", "version": 1}]}
    ids = [f"answered-{number}" for number in range(300)]
    intake.db.requests.insert_many([{**answered, "_id": id, "person_id": id} for id in ids])
    query = {"history": [], "withdrawn_at": None, "sent_at": {"$lte": now()}}
    explained = intake.db.requests.find(query).sort("reconciled_at", 1).limit(500).explain()
    assert explained["executionStats"]["totalDocsExamined"] <= 1
