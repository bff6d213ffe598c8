"""contacts: how each person wants to be notified.

{_id: person's id, role, request_id (supportees), version, channels, language, time_zone, quiet_from, quiet_until,
 encrypted: {person_id, wrap, fields}, phone_hash: keyed hash of the number, if there is one}

phone_numbers: who stopped texts, and when each number was last texted.

{_id: keyed hash of the number, stopped_at: absent unless they said stop, texted_at, texted_by: notification's id}
"""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime, timedelta

from pymongo import IndexModel, ReturnDocument

from services.notify.domain import Contact
from shared.contracts import EncryptedFields
from shared.mongo import Db, Doc

FIELDS = {field.name for field in fields(Contact)}
INDEXES = [
    IndexModel("request_id", partialFilterExpression={"request_id": {"$type": "string"}}),
    IndexModel("role"),
    IndexModel("phone_hash", partialFilterExpression={"phone_hash": {"$type": "string"}}),
]


def find(db: Db, person_id: str) -> Contact | None:
    document = db.contacts.find_one({"_id": person_id})
    return _contact(document) if document else None


def find_many(db: Db, person_ids: Iterable[str]) -> dict[str, Contact]:
    return {document["_id"]: _contact(document) for document in db.contacts.find({"_id": {"$in": list(person_ids)}})}


def find_supportee(db: Db, request_id: str) -> Contact | None:
    document = db.contacts.find_one({"request_id": request_id, "role": "supportee"})
    return _contact(document) if document else None


def find_coordinators(db: Db) -> list[Contact]:
    return [_contact(document) for document in db.contacts.find({"role": "coordinator"})]


def find_by_phone(db: Db, phone_hash: str) -> list[Contact]:
    return [_contact(document) for document in db.contacts.find({"phone_hash": phone_hash})]


def find_newest(db: Db, count: int) -> list[Contact]:
    return [_contact(document) for document in db.contacts.find().sort("$natural", -1).limit(count)]


def save(db: Db, contact: Contact) -> None:
    db.contacts.replace_one({"_id": contact.person_id}, _document(contact), upsert=True)


def stop_texts(db: Db, phone_hash: str, moment: datetime) -> None:
    db.phone_numbers.update_one({"_id": phone_hash}, {"$set": {"stopped_at": moment}}, upsert=True)


def start_texts(db: Db, phone_hash: str) -> None:
    db.phone_numbers.update_one({"_id": phone_hash}, {"$unset": {"stopped_at": ""}})


def has_stopped(db: Db, phone_hash: str) -> bool:
    return db.phone_numbers.find_one({"_id": phone_hash, "stopped_at": {"$exists": True}}, {"_id": 1}) is not None


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


def _contact(document: Doc) -> Contact:
    stored = {name: document[name] for name in FIELDS & document.keys()}
    channels, encrypted = tuple(document["channels"]), EncryptedFields(**document["encrypted"])
    return Contact(**{**stored, "person_id": document["_id"], "channels": channels, "encrypted": encrypted})


def _document(contact: Contact) -> Doc:
    stored = {name: getattr(contact, name) for name in FIELDS - {"person_id"}}
    return {"_id": contact.person_id, **stored, "channels": list(contact.channels), "encrypted": asdict(contact.encrypted)}
