"""Code words and links: what opens somebody's own page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

from services.intake.domain import AccessCode, AccessLink
from shared.clock import now
from shared.contracts import WayIn
from shared.documents import load_one, to_document
from shared.mongo import Db, Doc


def save_code(db: Db, code: AccessCode, *, is_new: bool = False) -> None:
    if is_new:
        db.links.insert_one(to_document(code))
    else:
        db.links.replace_one({"_id": code.id}, to_document(code), upsert=True)


def code(db: Db, code_id: str) -> AccessCode | None:
    return load_one(AccessCode, db.links.find_one(_valid(code_id, "code_words")))


def delete_codes(db: Db, person_id: str) -> None:
    db.links.delete_many({"person_id": person_id, "purpose": "code_words"})


def add_link(db: Db, link: AccessLink) -> None:
    db.links.insert_one(to_document(link))


def grant_link(db: Db, link: AccessLink) -> None:
    """New, or the note keys of one that is there: the two may come in any order."""
    document = to_document(link)
    id, wraps = document.pop("_id"), document.pop("note_wraps")
    granted = {"$set": {"note_wraps": wraps}} if wraps else {}
    db.links.update_one({"_id": id}, {"$setOnInsert": document, **granted}, upsert=True)


def shorten_letter_links(db: Db, person_id: str, until: datetime) -> None:
    db.links.update_many({"person_id": person_id, "purpose": "letter"}, {"$min": {"expires_at": until}})


def count_ways_in(db: Db, person_id: str, moment: datetime) -> int:
    """Those that were asked for and still open."""
    asked = {"person_id": person_id, "purpose": {"$in": ["asked_for", "texted"]}, "expires_at": {"$gt": moment}}
    return db.links.count_documents(asked)


def link(db: Db, link_id: str) -> AccessLink | None:
    kinds = {"$in": list(get_args(WayIn))}
    return load_one(AccessLink, db.links.find_one({"_id": link_id, "purpose": kinds, "expires_at": {"$gt": now()}}))


def bind_link(db: Db, link_id: str, purposes: Sequence[WayIn], device: str) -> None:
    db.links.update_one({"_id": link_id, "purpose": {"$in": list(purposes)}, "device": None}, {"$set": {"device": device}})


def count_try(db: Db, link_id: str) -> None:
    db.links.update_one({"_id": link_id, "purpose": "texted"}, {"$inc": {"tries": 1}})


def delete_link(db: Db, link_id: str) -> None:
    db.links.delete_one({"_id": link_id})


def _valid(id: str, purpose: Literal["code_words"]) -> Doc:
    return {"_id": id, "purpose": purpose, "expires_at": {"$not": {"$lte": now()}}}


def delete_links(db: Db, person_id: str) -> None:
    """Those that were sent to an address: it was not theirs, or is not any more."""
    db.links.delete_many({"person_id": person_id, "purpose": {"$ne": "code_words"}})


def delete_texted_codes(db: Db, person_id: str) -> None:
    """Those that were sent to a number: as above."""
    db.links.delete_many({"person_id": person_id, "purpose": "texted"})
