"""Every query of notify, by name; documents become values of the domain here and nowhere else. A field is stored under its name,
`id` (of a contact `person_id`) as `_id`, None is left out (shared/documents.py).

contacts          a Contact
phone_numbers     {_id: keyed hash of a number, stopped_at: absent unless they said stop, texted_at, texted_by: notification's id,
                  wrong_codes_at: when wrong codes came lately, codes_blocked_until: after too many of them}
notifications     a Notification; `encrypted` until it was sent; next_at, claim, attempts: see shared/leased_work.py;
                  finished_at: when it was not pending any more
offers            an Offer, and delete_at; one whose end came before its beginning has `ended` and `delete_at` only
desk_calls        a DeskCall, and delete_at
request_updates   {_id: request's id, version, last_update: as rules.update_name, delete_at};
                  {_id, withdrawn: true, delete_at} once it ended
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument, UpdateMany, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.notify.domain import (
    MAY_ARRIVE,
    Contact,
    DeskCall,
    LastUpdate,
    Message,
    Notification,
    Offer,
    Outcome,
    State,
    desk_call_id,
    notification_id,
)
from shared.clock import offset
from shared.contracts import Channel, ContactShared, OfferMade
from shared.documents import from_document, load_all, load_one, to_document
from shared.leased_work import DUE_NOW, MongoQueue, server_time
from shared.mongo import Db, Doc
from shared.retention import DAYS
from shared.threaded_work import Claimed, TypedQueue
from shared.transaction import Keys

LEASE = timedelta(seconds=10)
LONGEST_WAIT = timedelta(days=2)  # quiet hours, after the time between two texts or two calls to the desk, end within 30 hours
OFFER_KEPT = timedelta(days=14)
DESK_CALL_KEPT = timedelta(days=2)  # longer than until the next one may be made
ENDED_REQUEST_KEPT = timedelta(days=DAYS["erasure"])
UNREADABLE = {"state": "failed", "reason": "unreadable document"}


def _where_it_exists(field: str) -> IndexModel:
    """Not where it is text: no query would use that, as MongoDB does not conclude a value's type from the value."""
    return IndexModel(field, name=f"{field}_where_it_exists", partialFilterExpression={field: {"$exists": True}})


_COORDINATORS = IndexModel("role", name="coordinators", partialFilterExpression={"role": "coordinator"})
INDEXES = {
    "contacts": [_where_it_exists("request_id"), _COORDINATORS, _where_it_exists("phone_hash")],
    "notifications": [
        IndexModel([("channel", ASCENDING), ("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$exists": True}}),
        _where_it_exists("offer_id"),
        IndexModel("person_id"),
    ],
    "offers": [IndexModel([("practitioner_id", ASCENDING), ("code", ASCENDING)])],
    "desk_calls": [],
    "phone_numbers": [],
    "request_updates": [],
}


# Contacts


def find_contact(db: Db, person_id: str) -> Contact | None:
    return _contact(db.contacts.find_one({"_id": person_id}))


def find_contacts(db: Db, person_ids: Iterable[str]) -> dict[str, Contact]:
    """Those that are there, by the person's id."""
    return {contact.person_id: contact for contact in _contacts(db.contacts.find({"_id": {"$in": list(person_ids)}}))}


def find_supportee(db: Db, request_id: str) -> Contact | None:
    return _contact(db.contacts.find_one({"request_id": request_id, "role": "supportee"}))


def find_coordinators(db: Db) -> list[Contact]:
    return _contacts(db.contacts.find({"role": "coordinator"}))


def find_contacts_by_phone(db: Db, phone_hash: str) -> list[Contact]:
    return _contacts(db.contacts.find({"phone_hash": phone_hash}))


def find_newest_contacts(db: Db, count: int) -> list[Contact]:
    return _contacts(db.contacts.find().sort("$natural", -1).limit(count))


def save_contact(db: Db, contact: Contact, *, is_new: bool) -> None:
    document = to_document(contact)
    person_id = document.pop("person_id")
    if is_new:
        db.contacts.insert_one({"_id": person_id, **document})
    else:
        db.contacts.replace_one({"_id": person_id}, document)


def withhold(db: Db, person_id: str, message: Message) -> None:
    db.contacts.update_one({"_id": person_id}, {"$set": {"withheld": to_document(message)}})


def forget_withheld(db: Db, person_id: str) -> None:
    db.contacts.update_one({"_id": person_id}, {"$unset": {"withheld": ""}})


def end_contact(db: Db, person_id: str, moment: datetime) -> None:
    db.contacts.update_one({"_id": person_id}, {"$set": {"ended_at": moment}})


def _contact(document: Doc | None) -> Contact | None:
    return load_one(Contact, _with_person_id(document)) if document else None


def _contacts(documents: Iterable[Doc]) -> list[Contact]:
    return load_all(Contact, map(_with_person_id, documents))


def _with_person_id(document: Doc) -> Doc:
    return {**document, "person_id": document["_id"]}


def erase_contact(db: Db, contact: Contact) -> None:
    """With what was or is to be sent to them. That a number said stop is remembered, or it would be texted again."""
    db.contacts.delete_one({"_id": contact.person_id})
    db.notifications.delete_many({"person_id": contact.person_id})
    if contact.phone_hash and not db.contacts.find_one({"phone_hash": contact.phone_hash}, {"_id": 1}):
        db.phone_numbers.delete_one({"_id": contact.phone_hash, "stopped_at": {"$exists": False}})
        db.phone_numbers.update_one({"_id": contact.phone_hash}, {"$unset": {"texted_at": "", "texted_by": ""}})


# Numbers that are texted


def stop_texts(db: Db, phone_hash: str, moment: datetime) -> None:
    db.phone_numbers.update_one({"_id": phone_hash}, {"$set": {"stopped_at": moment}}, upsert=True)


def start_texts(db: Db, phone_hash: str) -> None:
    db.phone_numbers.update_one({"_id": phone_hash}, {"$unset": {"stopped_at": ""}})


def has_stopped_texts(db: Db, phone_hash: str) -> bool:
    return db.phone_numbers.find_one({"_id": phone_hash, "stopped_at": {"$exists": True}}, {"_id": 1}) is not None


def count_wrong_code(db: Db, phone_hash: str, moment: datetime, within: timedelta) -> int:
    """How many wrong codes came from this number lately, with this one."""
    known = db.phone_numbers.find_one({"_id": phone_hash}, {"wrong_codes_at": 1}) or {}
    lately = [at for at in known.get("wrong_codes_at", []) if at > moment - within] + [moment]
    db.phone_numbers.update_one({"_id": phone_hash}, {"$set": {"wrong_codes_at": lately}}, upsert=True)
    return len(lately)


def block_codes(db: Db, phone_hash: str, until: datetime) -> None:
    change = {"$set": {"codes_blocked_until": until}, "$unset": {"wrong_codes_at": ""}}
    db.phone_numbers.update_one({"_id": phone_hash}, change, upsert=True)


def codes_are_blocked(db: Db, phone_hash: str, moment: datetime) -> bool:
    return db.phone_numbers.find_one({"_id": phone_hash, "codes_blocked_until": {"$gt": moment}}, {"_id": 1}) is not None


def acquire_sms_slot(db: Db, phone_hash: str, notification_id: str, moment: datetime, gap: timedelta) -> datetime | None:
    """None when this notification may be texted now; else the moment from which it may. The same one may always try again."""
    mine_or_past = {"$or": [{"texted_at": {"$lte": moment - gap}}, {"texted_at": None}, {"texted_by": notification_id}]}
    slot = {"texted_at": moment, "texted_by": notification_id}
    if db.phone_numbers.update_one({"_id": phone_hash, **mine_or_past}, {"$set": slot}).matched_count:
        return None
    # Only now: most numbers have a document, and one that has none cannot have been texted.
    document = db.phone_numbers.find_one_and_update(
        {"_id": phone_hash}, {"$setOnInsert": slot}, upsert=True, return_document=ReturnDocument.AFTER
    )
    if document is None or document["texted_by"] == notification_id:
        return None
    last: datetime = document["texted_at"]
    return last + gap


# Notifications


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


def find_pending_notifications(db: Db, channel: Channel) -> list[Notification]:
    """Those that can be read."""
    pending = {"channel": channel, "state": "pending", "next_at": {"$exists": True}}
    return load_all(Notification, db.notifications.find(pending))


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


def text_is_pending(db: Db, person_id: str) -> bool:
    return db.notifications.find_one({"person_id": person_id, "channel": "text", "state": "pending"}, {"_id": 1}) is not None


def another_may_arrive(db: Db, notification: Notification) -> bool:
    """Whether the same message may still arrive by another channel."""
    same = {"cause": notification.cause, "template": notification.template, "person_id": notification.person_id}
    return db.notifications.find_one({**same, "state": {"$in": list(MAY_ARRIVE)}}, {"_id": 1}) is not None


# Offers


def save_offer(db: Db, event: OfferMade, asked_at: datetime) -> Offer:
    fields = {"practitioner_id": event.practitioner_id, "code": event.code, "delete_at": event.answer_by + OFFER_KEPT}
    known = db.offers.find_one({"_id": event.offer_id})
    document = {"_id": event.offer_id, "asked_at": asked_at, **(known or {}), **fields}
    if known is None:
        db.offers.insert_one(document)
    else:
        db.offers.replace_one({"_id": event.offer_id}, document, upsert=True)
    return from_document(Offer, document)


def mark_offer_ended(db: Db, offer_id: str, moment: datetime) -> None:
    change = {"$set": {"ended": True}, "$setOnInsert": {"delete_at": moment + OFFER_KEPT}}
    db.offers.update_one({"_id": offer_id}, change, upsert=True)


def find_offer(db: Db, offer_id: str) -> Offer | None:
    """None, too, when only its end has come."""
    document = db.offers.find_one({"_id": offer_id})
    return from_document(Offer, document) if document and "code" in document else None


def find_open_offers(db: Db, practitioner_ids: Sequence[str]) -> list[Offer]:
    where = {"practitioner_id": {"$in": list(practitioner_ids)}, "ended": {"$ne": True}}
    return load_all(Offer, db.offers.find(where))


def offer_has_ended(db: Db, offer_id: str) -> bool:
    return db.offers.find_one({"_id": offer_id, "ended": True}, {"_id": 1}) is not None


def find_offer_by_code(db: Db, practitioner_ids: Sequence[str], code: str) -> Offer | None:
    """The offer a code means. A code may come again after a while, so the one that still runs goes first, then the latest."""
    found = list(db.offers.find({"practitioner_id": {"$in": list(practitioner_ids)}, "code": code}))
    latest = max(found, key=lambda document: (not document.get("ended", False), document["delete_at"]), default=None)
    return from_document(Offer, latest) if latest else None


# Calls to the desk


def find_desk_call(db: Db, person_id: str, channel: Channel) -> DeskCall | None:
    return load_one(DeskCall, db.desk_calls.find_one({"_id": desk_call_id(person_id, channel)}))


def save_desk_call(db: Db, call: DeskCall) -> None:
    """Of two workers that write the same at the same moment, one has to handle its event again."""
    document = to_document(call, {"delete_at": call.due_at + DESK_CALL_KEPT})
    db.desk_calls.replace_one({"_id": call.id}, document, upsert=True)


# What handlers of events read by id


def keys_of_contact(event: ContactShared) -> Keys:
    receipts = _notification_ids(event.request_id, "request_received", event.person_id)
    return {"contacts": [event.person_id], "request_updates": [event.request_id], "notifications": receipts}


def keys_of_offer(event: OfferMade) -> Keys:
    offers = _notification_ids(event.offer_id, "offer", event.practitioner_id)
    return {"offers": [event.offer_id], "contacts": [event.practitioner_id], "notifications": offers}


def _notification_ids(cause: str, template: str, person_id: str) -> list[str]:
    return [notification_id(cause, template, person_id, channel) for channel in ("email", "text")]


# What a supportee was told last


def find_last_update(db: Db, request_id: str) -> LastUpdate:
    document = db.request_updates.find_one({"_id": request_id}) or {}
    return LastUpdate(document.get("version", -1), document.get("last_update", ""), document.get("withdrawn", False))


def record_update(db: Db, request_id: str, version: int, update: str) -> None:
    fields = {"version": version, "last_update": update}
    db.request_updates.update_one({"_id": request_id}, {"$set": fields}, upsert=True)


def mark_withdrawn(db: Db, request_id: str, moment: datetime) -> None:
    left = {"withdrawn": True, "delete_at": moment + ENDED_REQUEST_KEPT}
    db.request_updates.replace_one({"_id": request_id}, left, upsert=True)
