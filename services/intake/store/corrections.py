"""What a supportee corrects of a request that was sent."""

from dataclasses import dataclass

from pymongo import ReturnDocument

from services.intake.domain import Request
from services.intake.rules import Pace
from shared.documents import load_one, to_document
from shared.mongo import Db, Doc


@dataclass(frozen=True, kw_only=True, repr=False)
class Correction:
    """What a correction changes of a request; None: nothing. `of_contact`: notify has to hear of it, too."""

    encrypted_answers: str
    choices: tuple[str, ...]
    names_somebody: bool
    time_zone: str
    pace: Pace
    email_index: str | None
    phone_index: str | None
    unread: bool | None
    on_their_word: bool | None
    asks_for_words: bool
    texts_are_safe: bool
    of_contact: bool


def correct(db: Db, request_id: str, correction: Correction) -> Request | None:
    """The request as it is then; None when it has ended."""
    values = {**to_document(correction)}
    del values["of_contact"]
    gone = {name: 1 for name in ("email_index", "phone_index") if name not in values}
    more = {"changes": 1, "contact_version": int(correction.of_contact)}
    here = {"_id": request_id, "ended_at": None, "encrypted_answers": {"$exists": True}}
    _begin_contact_version(db, request_id)
    change: Doc = {"$set": values, "$inc": more, **({"$unset": gone} if gone else {})}
    return load_one(Request, db.requests.find_one_and_update(here, change, return_document=ReturnDocument.AFTER))


def _begin_contact_version(db: Db, request_id: str) -> None:
    """Requests of earlier releases have none: their contact was shared once."""
    db.requests.update_one({"_id": request_id, "contact_version": {"$exists": False}}, {"$set": {"contact_version": 1}})


def count_change(db: Db, request_id: str) -> Request | None:
    """Their answers are sent once more, unchanged."""
    here, change = {"_id": request_id, "ended_at": None}, {"$inc": {"changes": 1}}
    return load_one(Request, db.requests.find_one_and_update(here, change, return_document=ReturnDocument.AFTER))
