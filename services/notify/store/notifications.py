"""notifications: each document is one message to send by one channel, and afterwards the record of it for a day.

{_id, cause, template, channel, person_id, request_id, offer_id, context, state, reason, created_at, expires_at, deferrals,
 cancelled_because: as in domain.Notification; encrypted: {person_id, wrap, fields} until it was sent;
 next_at, claim, attempts: see shared/leased_work.py; delete_at: set when it is not pending any more}
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateOne

from services.notify.domain import MAY_ARRIVE, Notification, State
from shared.clock import offset
from shared.contracts import Channel, EncryptedFields
from shared.leased_work import Lease, MongoQueue, lease_of
from shared.logs import get_logger
from shared.mongo import Db, Doc

log = get_logger("notify.store")
LEASE = timedelta(seconds=10)
LONGEST_WAIT = timedelta(days=2)  # quiet hours end within 25 hours, and a retry comes within hours
KEPT_AFTER_SENDING = timedelta(hours=24)
FIELDS = {field.name for field in fields(Notification)}
INDEXES = [
    IndexModel([("channel", ASCENDING), ("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$exists": True}}),
    IndexModel("offer_id", partialFilterExpression={"offer_id": {"$type": "string"}}),
    IndexModel("person_id"),
    IndexModel("delete_at", expireAfterSeconds=0),
]


@dataclass(frozen=True)
class Claimed:
    notification: Notification
    lease: Lease


class DeliveryQueue:
    """The pending notifications of one channel. Found with majority read concern, like everything else that is read of them."""

    def __init__(self, db: Db, channel: Channel) -> None:
        self._queue = MongoQueue(
            db.notifications, lease=LEASE, horizon=LONGEST_WAIT, where={"channel": channel}, clock_offset=offset
        )

    def claim(self, limit: int) -> list[Claimed]:
        claimed = [self._read(document) for document in self._queue.claim(limit)]
        return [one for one in claimed if one]

    def _read(self, document: Doc) -> Claimed | None:
        """None: a document that no release of ours writes. It fails alone, so that it cannot keep the others."""
        try:
            return Claimed(_notification(document), lease_of(document))
        except (KeyError, TypeError):
            log.exception("a notification's document cannot be read", extra={"notification_id": document["_id"]})
            self._queue.finish([document["_id"]], {"state": "failed", "reason": "unreadable document"})
            return None

    def renew(self, leases: Sequence[Lease]) -> None:
        self._queue.renew(leases)

    def release(self, leases: Sequence[Lease]) -> None:
        self._queue.release(leases)


def add(db: Db, notifications: Sequence[Notification]) -> None:
    """Those that are there already stay as they are."""
    if notifications:
        changes = [UpdateOne({"_id": one.id}, {"$setOnInsert": _document(one)}, upsert=True) for one in notifications]
        db.notifications.bulk_write(changes)


def find(db: Db, notification_id: str) -> Notification | None:
    document = db.notifications.find_one({"_id": notification_id})
    return _notification(document) if document else None


def find_pending(db: Db, channel: Channel) -> list[Notification]:
    pending = {"channel": channel, "state": "pending", "next_at": {"$exists": True}}
    return [_notification(document) for document in db.notifications.find(pending)]


# What became of an attempt, to be written many at once with `record`


def finished(notification: Notification, state: State, moment: datetime, reason: str, *, keep_links: bool = False) -> UpdateOne:
    """Nothing more to send, whoever holds the lease. A receipt may have come first: a state only moves forward.

    `keep_links`: an accepted text that fails later becomes an e-mail with the same links.
    """
    fields = {"state": state, "reason": reason, "delete_at": moment + KEPT_AFTER_SENDING}
    gone = {"next_at": "", "claim": ""} | ({} if keep_links else {"encrypted": ""})
    return UpdateOne({"_id": notification.id, "state": "pending"}, {"$set": fields, "$unset": gone})


def deferred(claimed: Claimed, until: datetime, reason: str) -> UpdateOne:
    change = {"$set": {"next_at": until, "reason": reason}, "$inc": {"deferrals": 1}, "$unset": {"claim": ""}}
    return UpdateOne({"_id": claimed.lease.id, "claim": claimed.lease.token}, change)


def postponed(claimed: Claimed, until: datetime, reason: str) -> UpdateOne:
    """The attempt is given back: nobody looked at the message."""
    change = {"$set": {"next_at": until, "reason": reason}, "$inc": {"attempts": -1}, "$unset": {"claim": ""}}
    return UpdateOne({"_id": claimed.lease.id, "claim": claimed.lease.token}, change)


def record(db: Db, changes: Sequence[UpdateOne]) -> None:
    if changes:
        db.notifications.bulk_write(list(changes), ordered=False)


def finish(db: Db, notification: Notification, state: State, moment: datetime, reason: str) -> bool:
    """False when it was finished before."""
    return db.notifications.bulk_write([finished(notification, state, moment, reason)]).matched_count == 1


def apply_receipt(db: Db, notification_id: str, state: State, moment: datetime) -> None:
    fields = {"state": state, "delete_at": moment + KEPT_AFTER_SENDING}
    db.notifications.update_one(
        {"_id": notification_id}, {"$set": fields, "$unset": {"next_at": "", "claim": "", "encrypted": ""}}
    )


def cancel(db: Db, moment: datetime, reason: str, **where: Any) -> None:
    """Cancel what is pending. What a worker is sending at this moment is only marked, so that it is not tried again."""
    leased = {"$gt": ["$claim", None]}
    now_or_later = {
        "state": {"$cond": [leased, "$state", "cancelled"]},
        "cancelled_because": reason,
        "delete_at": {"$cond": [leased, "$$REMOVE", moment + KEPT_AFTER_SENDING]},
        "reason": {"$cond": [leased, "$reason", reason]},
        "next_at": {"$cond": [leased, "$next_at", "$$REMOVE"]},
        "encrypted": {"$cond": [leased, "$encrypted", "$$REMOVE"]},
    }
    db.notifications.update_many({**where, "state": "pending"}, [{"$set": now_or_later}])


def offer_was_sent(db: Db, offer_id: str) -> bool:
    sent = {"offer_id": offer_id, "template": {"$in": ["offer", "reminder"]}, "state": {"$ne": "cancelled"}}
    return db.notifications.find_one(sent, {"_id": 1}) is not None


def text_is_pending(db: Db, person_id: str) -> bool:
    return db.notifications.find_one({"person_id": person_id, "channel": "text", "state": "pending"}, {"_id": 1}) is not None


def another_may_arrive(db: Db, notification: Notification) -> bool:
    """Whether the same message may still arrive by another channel."""
    same = {"cause": notification.cause, "template": notification.template, "person_id": notification.person_id}
    return db.notifications.find_one({**same, "state": {"$in": list(MAY_ARRIVE)}}, {"_id": 1}) is not None


def _notification(document: Doc) -> Notification:
    """TypeError or KeyError: not a document of this collection's shape."""
    stored = {name: document[name] for name in FIELDS & document.keys()}
    encrypted = EncryptedFields(**document["encrypted"]) if "encrypted" in document else None
    return Notification(**{**stored, "id": document["_id"], "encrypted": encrypted})


def _document(notification: Notification) -> Doc:
    stored = {name: getattr(notification, name) for name in FIELDS - {"id", "encrypted"}}
    encrypted = {"encrypted": asdict(notification.encrypted)} if notification.encrypted else {}
    return {"_id": notification.id, **stored, "context": dict(notification.context), **encrypted}
