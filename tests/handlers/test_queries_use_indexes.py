"""What a query costs does not grow with what is stored: each reads little more than it returns, by MongoDB's own profiler."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.intake import store as intake_store
from services.notify import store
from services.notify.domain import Contact, Notification
from shared import outbox
from shared.clock import now
from shared.contracts import EncryptedFields
from shared.leased_work import DUE_NOW
from shared.mongo import Db

STORED = 400
MAY_READ = 3
ONE = "300"
Queries = Mapping[str, Callable[[Db], object]]


@pytest.fixture
def notify_with_history(notify_db: Db) -> Db:
    for number in map(str, range(STORED)):
        store.save_contact(notify_db, _contact(number), is_new=True)
    store.add_notifications(notify_db, [_notification(str(number)) for number in range(STORED)])
    offer = {"code": "A7", "delete_at": now() + timedelta(days=9)}
    notify_db.offers.insert_many([{"_id": f"o{one}", "practitioner_id": f"p{one}", **offer} for one in range(STORED)])
    return notify_db


@pytest.fixture
def intake_with_history(intake_db: Db) -> Db:
    event = {"event_type": "match.made.v1", "version": 1, "at": now()}
    request = {"mode": "suggest", "choices": [], "language": "en", "time_zone": "UTC"}
    answered: dict[str, Any] = {**request, "history": [event], "sent_at": now(), "silent_since": now(), "reemissions": 0}
    intake_db.requests.insert_many(
        [
            {"_id": f"r{one}", "person_id": str(one), "next_look_at": now() + timedelta(days=9), **answered}
            for one in range(STORED)
        ]
    )
    intake_db.links.insert_many([{"_id": f"c{one}", "person_id": str(one), "purpose": "code_words"} for one in range(STORED)])
    return intake_db


def _contact(number: str) -> Contact:
    encrypted = EncryptedFields(person_id=number, wrap="", fields={})
    usual: dict[str, Any] = {"channels": ("email",), "language": "en", "time_zone": "UTC", "quiet_from": 0, "quiet_until": 0}
    index = {"request_id": f"r{number}", "phone_hash": f"h{number}"}
    return Contact(person_id=number, role="supportee", version=1, encrypted=encrypted, **index, **usual)


def _notification(number: str) -> Notification:
    """All but the first wait for the end of quiet hours."""
    waits = {
        "next_at": DUE_NOW if number == "0" else now() + timedelta(hours=9),
        "created_at": now(),
        "expires_at": now(),
    }
    about = {"cause": number, "template": "offer", "offer_id": f"o{number}"}
    return Notification(id=number, channel="text", person_id=number, request_id=f"r{number}", **waits, **about)  # type: ignore[arg-type]


OF_NOTIFY: Queries = {
    "contact": lambda db: store.find_contact(db, ONE),
    "supportee": lambda db: store.find_supportee(db, f"r{ONE}"),
    "coordinators": lambda db: store.find_coordinators(db),
    "sender of a text": lambda db: store.find_contacts_by_phone(db, f"h{ONE}"),
    "was sent": lambda db: store.offer_was_sent(db, f"o{ONE}"),
    "text is pending": lambda db: store.text_is_pending(db, ONE, now()),
    "another may arrive": lambda db: store.another_may_arrive(db, _notification(ONE)),
    "offer by code": lambda db: store.find_offer_by_code(db, [f"p{ONE}"], "A7"),
    "offer ended": lambda db: store.cancel_notifications(db, now(), "offer ended", offer_id=f"o{ONE}"),
    "withdrawn": lambda db: store.cancel_notifications(db, now(), "withdrawn", person_id=ONE),
    "due": lambda db: store.DeliveryQueue(db, "text").claim(10),
    "pending": outbox.pending,
}
OF_INTAKE: Queries = {
    "given up": intake_store.count_given_up,
    "unanswered": lambda db: intake_store.unanswered_requests(db, now()),
    "old code words": intake_store.requests_with_old_code_words,
    "request of a person": lambda db: intake_store.request_of(db, ONE),
    "newest by e-mail": lambda db: intake_store.requests_at(db, "email", "nobody's", 5),
    "newest by phone": lambda db: intake_store.requests_at(db, "phone", "nobody's", 5),
    "codes of a person": lambda db: intake_store.delete_codes(db, ONE),
    "due because of time": intake_store.requests_to_look_at,
    "pending": outbox.pending,
}


def test_no_query_of_notify_reads_the_history(notify_with_history: Db) -> None:
    assert those_that_read_much(notify_with_history, OF_NOTIFY) == {}


def test_no_query_of_intake_reads_the_history(intake_with_history: Db) -> None:
    assert those_that_read_much(intake_with_history, OF_INTAKE) == {}


def those_that_read_much(db: Db, queries: Queries) -> dict[str, int]:
    read = {name: most_read(db, query) for name, query in queries.items()}
    return {name: count for name, count in read.items() if count > MAY_READ}


def most_read(db: Db, query: Callable[[Db], object]) -> int:
    """The documents or index keys that the worst of the query's commands looked at."""
    db.command({"profile": 2})
    try:
        query(db)
        rows = list(db["system.profile"].find({"ns": {"$ne": f"{db.name}.system.profile"}}))
    finally:
        db.command({"profile": 0})
        db.drop_collection("system.profile")
    assert rows
    return max(max(row.get("docsExamined", 0), row.get("keysExamined", 0)) for row in rows)
