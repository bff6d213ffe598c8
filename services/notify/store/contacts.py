"""Contacts: how each person wants to be told things. A document is a Contact."""

from collections.abc import Iterable
from datetime import datetime

from services.notify.domain import Contact, Message
from shared.documents import load_all, load_one, to_document
from shared.mongo import Db, Doc


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
    forget_number(db, contact)


def forget_number(db: Db, contact: Contact) -> None:
    """Of a number that is nobody's any more, nothing stays but that it said stop."""
    if contact.phone_hash and not db.contacts.find_one({"phone_hash": contact.phone_hash}, {"_id": 1}):
        db.phone_numbers.delete_one({"_id": contact.phone_hash, "stopped_at": {"$exists": False}})
        db.phone_numbers.update_one({"_id": contact.phone_hash}, {"$unset": {"texted_at": "", "texted_by": ""}})
