"""Every query of notify, by name."""

from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel, ReturnDocument, UpdateOne
from pymongo.write_concern import WriteConcern

from services.notify.rules import HOPEFUL, UNSENT, Contact, State
from shared.contracts import Channel, ContactShared, EncryptedFields, OfferMade, Role, TeamContactShared
from shared.mongo import MAJORITY, Db, Doc

LEASE = timedelta(minutes=2)
KEPT_AFTER_SENDING = timedelta(hours=24)
KEPT_AFTER_OFFER = timedelta(days=14)
KEPT_AFTER_NEWS = timedelta(days=120)
INDEXES = {
    "contacts": [
        IndexModel("request_id", partialFilterExpression={"request_id": {"$type": "string"}}),
        IndexModel("role"),
        IndexModel("phone", partialFilterExpression={"phone": {"$type": "string"}}),
    ],
    "letters": [
        IndexModel([("channel", ASCENDING), ("next_at", ASCENDING)], partialFilterExpression={"next_at": {"$exists": True}}),
        IndexModel("offer_id", partialFilterExpression={"offer_id": {"$type": "string"}}),
        IndexModel("person_id"),
        IndexModel("forget_at", expireAfterSeconds=0),
    ],
    "offers": [IndexModel([("practitioner_id", ASCENDING), ("code", ASCENDING)]), IndexModel("forget_at", expireAfterSeconds=0)],
    "requests": [IndexModel("forget_at", expireAfterSeconds=0)],
}

# contacts


def keep_contact(
    db: Db, event: ContactShared | TeamContactShared, role: Role, request_id: str | None, zone: str, phone: str | None
) -> None:
    """The newest version stays, whatever the order they come in."""
    known = db.contacts.find_one({"_id": event.person_id}, {"version": 1})
    if known and known["version"] >= event.version:
        return
    encrypted = {"person_id": event.encrypted.person_id, "wrap": event.encrypted.wrap, "fields": event.encrypted.fields}
    row = {
        "role": role, "request_id": request_id, "version": event.version, "channels": list(event.channels),
        "language": event.language, "time_zone": zone, "quiet_from": event.quiet_from, "quiet_until": event.quiet_until,
        "encrypted": encrypted, "phone": phone,
    }  # fmt: skip
    db.contacts.replace_one({"_id": event.person_id}, row, upsert=True)


def contact(db: Db, person_id: str) -> Contact | None:
    return _contact(db.contacts.find_one({"_id": person_id}))


def supportee_of(db: Db, request_id: str) -> Contact | None:
    return _contact(db.contacts.find_one({"request_id": request_id, "role": "supportee"}))


def coordinators(db: Db) -> list[Contact]:
    return [found for row in db.contacts.find({"role": "coordinator"}) if (found := _contact(row))]


def people_with_number(db: Db, phone: str) -> list[Contact]:
    return [found for row in db.contacts.find({"phone": phone}) if (found := _contact(row))]


def _contact(row: Doc | None) -> Contact | None:
    if row is None:
        return None
    names = "role", "request_id", "language", "time_zone", "quiet_from", "quiet_until", "phone"
    return Contact(
        person_id=row["_id"],
        channels=tuple(row["channels"]),
        encrypted=EncryptedFields(**row["encrypted"]),
        **{name: row[name] for name in names},
    )


# numbers: keyed hash of a phone number -> texts stopped, last text


def stop_texts(db: Db, phone: str, moment: datetime) -> None:
    db.numbers.update_one({"_id": phone}, {"$set": {"stopped_at": moment}}, upsert=True)


def start_texts(db: Db, phone: str) -> None:
    db.numbers.update_one({"_id": phone}, {"$unset": {"stopped_at": ""}})


def has_stopped(db: Db, phone: str) -> bool:
    return db.numbers.find_one({"_id": phone, "stopped_at": {"$exists": True}}, {"_id": 1}) is not None


def take_the_hour(db: Db, phone: str, letter_id: str, moment: datetime, gap: timedelta) -> datetime | None:
    """None when this letter may be texted now; else the moment from which it may. The same letter may always try again."""
    mine_or_past = {"$or": [{"texted_at": {"$lte": moment - gap}}, {"texted_at": None}, {"texted_by": letter_id}]}
    taken = db.numbers.update_one({"_id": phone, **mine_or_past}, {"$set": {"texted_at": moment, "texted_by": letter_id}})
    if taken.matched_count:
        return None
    # Only now: most numbers have a row, and one that has none cannot have been texted.
    row = db.numbers.find_one_and_update(
        {"_id": phone},
        {"$setOnInsert": {"texted_at": moment, "texted_by": letter_id}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    if row is None or row["texted_by"] == letter_id:
        return None
    later: datetime = row["texted_at"] + gap
    return later


# offers: what their codes mean, and whether they are over


def keep_offer(db: Db, event: OfferMade) -> bool:
    """False when the offer's end was heard before its beginning."""
    facts = {"practitioner_id": event.practitioner_id, "code": event.code, "forget_at": event.answer_by + KEPT_AFTER_OFFER}
    row = db.offers.find_one_and_update(
        {"_id": event.offer_id}, {"$set": facts}, upsert=True, return_document=ReturnDocument.AFTER
    )
    return not (row or {}).get("ended", False)


def end_offer(db: Db, offer_id: str, moment: datetime) -> None:
    change = {"$set": {"ended": True}, "$setOnInsert": {"forget_at": moment + KEPT_AFTER_OFFER}}
    db.offers.update_one({"_id": offer_id}, change, upsert=True)


def has_ended(db: Db, offer_id: str) -> bool:
    return db.offers.find_one({"_id": offer_id, "ended": True}, {"_id": 1}) is not None


def offer_with_code(db: Db, practitioner_ids: list[str], code: str) -> Doc | None:
    """The offer a code means. A code may come again after a while, so the one that still runs goes first, then the latest."""
    found = list(db.offers.find({"practitioner_id": {"$in": practitioner_ids}, "code": code}))
    return max(found, key=lambda row: (not row.get("ended", False), row["forget_at"]), default=None)


# requests: how far each supportee was told


def last_said(db: Db, request_id: str) -> tuple[int, str]:
    row = db.requests.find_one({"_id": request_id}) or {}
    return row.get("version", -1), row.get("said", "")


def note_said(db: Db, request_id: str, version: int, said: str, moment: datetime) -> None:
    row = {"version": version, "said": said, "forget_at": moment + KEPT_AFTER_NEWS}
    db.requests.update_one({"_id": request_id}, {"$set": row}, upsert=True)


# letters: each row is one thing to send, and the record of it


def put_letters(db: Db, rows: list[Doc]) -> None:
    if rows:
        db.letters.bulk_write([UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in rows])


def claim(db: Db, channel: Channel, moment: datetime) -> Doc | None:
    """The oldest letter that is due, as it was before it was claimed: `sending` then means that a sender died half way."""
    # A claim that a failover takes back lets a letter be sent twice: mail comes under the same Message-ID, a text must not.
    safe = MAJORITY if channel == "text" else WriteConcern(w=1)
    return db.letters.with_options(write_concern=safe).find_one_and_update(
        {"channel": channel, "next_at": {"$lte": moment}},
        {"$set": {"state": "sending", "next_at": moment + LEASE}, "$inc": {"tries": 1}},
        sort=[("next_at", ASCENDING)],
        return_document=ReturnDocument.BEFORE,
    )


def hold(db: Db, letter_id: str, until: datetime, *, tried: bool, reason: str) -> None:
    """`tried` false gives the try back: nobody has looked at the letter."""
    change: dict[str, Any] = {"$set": {"state": "waiting", "next_at": until, "reason": reason}}
    if not tried:
        change["$inc"] = {"tries": -1}
    db.letters.update_one({"_id": letter_id, "state": "sending"}, change)


def finish(db: Db, letter_id: str, state: State, moment: datetime, reason: str = "", *, keep_facts: bool = False) -> bool:
    """The letter needs no more sending. A receipt may have come first: a state only moves forward."""
    gone = {"next_at": ""} if keep_facts else {"next_at": "", "encrypted": ""}
    change = {"$set": {"state": state, "reason": reason, "forget_at": moment + KEPT_AFTER_SENDING}, "$unset": gone}
    return db.letters.update_one({"_id": letter_id, "state": {"$in": list(UNSENT)}}, change).matched_count == 1


def settle(db: Db, letter_id: str, state: State, moment: datetime) -> None:
    """A receipt came."""
    change = {"$set": {"state": state, "forget_at": moment + KEPT_AFTER_SENDING}, "$unset": {"next_at": "", "encrypted": ""}}
    db.letters.update_one({"_id": letter_id}, change)


def letter(db: Db, letter_id: str) -> Doc | None:
    return db.letters.find_one({"_id": letter_id})


def drop_unsent(db: Db, moment: datetime, reason: str, **where: Any) -> int:
    change = {
        "$set": {"state": "dropped", "reason": reason, "forget_at": moment + KEPT_AFTER_SENDING},
        "$unset": {"next_at": "", "encrypted": ""},
    }
    return db.letters.update_many({**where, "state": "waiting"}, change).modified_count


def was_told(db: Db, offer_id: str) -> bool:
    sent = {"offer_id": offer_id, "letter": {"$in": ["offer", "nudge"]}, "state": {"$ne": "dropped"}}
    return db.letters.find_one(sent, {"_id": 1}) is not None


def news_text_waits(db: Db, person_id: str) -> bool:
    return db.letters.find_one({"person_id": person_id, "channel": "text", "state": "waiting"}, {"_id": 1}) is not None


def hope_left(db: Db, cause: str, letter_name: str, person_id: str) -> bool:
    """Whether another way of telling the same thing may still arrive."""
    same = {"person_id": person_id, "cause": cause, "letter": letter_name, "state": {"$in": list(HOPEFUL)}}
    return db.letters.find_one(same, {"_id": 1}) is not None
