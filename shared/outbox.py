"""The outbox: events written in the transaction that caused them, published later by a relay.

A document of the collection `outbox`:

    _id          event id, the AMQP message id and the inbox key of every consumer
    type         the contract's routing key
    subject      id of what the event is about
    body         the whole message, CloudEvents 1.0 JSON
    made_at      when it was written, app time
    next_at      while it is unsent: see shared.leased_work; absent once the broker confirmed it
    attempts     how often it was claimed for publishing
    claim        token of who holds the lease; absent while nobody does
    sent_at      when the broker confirmed it, server time; the document is deleted some days later (retention.py)
    reemissions  how often it became due again after it had been sent
    erase        true: it is deleted as soon as it was sent, because its person was erased

`pending` and `reemit` are what the operator's command line calls; `reemit` is also how a wiped broker is filled again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import IndexModel

from shared import metrics
from shared.leased_work import DUE_NOW, Lease
from shared.logs import get_logger
from shared.messages import Event
from shared.mongo import Db, Doc

FIRST_REEMISSION_AFTER_MS = 5 * 60 * 1000
MOST_DOUBLINGS = 7  # about eleven hours
PENDING: Doc = {"next_at": {"$exists": True}}
ERASED_AT_ONCE = 500
INDEXES = [
    IndexModel("next_at", partialFilterExpression=PENDING),
    IndexModel([("made_at", 1)], name="oldest_pending", partialFilterExpression=PENDING),
    IndexModel("subject"),
    IndexModel("erase", partialFilterExpression={"erase": True}),
]


_REEMISSIONS: Doc = {"$ifNull": ["$reemissions", 0]}
_DUE_AGAIN: list[Doc] = [
    {"$set": {"next_at": DUE_NOW, "attempts": 0, "reemissions": {"$add": [_REEMISSIONS, 1]}}},
    {"$unset": ["sent_at", "claim"]},
]
log = get_logger("outbox")


@dataclass(frozen=True)
class OutboxMessage:
    id: str
    event_type: str
    subject: str
    body: str
    made_at: datetime
    next_at: datetime = DUE_NOW
    attempts: int = 0
    claim: str | None = None

    @property
    def lease(self) -> Lease:
        return Lease(self.id, self.claim or "")

    def to_document(self) -> Doc:
        claimed = {"claim": self.claim} if self.claim else {}
        return {
            "_id": self.id,
            "type": self.event_type,
            "subject": self.subject,
            "body": self.body,
            "made_at": self.made_at,
            "next_at": self.next_at,
            "attempts": self.attempts,
            **claimed,
        }


def from_document(document: Mapping[str, Any]) -> OutboxMessage:
    return OutboxMessage(
        id=document["_id"],
        event_type=document["type"],
        subject=document["subject"],
        body=document["body"],
        made_at=document["made_at"],
        next_at=document["next_at"],
        attempts=document.get("attempts", 0),
        claim=document.get("claim"),
    )


@dataclass(frozen=True)
class Pending:
    """`oldest`: when the oldest unsent event was written, None when there is none."""

    count: int
    oldest: datetime | None


def pending(db: Db) -> Pending:
    oldest = db.outbox.find_one(PENDING, {"made_at": 1}, sort=[("made_at", 1)])
    return Pending(db.outbox.count_documents(PENDING), oldest["made_at"]) if oldest else Pending(0, None)


def count_sent(db: Db, *, since: datetime | None = None, subjects: Sequence[str] | None = None) -> int:
    """How many events `reemit` with the same arguments would publish again."""
    return db.outbox.count_documents(_sent(since, subjects))


def said_since(db: Db, moment: datetime, subjects: Sequence[str]) -> set[str]:
    """About which of these subjects something was written since: others may not have heard it yet."""
    return {
        row["subject"] for row in db.outbox.find({"subject": {"$in": list(subjects)}, "made_at": {"$gt": moment}}, {"subject": 1})
    }


def reemit(db: Db, *, since: datetime | None = None, subjects: Sequence[str] | None = None) -> int:
    """Make sent events due again under the same ids: those written at or after `since`, about these `subjects`; without either,
    all that are still kept. Returns how many. Consumers that handled them already ignore them by their inbox."""
    return db.outbox.update_many(_sent(since, subjects), _DUE_AGAIN).modified_count


def reemit_unanswered(db: Db, service: str, subjects: Sequence[str]) -> int:
    """For a reconcile timer: make due again what was sent about these `subjects`, since no event came back. The first time five
    minutes after it was sent, then after twice as long each time, so that a consumer that is away is not flooded. Returns how
    many; how often this happens is the caller's to bound."""
    wait = {"$multiply": [FIRST_REEMISSION_AFTER_MS, {"$pow": [2, {"$min": [_REEMISSIONS, MOST_DOUBLINGS]}]}]}
    long_ago = {"$expr": {"$lte": [{"$add": ["$sent_at", wait]}, "$$NOW"]}}
    count = db.outbox.update_many({**_sent(None, subjects), **long_ago}, _DUE_AGAIN).modified_count
    if count:
        metrics.REEMITTED.labels(service, "unanswered").inc(count)
        log.error("events unanswered, publishing again", extra={"count": count})
    return count


def erase(db: Db, subjects: Sequence[str]) -> None:
    """What was published about these subjects: at once where the broker has confirmed it, else by `delete_erased`."""
    about: Doc = {"subject": {"$in": list(subjects)}}
    db.outbox.delete_many({**about, "sent_at": {"$exists": True}})
    db.outbox.update_many(about, {"$set": {"erase": True}})


def erased_and_sent(db: Db) -> list[str]:
    found = db.outbox.find({"erase": True, "sent_at": {"$exists": True}}, {"_id": 1}).limit(ERASED_AT_ONCE)
    return [document["_id"] for document in found]


def delete_erased(message_id: str, db: Db) -> list[Event]:
    db.outbox.delete_one({"_id": message_id})
    return []


def _sent(since: datetime | None, subjects: Sequence[str] | None) -> Doc:
    written = {"made_at": {"$gte": since}} if since else {}
    about = {"subject": {"$in": list(subjects)}} if subjects is not None else {}
    return {"sent_at": {"$exists": True}, "erase": None, **written, **about}
