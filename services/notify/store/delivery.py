"""What the delivery does with the notifications that it holds."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pymongo import UpdateMany, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.notify.domain import Notification, Outcome, State
from shared.clock import offset
from shared.contracts import Channel
from shared.leased_work import DUE_NOW, MongoQueue, server_time
from shared.mongo import Db, Doc
from shared.threaded_work import Claimed, TypedQueue

LEASE = timedelta(seconds=10)
LONGEST_WAIT = timedelta(days=2)  # quiet hours, after the time between two texts or two calls to the desk, end within 30 hours
UNREADABLE = {"state": "failed", "reason": "unreadable document"}


class DeliveryQueue(TypedQueue[Notification]):
    """The pending notifications of one channel. Found with majority read concern, like everything else that is read of them."""

    def __init__(self, db: Db, channel: Channel) -> None:
        where = {"channel": channel}
        queue = MongoQueue(db.notifications, lease=LEASE, horizon=LONGEST_WAIT, where=where, clock_offset=offset)
        super().__init__(queue, Notification, UNREADABLE)

    def leased(self, notification: Notification) -> Notification:
        """As this process writes one that it sends itself, from memory, after the commit. An e-mail is marked as uncertain
        already: to mark it later would cost a write for each."""
        lease, marked = self._queue.written_lease(str(uuid.uuid4())), int(notification.channel == "email")
        return replace(notification, next_at=lease["next_at"], claim=lease["claim"], uncertain=marked)


def mark_uncertain(db: Db, claimed: Sequence[Claimed[Notification]]) -> set[str]:
    """Before they are handed to a provider: of those that were handed over equally often, the ids that are still held. A failover
    may lose this mark, which matters only when the worker ends too; so one server is enough."""
    if not claimed:
        return set()
    notifications = db.notifications.with_options(write_concern=WriteConcern(w=1))
    change = {"$set": {"uncertain": claimed[0].item.uncertain + 1}}
    if notifications.update_many(_all_held(claimed), change).matched_count == len(claimed):
        return {one.lease.id for one in claimed}
    return find_held(db, claimed)


def find_held(db: Db, claimed: Sequence[Claimed[Notification]]) -> set[str]:
    """The ids of those that are still held, and not cancelled."""
    if not claimed:
        return set()
    notifications = db.notifications.with_options(read_concern=ReadConcern("local"))
    return {document["_id"] for document in notifications.find(_all_held(claimed), {"_id": 1})}


def _all_held(claimed: Sequence[Claimed[Notification]]) -> Doc:
    ids, tokens = [one.lease.id for one in claimed], [one.lease.token for one in claimed]
    return {"_id": {"$in": ids}, "claim": {"$in": tokens}, "cancelled_because": {"$in": ["", None]}}


def record_outcomes(db: Db, outcomes: Sequence[tuple[Claimed[Notification], Outcome]], moment: datetime) -> None:
    """Of those that were accepted or cancelled, and of those that are to be tried again."""
    sent = [claimed.item.id for claimed, outcome in outcomes if _is_sent_email(claimed.item, outcome)]
    others = [(claimed, outcome) for claimed, outcome in outcomes if not _is_sent_email(claimed.item, outcome)]
    changes = [_change(claimed, outcome, moment) for claimed, outcome in others]
    if sent:
        changes.append(UpdateMany({"_id": {"$in": sent}, "state": "pending"}, _finish("accepted", moment, "")))
    if changes:
        db.notifications.bulk_write(changes, ordered=False)


def _is_sent_email(notification: Notification, outcome: Outcome) -> bool:
    return notification.channel == "email" and outcome == Outcome("accepted")


def _change(claimed: Claimed[Notification], outcome: Outcome, moment: datetime) -> UpdateOne | UpdateMany:
    if outcome.result == "accepted" or outcome.result == "cancelled":
        return _finished(claimed.item, outcome.result, moment, outcome.reason)
    fields = {
        "next_at": _next_at(outcome),
        "reason": {"$literal": outcome.reason},
        "uncertain": claimed.item.uncertain + (outcome.result == "uncertain"),
        "deferrals": claimed.item.deferrals + (outcome.result == "deferred"),
    }
    return UpdateOne(_held(claimed), [{"$set": fields}, {"$unset": "claim"}])


def _next_at(outcome: Outcome) -> datetime | Doc:
    return outcome.until or (server_time(offset() + outcome.after) if outcome.after else DUE_NOW)


def _held(claimed: Claimed[Notification]) -> Doc:
    return {"_id": claimed.lease.id, "claim": claimed.lease.token}


def _finished(notification: Notification, state: State, moment: datetime, reason: str) -> UpdateOne:
    """Nothing more to send, whoever holds the lease. A receipt may have come first: a state only moves forward."""
    # An accepted text that fails later becomes an e-mail with the same links.
    keep_links = state == "accepted" and notification.channel == "text"
    change = _finish(state, moment, reason, keep_links=keep_links)
    return UpdateOne({"_id": notification.id, "state": "pending"}, change)


def _finish(state: State, moment: datetime, reason: str, *, keep_links: bool = False) -> Doc:
    fields = {"state": state, "reason": reason, "finished_at": moment}
    gone = {"next_at": "", "claim": ""} | ({} if keep_links else {"encrypted": ""})
    return {"$set": fields, "$unset": gone}


def finish_notification(db: Db, notification: Notification, state: State, moment: datetime, reason: str) -> bool:
    """False when it was finished before."""
    change = _finish(state, moment, reason, keep_links=state == "accepted" and notification.channel == "text")
    return db.notifications.update_one({"_id": notification.id, "state": "pending"}, change).matched_count == 1
