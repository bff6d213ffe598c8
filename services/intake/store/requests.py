"""Requests. A document is a Request."""

from pymongo import ReturnDocument

from services.intake.domain import Request
from services.intake.lifetimes import KEPT_AFTER_THE_END
from services.intake.rules import NextChoice, StatusEvent
from shared.clock import now
from shared.documents import load_all, load_one, to_document
from shared.mongo import Db, Doc

CODE_WORDS_AT_ONCE = 500


def add_request(db: Db, request: Request) -> None:
    db.requests.insert_one(to_document(request))


def request(db: Db, request_id: str) -> Request | None:
    return load_one(Request, db.requests.find_one({"_id": request_id}))


def request_of(db: Db, person_id: str) -> Request | None:
    return load_one(Request, db.requests.find_one({"person_id": person_id}))


def requests_at(db: Db, channel: str, index: str, at_most: int) -> list[Request]:
    """Those that are still going on, of whoever wrote from this address: the newest first."""
    going_on = {f"{channel}_index": index, "ended_at": None}
    return load_all(Request, db.requests.find(going_on).sort("sent_at", -1).limit(at_most))


def add_to_history(db: Db, request_id: str, event: StatusEvent) -> None:
    """Each event once, in whatever order they arrive."""
    same = {"$elemMatch": {"version": event.version, "event_type": event.event_type}}
    db.requests.update_one({"_id": request_id, "history": {"$not": same}}, {"$push": {"history": to_document(event)}})


def save_choice(db: Db, request_id: str, choice: NextChoice) -> bool:
    """True when this is the first choice after the event with this version."""
    unanswered = [{"choice": None}, {"choice.version": {"$lt": choice.version}}]
    where = {"_id": request_id, "ended_at": None, "$or": unanswered}
    return db.requests.update_one(where, {"$set": {"choice": to_document(choice)}}).modified_count == 1


def mark_lapsed(db: Db, request_id: str) -> bool:
    """Answers, notes, agreements and code words go at once; the rest stays for a while: its page can say what happened."""
    gone = dict.fromkeys(
        (
            "encrypted_answers",
            "encrypted_code_words",
            "code_words_until",
            "notes",
            "next_look_at",
            "openings",
            "shared_notes",
            "plan",
        ),
        1,
    )
    change = {"$set": {"ended_at": now()}, "$unset": gone}
    ended = db.requests.find_one_and_update({"_id": request_id, "ended_at": None}, change)
    if ended is not None:
        db.agreements.delete_many({"request_id": request_id})
        db.look_backs.delete_many({"request_id": request_id})
        db.links.update_many({"person_id": ended["person_id"]}, {"$min": {"expires_at": now() + KEPT_AFTER_THE_END}})
    return ended is not None


def mark_allowed(db: Db, request_id: str) -> bool:
    """True when it was not allowed before."""
    waits = {"_id": request_id, "ended_at": None, "on_their_word": True}
    return db.requests.update_one(waits, {"$set": {"on_their_word": False}}).modified_count == 1


def mark_allowed_unread(db: Db, request_id: str) -> bool:
    """True the first time, while nobody may read what we should know first."""
    waits = {"_id": request_id, "ended_at": None, "unread": True, "has_no_reader": True}
    return db.requests.update_one(waits, {"$set": {"unread": False, "on_their_word": False}}).modified_count == 1


def mark_released(db: Db, request_id: str) -> None:
    db.requests.update_one({"_id": request_id}, {"$set": {"held": False}})


def mark_confirmed(db: Db, request_id: str) -> bool:
    """True the first time, while the request is held."""
    here = {"_id": request_id, "ended_at": None, "held": True, "confirmed": {"$ne": True}}
    return db.requests.update_one(here, {"$set": {"confirmed": True}}).modified_count == 1


def mark_read(db: Db, request_id: str, *, on_their_word: bool) -> None:
    """Once: heard again, it takes nothing back that they have allowed since."""
    change = {"unread": False, **({"on_their_word": True} if on_their_word else {})}
    db.requests.update_one({"_id": request_id, "unread": True}, {"$set": change})


def save_readers(db: Db, request_id: str, *, has_no_reader: bool, version: int) -> None:
    """The newest holds, in whatever order they come."""
    older = {"_id": request_id, "$or": [{"readers_version": {"$lt": version}}, {"readers_version": {"$exists": False}}]}
    db.requests.update_one(older, {"$set": {"has_no_reader": has_no_reader, "readers_version": version}})


def erase_request(db: Db, request: Request) -> None:
    """With all that opens it, and a draft that a page left open may have saved since."""
    db.requests.delete_one({"_id": request.id})
    db.meetings.delete_many({"request_id": request.id})
    db.agreements.delete_many({"request_id": request.id})
    db.look_backs.delete_many({"request_id": request.id})
    db.links.delete_many({"person_id": request.person_id})
    db.drafts.delete_one({"_id": request.person_id})


def change_hold(db: Db, request_id: str, match_id: str, *, on_hold: bool) -> int | None:
    """The number of this change; None when it stood so already."""
    stands: Doc = {"on_hold": {"$ne": match_id}} if on_hold else {"on_hold": match_id}
    new: Doc = {"$set": {"on_hold": match_id}} if on_hold else {"$unset": {"on_hold": 1}}
    found = db.requests.find_one_and_update(
        {"_id": request_id, "ended_at": None, **stands},
        {**new, "$inc": {"hold_changes": 1}},
        return_document=ReturnDocument.AFTER,
    )
    return int(found["hold_changes"]) if found else None


def requests_with_old_code_words(db: Db) -> list[str]:
    """Ids of some of those whose code words may no longer be shown."""
    found = db.requests.find({"code_words_until": {"$lte": now()}}, {"_id": 1}).limit(CODE_WORDS_AT_ONCE)
    return [document["_id"] for document in found]


def delete_code_words(db: Db, request_id: str) -> None:
    db.requests.update_one({"_id": request_id}, {"$unset": {"encrypted_code_words": 1, "code_words_until": 1}})


def delete_own_copy(db: Db, request_id: str) -> None:
    """What only their code words opened."""
    gone = dict.fromkeys(("encrypted_answers", "encrypted_code_words", "code_words_until"), 1)
    db.requests.update_one({"_id": request_id}, {"$unset": gone})
