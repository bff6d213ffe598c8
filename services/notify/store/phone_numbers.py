"""Numbers that are texted, by their keyed hash.

{_id: keyed hash of a number, stopped_at: absent unless they said stop, texted_at, texted_by: notification's id,
wrong_codes_at: when wrong codes came lately, codes_blocked_until: after too many of them}"""

from datetime import datetime, timedelta

from pymongo import ReturnDocument

from shared.mongo import Db


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
