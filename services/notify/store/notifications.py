"""What handlers do with notifications.

A document is a Notification; `encrypted` until it was sent; next_at, claim, attempts: see shared/leased_work.py;
finished_at: when it was not pending any more"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.notify.domain import MAY_ARRIVE, Notification, State
from shared.contracts import Channel
from shared.documents import load_all, load_one, to_document
from shared.mongo import Db


def add_notifications(db: Db, notifications: Sequence[Notification]) -> list[Notification]:
    """Those that are new; the others are there already and stay as they are."""
    ids = [one.id for one in notifications]
    known = {document["_id"] for document in db.notifications.find({"_id": {"$in": ids}})} if ids else set()
    new = [one for one in notifications if one.id not in known]
    for one in new:
        db.notifications.insert_one(to_document(one))
    return new


def find_notification(db: Db, notification_id: str) -> Notification | None:
    return load_one(Notification, db.notifications.find_one({"_id": notification_id}))


def newest_notification(db: Db, person_id: str, offer_id: str, about: str) -> Notification | None:
    """Of those to this person whose cause begins so."""
    theirs = {"offer_id": offer_id, "person_id": person_id, "cause": {"$regex": f"^{re.escape(about)}"}}
    return load_one(Notification, db.notifications.find_one(theirs, sort=[("created_at", -1)]))


def find_pending_notifications(db: Db, channel: Channel) -> list[Notification]:
    """Those that can be read."""
    pending = {"channel": channel, "state": "pending", "next_at": {"$exists": True}}
    return load_all(Notification, db.notifications.find(pending))


def apply_receipt(db: Db, notification_id: str, state: State, moment: datetime) -> None:
    fields = {"state": state, "finished_at": moment}
    db.notifications.update_one(
        {"_id": notification_id}, {"$set": fields, "$unset": {"next_at": "", "claim": "", "encrypted": ""}}
    )


def cancel_notifications(db: Db, moment: datetime, reason: str, **where: Any) -> None:
    """Cancel what is pending. What may be being handed over at this moment is only told so: it is not tried again.
    What a worker has in memory and has not marked as uncertain yet is cancelled like the rest: without its lease it is not
    sent."""
    handed_over = {"$and": [{"$gt": ["$claim", None]}, {"$gt": ["$uncertain", 0]}]}
    now_or_later = {
        "state": {"$cond": [handed_over, "$state", "cancelled"]},
        "cancelled_because": reason,
        "finished_at": {"$cond": [handed_over, "$$REMOVE", moment]},
        "reason": {"$cond": [handed_over, "$reason", reason]},
        "next_at": {"$cond": [handed_over, "$next_at", "$$REMOVE"]},
        "claim": {"$cond": [handed_over, "$claim", "$$REMOVE"]},
        "encrypted": {"$cond": [handed_over, "$encrypted", "$$REMOVE"]},
    }
    db.notifications.update_many({**where, "state": "pending"}, [{"$set": now_or_later}])


def offer_was_sent(db: Db, offer_id: str) -> bool:
    sent = {"offer_id": offer_id, "template": {"$in": ["offer", "reminder"]}, "state": {"$ne": "cancelled"}}
    return db.notifications.find_one(sent, {"_id": 1}) is not None


def any_is_pending(db: Db, person_id: str) -> bool:
    return db.notifications.find_one({"person_id": person_id, "state": "pending"}, {"_id": 1}) is not None


def text_is_pending(db: Db, person_id: str, moment: datetime) -> bool:
    """Not one that waits until it has settled: it may be taken back."""
    pending = {"person_id": person_id, "channel": "text", "state": "pending", "created_at": {"$lte": moment}}
    return db.notifications.find_one(pending, {"_id": 1}) is not None


def another_may_arrive(db: Db, notification: Notification) -> bool:
    """Whether the same message may still arrive by another channel."""
    same = {"cause": notification.cause, "template": notification.template, "person_id": notification.person_id}
    return db.notifications.find_one({**same, "state": {"$in": list(MAY_ARRIVE)}}, {"_id": 1}) is not None
