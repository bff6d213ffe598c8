"""Every query of intake, by name. Documents become objects of domain.py here and nowhere else: a field is stored under its name,
`id` as `_id`, None is left out (shared/documents.py). What only its owner may read is encrypted under the owner's key."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from bson import Timestamp
from pymongo import IndexModel, ReturnDocument

from services.intake.domain import AccessCode, AccessLink, CodeWords, Draft, EncryptedNote, Opening, Request, SharedNotes
from services.intake.lifetimes import KEPT_AFTER_THE_END
from services.intake.rules import Entry, NextChoice, Pace, StatusEvent
from shared import tokens, vault
from shared.clock import now
from shared.contracts import Eraser, PractitionerChanged, PractitionerState, WayIn
from shared.documents import load_each, load_one, to_document
from shared.mongo import Db, Doc
from shared.vault import DecryptionError, Vault


def _where_it_exists(field: str) -> IndexModel:
    return IndexModel(field, partialFilterExpression={field: {"$exists": True}})


MOST_REEMISSIONS = 5
_UNANSWERED: Doc = {"history": []}
_CHANGES = IndexModel([(name, 1) for name in ("changed_at", "_id", "state", "version")])  # answers without reading an entry
INDEXES = {
    "requests": [
        IndexModel("person_id", unique=True),
        _where_it_exists("email_index"),
        _where_it_exists("phone_index"),
        _where_it_exists("code_words_until"),
        IndexModel("reconciled_at", partialFilterExpression=_UNANSWERED),
        IndexModel("reemissions", name="given_up", partialFilterExpression={"reemissions": {"$gte": MOST_REEMISSIONS}}),
        _where_it_exists("next_look_at"),
    ],
    "drafts": [],
    "erasures": [IndexModel("at", name="open", partialFilterExpression={"open": True})],
    "directory": [_where_it_exists("slug_index"), IndexModel("state"), _CHANGES],
    "links": tokens.INDEXES,
    "sessions": tokens.INDEXES,
}
CODE_WORDS_AT_ONCE = 500
LOOKS_AT_ONCE = 1000
ERASURES_AT_ONCE = 500
ERASERS: tuple[Eraser, ...] = get_args(Eraser)
UNANSWERED_AT_ONCE = 500


# The directory: what everybody may see of practitioners. A document is practitioner.changed with its encrypted profile, an index
# of its address and `changed_at`: MongoDB puts its own time in the place of an empty timestamp, so one clock stamps every change.

_BY_THE_DATABASE = Timestamp(0, 0)


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


def entries(db: Db, keys: Vault) -> dict[str, Entry]:
    """Everybody who still offers meetings here. A profile that cannot be decrypted or read is left out, not the whole page."""
    return _entries(db.directory.find({"state": {"$ne": "stepped_back"}}), keys)


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
    return next(load_each(Entry, [shown]), None)


_OWN_WORDS = ("slug", "name", "pronouns", "words", "can_sit_with", "first_meeting", "not_offered", "access")


def _as_text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "")


# Drafts. {_id: person's id, request_id, encrypted: what was typed and the code words, expires_at}


def draft(db: Db, person_id: str, key: bytes) -> Draft | None:
    document = db.drafts.find_one({"_id": person_id, "expires_at": {"$gt": now()}})
    if document is None:
        return None
    content = json.loads(vault.decrypt(key, person_id, "draft", document["encrypted"]))
    code_words = load_one(CodeWords, content["code_words"])
    typed = {int(question): answers for question, answers in content["typed"].items()}
    return Draft(person_id=person_id, request_id=document["request_id"], key=key, typed=typed, code_words=code_words)


def save_draft(db: Db, draft: Draft, expires_at: datetime) -> bool:
    """A draft whose request was sent, or erased since, does not come back: a page left open may still try to save it."""
    if db.requests.find_one({"person_id": draft.person_id}, {"_id": 1}) or db.erasures.find_one({"_id": draft.request_id}):
        return False
    content = {"typed": draft.typed, "code_words": to_document(draft.code_words) if draft.code_words else None}
    encrypted = vault.encrypt(draft.key, draft.person_id, "draft", json.dumps(content))
    document = {"request_id": draft.request_id, "encrypted": encrypted, "expires_at": expires_at}
    db.drafts.replace_one({"_id": draft.person_id}, document, upsert=True)
    return True


def delete_draft(db: Db, person_id: str) -> None:
    db.drafts.delete_one({"_id": person_id})


# Code words and links


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


# Requests. A document is a Request.


def add_request(db: Db, request: Request) -> None:
    db.requests.insert_one(to_document(request))


def request(db: Db, request_id: str) -> Request | None:
    return load_one(Request, db.requests.find_one({"_id": request_id}))


def request_of(db: Db, person_id: str) -> Request | None:
    return load_one(Request, db.requests.find_one({"person_id": person_id}))


def newest_request_at(db: Db, channel: str, index: str) -> Request | None:
    """The newest request that is still going on, of whoever wrote from this address."""
    going_on = {f"{channel}_index": index, "ended_at": None}
    return load_one(Request, db.requests.find_one(going_on, sort=[("sent_at", -1)]))


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
    """Answers, notes and code words go at once; the rest stays for a while, so that its page can say what happened."""
    gone = dict.fromkeys(
        ("encrypted_answers", "encrypted_code_words", "code_words_until", "notes", "next_look_at", "openings", "shared_notes"), 1
    )
    change = {"$set": {"ended_at": now()}, "$unset": gone}
    ended = db.requests.find_one_and_update({"_id": request_id, "ended_at": None}, change)
    if ended is not None:
        db.links.update_many({"person_id": ended["person_id"]}, {"$min": {"expires_at": now() + KEPT_AFTER_THE_END}})
    return ended is not None


def mark_allowed(db: Db, request_id: str) -> bool:
    """True when it was not allowed before."""
    waits = {"_id": request_id, "ended_at": None, "on_their_word": True}
    return db.requests.update_one(waits, {"$set": {"on_their_word": False}}).modified_count == 1


def mark_read(db: Db, request_id: str, *, on_their_word: bool) -> None:
    """Once: heard again, it takes nothing back that they have allowed since."""
    change = {"unread": False, **({"on_their_word": True} if on_their_word else {})}
    db.requests.update_one({"_id": request_id, "unread": True}, {"$set": change})


def erase_request(db: Db, request: Request) -> None:
    """With all that opens it, and a draft that a page left open may have saved since."""
    db.requests.delete_one({"_id": request.id})
    db.links.delete_many({"person_id": request.person_id})
    db.drafts.delete_one({"_id": request.person_id})


def add_note(db: Db, request_id: str, note: EncryptedNote) -> bool:
    """Each note once, and none after they left."""
    here = {"_id": request_id, "ended_at": None, "notes._id": {"$ne": note.id}}
    return db.requests.update_one(here, {"$push": {"notes": to_document(note)}}).modified_count == 1


@dataclass(frozen=True, kw_only=True, repr=False)
class Correction:
    """What a correction changes of a request; None: nothing. `of_contact`: notify has to hear of it, too."""

    encrypted_answers: str
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


def delete_links(db: Db, person_id: str) -> None:
    """Those that were sent to an address: it was not theirs, or is not any more."""
    db.links.delete_many({"person_id": person_id, "purpose": {"$ne": "code_words"}})


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


def add_opening(db: Db, request_id: str, opening: Opening) -> None:
    here = {"_id": request_id, "ended_at": None, "openings._id": {"$ne": opening.id}}
    db.requests.update_one(here, {"$push": {"openings": to_document(opening)}})


def add_shared_notes(db: Db, request_id: str, shared: SharedNotes) -> None:
    db.requests.update_one({"_id": request_id, "ended_at": None}, {"$push": {"shared_notes": to_document(shared)}})


def delete_notes_of(db: Db, request_id: str, match_ids: Collection[str]) -> None:
    db.requests.update_one({"_id": request_id}, {"$pull": {"notes": {"match_id": {"$in": list(match_ids)}}}})


def requests_with_old_code_words(db: Db) -> list[str]:
    """Ids of some of those whose code words may no longer be shown."""
    found = db.requests.find({"code_words_until": {"$lte": now()}}, {"_id": 1}).limit(CODE_WORDS_AT_ONCE)
    return [document["_id"] for document in found]


def unanswered_requests(db: Db, sent_before: datetime) -> list[tuple[str, str]]:
    """Request id and person id of some about which no event came back, and which may be published again. Those that nobody has
    looked at come first, then those for whom that is longest ago."""
    where = {
        **_UNANSWERED,
        "ended_at": None,
        "sent_at": {"$lte": sent_before},
        "reemissions": {"$not": {"$gte": MOST_REEMISSIONS}},
    }
    found = db.requests.find(where, {"person_id": 1}).sort("reconciled_at", 1).limit(UNANSWERED_AT_ONCE)
    return [(document["_id"], document["person_id"]) for document in found]


def mark_reconciled(db: Db, request_id: str, *, reemitted: bool) -> None:
    db.requests.update_one({"_id": request_id}, {"$set": {"reconciled_at": now()}, "$inc": {"reemissions": int(reemitted)}})


def count_given_up(db: Db) -> int:
    """Requests that were published again as often as may be, and about which still no event came back."""
    where = {**_UNANSWERED, "ended_at": None, "reemissions": {"$gte": MOST_REEMISSIONS}}
    return db.requests.count_documents(where)


def requests_to_look_at(db: Db) -> list[str]:
    """Ids of some of those of whom something may be due because time passed, the longest due first."""
    found = db.requests.find({"next_look_at": {"$lte": now()}}, {"_id": 1}).sort("next_look_at", 1).limit(LOOKS_AT_ONCE)
    return [document["_id"] for document in found]


def save_look(db: Db, request: Request) -> None:
    """How somebody who waits is written to, and when to look again."""
    names = ("pace", "next_look_at", "told_at", "asked_at", "warned_at", "gone_silent_at")
    looked = {name: getattr(request, name) for name in names}
    known = {name: value for name, value in looked.items() if value is not None}
    db.requests.update_one({"_id": request.id, "ended_at": None}, {"$set": known})


def record_sign_of_life(db: Db, request_id: str, silent_since: datetime) -> None:
    change = {"$max": {"silent_since": silent_since}, "$unset": {"gone_silent_at": 1}}
    db.requests.update_one({"_id": request_id, "ended_at": None}, change)


def delete_code_words(db: Db, request_id: str) -> None:
    db.requests.update_one({"_id": request_id}, {"$unset": {"encrypted_code_words": 1, "code_words_until": 1}})


# The ledger of erasures: {_id: request id, at, answered: services that erased what they held, open: true until all did, late_at}


def begin_erasure(db: Db, request_id: str, moment: datetime) -> None:
    db.erasures.insert_one({"_id": request_id, "at": moment, "answered": [], "open": True})


def erasure_answered(db: Db, request_id: str, by: Eraser) -> None:
    db.erasures.update_one({"_id": request_id}, {"$addToSet": {"answered": by}})
    db.erasures.update_one({"_id": request_id, "answered": {"$all": ERASERS}}, {"$unset": {"open": 1}})


def open_erasures(db: Db, begun_before: datetime) -> list[str]:
    found = db.erasures.find({"open": True, "at": {"$lte": begun_before}}, {"_id": 1}).limit(ERASURES_AT_ONCE)
    return [document["_id"] for document in found]


def mark_erasure_late(db: Db, request_id: str, moment: datetime) -> tuple[Eraser, ...]:
    """Who has not answered; nobody when that was said before."""
    open_now = db.erasures.find_one_and_update({"_id": request_id, "open": True, "late_at": None}, {"$set": {"late_at": moment}})
    return tuple(each for each in ERASERS if open_now and each not in open_now["answered"])


def in_days(days: float) -> datetime:
    return now() + timedelta(days=days)
