"""Every query of intake, by name. What people wrote lies here encrypted only, and no key to it."""

import json
from datetime import datetime, timedelta
from typing import Any

from pymongo import IndexModel

from services.intake.rules import Entry
from shared import tokens
from shared.clock import now
from shared.contracts import PractitionerChanged
from shared.mongo import Db, Doc
from shared.vault import DecryptionError, Vault

INDEXES = {
    "requests": [
        IndexModel("person_id", unique=True),
        IndexModel("email_index", partialFilterExpression={"email_index": {"$exists": True}}),
        IndexModel("phone_index", partialFilterExpression={"phone_index": {"$exists": True}}),
        IndexModel("expires_at", expireAfterSeconds=24 * 3600),
    ],
    "codes": [IndexModel("person_id"), IndexModel("expires_at", expireAfterSeconds=24 * 3600)],
    "drafts": [IndexModel("expires_at", expireAfterSeconds=24 * 3600)],
    "directory": [
        IndexModel("slug_index", partialFilterExpression={"slug_index": {"$exists": True}}),
    ],
    "links": tokens.INDEXES,
    "sessions": [IndexModel("expires_at", expireAfterSeconds=0), IndexModel("person_id")],
}


# The directory: what everybody may see of practitioners


def keep_entry(db: Db, said: PractitionerChanged, slug_index: str) -> None:
    """Only the newest version stays, in whatever order they arrive."""
    row = {
        "version": said.version, "state": said.state, "resting_until": said.resting_until, "languages": list(said.languages),
        "meeting_types": list(said.meeting_types), "parts": list(said.parts), "help": list(said.help), "encrypted_profile": said.encrypted_profile,
        "slug_index": slug_index,
    }  # fmt: skip
    known = db.directory.find_one({"_id": said.practitioner_id}, {"version": 1})
    if known is None:
        db.directory.insert_one({"_id": said.practitioner_id, **row})
    elif known["version"] < said.version:
        db.directory.replace_one({"_id": said.practitioner_id}, row)


def entries(db: Db, vault: Vault) -> dict[str, Entry]:
    """Everybody who still offers meetings here. A profile that cannot be opened is left out, not the whole page."""
    rows = db.directory.find({"state": {"$ne": "stepped_back"}})
    found = (_entry(row, vault) for row in rows)
    return {entry.id: entry for entry in found if entry}


def some_entries(db: Db, vault: Vault, ids: list[str]) -> dict[str, Entry]:
    """These people, also those who stepped back: a request may still speak of them."""
    found = (_entry(row, vault) for row in db.directory.find({"_id": {"$in": ids}}))
    return {entry.id: entry for entry in found if entry}


def entry_by_slug(db: Db, vault: Vault, slug: str) -> Entry | None:
    row = db.directory.find_one({"slug_index": vault.blind_index("slug", slug)})
    return _entry(row, vault) if row else None


def _entry(row: Doc, vault: Vault) -> Entry | None:
    try:
        profile = json.loads(vault.decrypt_profile(row["_id"], row["encrypted_profile"]))
    except DecryptionError:
        return None
    own = {name: _as_text(profile.get(name)) for name in _OWN_WORDS}
    return Entry(
        id=row["_id"], state=row["state"], resting_until=row["resting_until"], languages=tuple(row["languages"]),
        meeting_types=tuple(row["meeting_types"]), parts=tuple(row["parts"]), help=tuple(row["help"]), **own,
    )  # fmt: skip


_OWN_WORDS = ("slug", "name", "pronouns", "words", "can_sit_with", "first_meeting", "not_offered", "access")


def _as_text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")


# Drafts


def draft(db: Db, person_id: str) -> Doc | None:
    return db.drafts.find_one({"_id": person_id, "expires_at": {"$gt": now()}})


def keep_draft(db: Db, row: Doc) -> None:
    """A draft whose request was sent does not come back: a page left open may still try to save it."""
    if db.requests.find_one({"person_id": row["_id"]}, {"_id": 1}) is None:
        db.drafts.replace_one({"_id": row["_id"]}, row, upsert=True)


def drop_draft(db: Db, person_id: str) -> None:
    db.drafts.delete_one({"_id": person_id})


def drop_codes(db: Db, person_id: str) -> None:
    db.codes.delete_many({"person_id": person_id})


# Codes and links


def keep_code(db: Db, code_id: str, person_id: str, wrap: str, expires_at: datetime) -> None:
    db.codes.replace_one({"_id": code_id}, {"person_id": person_id, "wrap": wrap, "expires_at": expires_at}, upsert=True)


def code(db: Db, code_id: str) -> Doc | None:
    return db.codes.find_one({"_id": code_id, "expires_at": {"$gt": now()}})


def keep_link(db: Db, token_digest: str, request_id: str, person_id: str, expires_at: datetime, wrap: str = "") -> None:
    """`wrap`: the person's data key under the token itself, so that whoever holds the letter can read what they wrote."""
    row = {"_id": token_digest, "purpose": "status", "subject_id": request_id, "person_id": person_id, "expires_at": expires_at}
    db.links.insert_one({**row, "wrap": wrap} if wrap else row)


def link(db: Db, token: str) -> Doc | None:
    return db.links.find_one({"_id": tokens.digest(token), "purpose": "status", "expires_at": {"$gt": now()}})


# Requests


def add_request(db: Db, row: Doc) -> None:
    db.requests.insert_one(row)


def request(db: Db, request_id: str) -> Doc | None:
    return db.requests.find_one({"_id": request_id})


def request_of(db: Db, person_id: str) -> Doc | None:
    return db.requests.find_one({"person_id": person_id})


def newest_request_at(db: Db, kind: str, index: str) -> Doc | None:
    """The newest request that is still going on, of whoever wrote from this address."""
    return db.requests.find_one({f"{kind}_index": index, "withdrawn_at": None}, sort=[("sent_at", -1)])


def note_fact(db: Db, request_id: str, fact: Doc) -> None:
    """Each fact once, in whatever order they arrive."""
    known = {"$elemMatch": {"version": fact["version"], "kind": fact["kind"]}}
    db.requests.update_one({"_id": request_id, "happened": {"$not": known}}, {"$push": {"happened": fact}})


def note_choice(db: Db, request_id: str, version: int, next: str, practitioner_id: str | None) -> bool:
    """True when this is the first answer to what the fact with this version asked."""
    chosen = {"version": version, "next": next, "practitioner_id": practitioner_id, "at": now()}
    unanswered = {"_id": request_id, "withdrawn_at": None, "$or": [{"chosen": None}, {"chosen.version": {"$lt": version}}]}
    return db.requests.update_one(unanswered, {"$set": {"chosen": chosen}}).modified_count == 1


def note_withdrawn(db: Db, request_id: str) -> bool:
    """What they wrote goes at once; that the request was withdrawn is kept, so that its page can say so."""
    done = db.requests.update_one(
        {"_id": request_id, "withdrawn_at": None},
        {"$set": {"withdrawn_at": now()}, "$unset": {"encrypted": 1, "words_until": 1, "notes": 1}},
    )
    return done.modified_count == 1


def add_note(db: Db, request_id: str, note: Doc) -> bool:
    """Each note once, and none after they left."""
    here = {"_id": request_id, "withdrawn_at": None, "notes.id": {"$ne": note["id"]}}
    return db.requests.update_one(here, {"$push": {"notes": note}}).modified_count == 1


def forget_words(db: Db, request_id: str) -> None:
    db.requests.update_one({"_id": request_id}, {"$unset": {"encrypted.code_words": 1, "words_until": 1}})


def in_days(days: float) -> datetime:
    return now() + timedelta(days=days)
