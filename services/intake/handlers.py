"""What a supportee does, and what their page shows of what happens."""

import json
from dataclasses import dataclass
from typing import Literal

from services.intake import store
from services.intake.encryption import EncryptedNote, NewRequest
from shared.clock import now
from shared.contracts import (
    ChoiceMade,
    CoordinatorNeeded,
    EncryptedFields,
    MatchMade,
    NoteAnswered,
    NoteWritten,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferReleased,
    PractitionerChanged,
    RequestWaiting,
    RequestWithdrawn,
    SignInRequested,
    SuggestionsMade,
)
from shared.messages import Event
from shared.mongo import Db, Doc
from shared.service import Service
from shared.vault import DecryptionError

service = Service("intake", indexes=store.INDEXES)


# What a supportee does


@dataclass(frozen=True, repr=False)
class DraftSaved:
    """`code`: given when the person wants to come back by code words."""

    row: Doc
    code: Doc | None = None


def keep_draft(saved: DraftSaved, db: Db) -> list[Event]:
    store.keep_draft(db, saved.row)
    if saved.code:
        store.keep_code(db, **saved.code)
    return []


def erase_draft(person_id: str, db: Db) -> list[Event]:
    store.drop_draft(db, person_id)
    store.drop_codes(db, person_id)
    return []


def submit_request(new: NewRequest, db: Db) -> list[Event]:
    store.add_request(db, new.row)
    store.keep_code(db, **new.code)
    store.keep_link(db, **new.link)
    store.drop_draft(db, new.row["person_id"])
    return [new.submitted, new.contact]


def forget_code_words(request_id: str, db: Db) -> list[Event]:
    store.forget_words(db, request_id)
    return []


@dataclass(frozen=True, repr=False)
class LinkAsked:
    """`request` is None when nobody here has that address: then the same page is shown and nothing is said."""

    request: Doc | None
    token_digest: str
    encrypted: EncryptedFields


DAYS_A_LINK_WORKS = 1


def send_link(asked: LinkAsked, db: Db) -> list[Event]:
    if asked.request is None:
        return []
    person_id = asked.request["person_id"]
    store.keep_link(db, asked.token_digest, asked.request["_id"], person_id, store.in_days(DAYS_A_LINK_WORKS))
    return [SignInRequested(person_id=person_id, encrypted=asked.encrypted)]


@dataclass(frozen=True)
class NextChosen:
    """`version`: of the fact that the page showed when they chose."""

    request_id: str
    version: int
    next: Literal["ask", "wait", "person"]
    practitioner_id: str | None = None


def choose_what_happens_next(chosen: NextChosen, db: Db) -> list[Event]:
    if not store.note_choice(db, chosen.request_id, chosen.version, chosen.next, chosen.practitioner_id):
        return []
    return [ChoiceMade(request_id=chosen.request_id, next=chosen.next, practitioner_id=chosen.practitioner_id)]


def withdraw_request(request_id: str, db: Db) -> list[Event]:
    return [RequestWithdrawn(request_id=request_id)] if store.note_withdrawn(db, request_id) else []


def write_back(note: EncryptedNote, db: Db) -> list[Event]:
    if not store.add_note(db, note.request_id, {"id": note.note_id, "encrypted": note.encrypted, "at": now(), "by": "supportee"}):
        return []
    return [NoteAnswered(note_id=note.note_id, request_id=note.request_id, encrypted=note.encrypted)]


# What others say


@service.on(NoteWritten)
def show_note(said: NoteWritten, db: Db) -> list[Event]:
    note = {"id": said.note_id, "encrypted": said.encrypted, "at": now(), "by": said.practitioner_id or "coordinator"}
    store.add_note(db, said.request_id, note)
    return []


@service.on(PractitionerChanged)
def keep_directory_entry(said: PractitionerChanged, db: Db) -> list[Event]:
    try:
        slug = json.loads(service.vault.decrypt_profile(said.practitioner_id, said.encrypted_profile)).get("slug", "")
    except DecryptionError:
        slug = ""
    store.keep_entry(db, said, service.vault.blind_index("slug", slug) if slug else "")
    return []


@service.on(OfferMade)
def show_who_is_asked(said: OfferMade, db: Db) -> list[Event]:
    return _show(said, db, practitioner_id=said.practitioner_id, answer_by=said.answer_by)


@service.on(OfferDeclined)
def show_not_this_time(said: OfferDeclined, db: Db) -> list[Event]:
    return _show(said, db, practitioner_id=said.practitioner_id, then=said.then)


@service.on(OfferExpired)
def show_that_time_ran_out(said: OfferExpired, db: Db) -> list[Event]:
    return _show(said, db, practitioner_id=said.practitioner_id, then=said.then)


@service.on(OfferReleased)
def show_that_asking_ended(said: OfferReleased, db: Db) -> list[Event]:
    return _show(said, db, practitioner_id=said.practitioner_id, why=said.reason)


@service.on(MatchMade)
def show_the_match(said: MatchMade, db: Db) -> list[Event]:
    return _show(said, db, practitioner_id=said.practitioner_id)


@service.on(SuggestionsMade)
def show_suggestions(said: SuggestionsMade, db: Db) -> list[Event]:
    return _show(said, db, practitioner_ids=list(said.practitioner_ids))


@service.on(RequestWaiting)
def show_waiting(said: RequestWaiting, db: Db) -> list[Event]:
    return _show(said, db, waiting_for=said.waiting_for, practitioner_ids=list(said.practitioner_ids))


@service.on(CoordinatorNeeded)
def show_that_a_person_helps(said: CoordinatorNeeded, db: Db) -> list[Event]:
    return _show(said, db, why=said.reason, reaching_out=said.reaching_out)


Shown = (
    OfferMade | OfferDeclined | OfferExpired | OfferReleased | MatchMade | SuggestionsMade | RequestWaiting | CoordinatorNeeded
)


def _show(said: Shown, db: Db, **what: object) -> list[Event]:
    store.note_fact(db, said.request_id, {"kind": said.event_type, "version": said.version, "at": now(), **what})
    return []
