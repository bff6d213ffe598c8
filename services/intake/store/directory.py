"""The directory: what everybody may see of practitioners. A document is practitioner.changed with its encrypted profile, an
index of its address and `changed_at`: MongoDB puts its own time in the place of an empty timestamp, so one clock stamps every
change."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from bson import Timestamp

from services.intake.rules import Entry
from shared.contracts import PractitionerChanged, PractitionerState
from shared.documents import load_each, to_document
from shared.mongo import Db, Doc
from shared.vault import DecryptionError, Vault

_BY_THE_DATABASE = Timestamp(0, 0)
ENTRIES_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """That an entry changed, without the entry. Each page reads some: what cannot be right is found with the entry."""

    id: str
    state: PractitionerState | None
    version: int
    changed_at: Timestamp


def save_entry(db: Db, event: PractitionerChanged, slug_index: str) -> None:
    """Only the newest version stays, in whatever order they arrive."""
    derived = {"_id": event.practitioner_id, "slug_index": slug_index, "changed_at": _BY_THE_DATABASE}
    known = db.directory.find_one({"_id": event.practitioner_id}, {"version": 1})
    if known is None or known["version"] < event.version:
        db.directory.replace_one({"_id": event.practitioner_id}, to_document(event, derived), upsert=True)


def directory_changes(db: Db, since: Timestamp) -> list[DirectoryChange]:
    """Of entries that changed at `since` or later, each with its newest change."""
    found = db.directory.find({"changed_at": {"$gte": since}}, {"state": 1, "version": 1, "changed_at": 1})
    return [DirectoryChange(one["_id"], one.get("state"), one.get("version", 0), one["changed_at"]) for one in found]


def newest_directory_change(db: Db) -> Timestamp | None:
    """None while nothing is there."""
    found = db.directory.find_one({}, {"_id": 0, "changed_at": 1}, sort=[("changed_at", -1)])
    return found.get("changed_at") if found else None


def entries_after(db: Db, keys: Vault, state: PractitionerState, after: str) -> tuple[dict[str, Entry], str | None]:
    """Some of those in this state whose id follows, and the last id of these; None: there are no more. A profile that cannot be
    decrypted or read is left out, not the whole page."""
    found = list(db.directory.find({"state": state, "_id": {"$gt": after}}).sort("_id", 1).limit(ENTRIES_AT_ONCE))
    return _entries(found, keys), found[-1]["_id"] if len(found) == ENTRIES_AT_ONCE else None


def entries_by_id(db: Db, keys: Vault, ids: Collection[str]) -> dict[str, Entry]:
    """These people, also those who stepped back: a request may still speak of them."""
    return _entries(db.directory.find({"_id": {"$in": list(ids)}}), keys)


def states_of(db: Db, ids: Collection[str]) -> dict[str, PractitionerState]:
    """Of those among them who were here at any time."""
    found = db.directory.find({"_id": {"$in": list(ids)}})
    return {document["_id"]: document["state"] for document in found if "state" in document}


def entry_by_slug(db: Db, keys: Vault, slug: str) -> Entry | None:
    document = db.directory.find_one({"slug_index": keys.blind_index("slug", slug)})
    return _entry(document, keys) if document else None


def newest_profiles(db: Db, count: int) -> list[tuple[str, str]]:
    """Practitioner's id and encrypted profile."""
    found = db.directory.find({}, {"encrypted_profile": 1}).sort("$natural", -1).limit(count)
    return [(document["_id"], document["encrypted_profile"]) for document in found]


def _entries(documents: Iterable[Doc], keys: Vault) -> dict[str, Entry]:
    found = (_entry(document, keys) for document in documents)
    return {entry.id: entry for entry in found if entry}


def _entry(document: Doc, keys: Vault) -> Entry | None:
    try:
        profile = json.loads(keys.decrypt_profile(document["_id"], document["encrypted_profile"]))
    except DecryptionError:
        return None
    shown = {**document, **{name: _as_text(profile.get(name)) for name in _OWN_WORDS}}
    shown["lived"] = _as_text(profile.get("lived")).split()
    return next(load_each(Entry, [shown]), None)


_OWN_WORDS = ("slug", "name", "pronouns", "words", "can_sit_with", "first_meeting", "not_offered", "access", "lived_words")


def _as_text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")
