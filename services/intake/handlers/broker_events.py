"""What intake shows of what the other services publish."""

import json
from dataclasses import fields, replace
from typing import get_args

from services.intake import store
from services.intake.domain import Agreement, EncryptedNote, Meetings, Opening, SharedNotes
from services.intake.handlers.service import service
from services.intake.rules import StatusEvent
from shared.clock import now
from shared.contracts import (
    AgreementChanged,
    ContactReleased,
    CoordinatorNeeded,
    MatchEnded,
    MatchEndingSettled,
    MatchEndingUndone,
    MatchMade,
    MeetingsChanged,
    NoteUnreadable,
    NoteWritten,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferReleased,
    OfferSeen,
    PractitionerChanged,
    RequestLapsed,
    RequestOpened,
    RequestReadersChanged,
    RequestReleased,
    RequestWaiting,
    SuggestionsMade,
    TeamChanged,
    TeamNotesShared,
)
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError


@service.on(NoteWritten)
def add_note(event: NoteWritten, db: Db) -> list[Event]:
    author = event.practitioner_id or "coordinator"
    note = EncryptedNote(id=event.note_id, encrypted=event.encrypted, at=now(), author=author, match_id=event.match_id)
    store.add_note(db, event.request_id, note)
    return []


@service.on(NoteUnreadable)
def show_unreadable_note(event: NoteUnreadable, db: Db) -> list[Event]:
    """Not when any coordinator may read it meanwhile."""
    store.mark_unreadable(db, event.request_id, event.note_id)
    return []


@service.on(RequestLapsed)
def end_request(event: RequestLapsed, db: Db) -> list[Event]:
    shown = StatusEvent(event_type=event.event_type, version=event.version, at=now())
    store.add_to_history(db, event.request_id, replace(shown, reason="coordinator") if event.by_coordinator else shown)
    store.mark_lapsed(db, event.request_id)
    return []


@service.on(TeamChanged)
def save_team_member(event: TeamChanged, db: Db) -> list[Event]:
    store.save_member(db, event)
    return []


@service.on(RequestReleased)
def show_release(event: RequestReleased, db: Db) -> list[Event]:
    """What was held goes its usual way."""
    store.mark_released(db, event.request_id)
    return []


@service.on(RequestOpened)
def add_opening(event: RequestOpened, db: Db) -> list[Event]:
    """Their page says who opened their request, and when."""
    opening = Opening(
        id=event.opening_id,
        at=event.opened_at,
        encrypted=event.encrypted,
        match_id=event.match_id,
        coordinator_id=event.coordinator_id,
    )
    store.add_opening(db, event.request_id, opening)
    return []


@service.on(TeamNotesShared)
def add_shared_notes(event: TeamNotesShared, db: Db) -> list[Event]:
    shared = SharedNotes(practitioner_id=event.practitioner_id, by="practitioner", at=event.shared_at)
    store.add_shared_notes(db, event.request_id, shared)
    return []


@service.on(ContactReleased)
def show_what_was_read(event: ContactReleased, db: Db) -> list[Event]:
    store.mark_read(db, event.request_id, on_their_word=event.write == "on_their_word")
    return []


@service.on(RequestReadersChanged)
def show_whether_anybody_may_read(event: RequestReadersChanged, db: Db) -> list[Event]:
    store.save_readers(db, event.request_id, has_no_reader=event.nobody, version=event.version)
    return []


@service.on(MeetingsChanged)
def save_meetings(event: MeetingsChanged, db: Db) -> list[Event]:
    known = {name.name: getattr(event, name.name) for name in fields(Meetings) if hasattr(event, name.name)}
    store.save_meetings(db, Meetings(id=event.match_id, **known))
    return []


@service.on(AgreementChanged)
def save_agreement(event: AgreementChanged, db: Db) -> list[Event]:
    """Nothing of somebody who left."""
    request = store.request(db, event.request_id)
    if request and request.ended_at is None:
        known = store.agreement_of(db, event.match_id) or Agreement(id=event.match_id, request_id=event.request_id)
        told = {name.name: getattr(event, name.name) for name in fields(Agreement) if hasattr(event, name.name)}
        store.save_agreement(db, known.hear(Agreement(id=event.match_id, **told)))
    return []


@service.on(PractitionerChanged, prefetch=lambda event: {"directory": [event.practitioner_id]})
def save_directory_entry(event: PractitionerChanged, db: Db) -> list[Event]:
    try:
        slug = json.loads(service.vault.decrypt_profile(event.practitioner_id, event.encrypted_profile)).get("slug", "")
    except DecryptionError:
        slug = ""
    store.save_entry(db, event, service.vault.blind_index("slug", slug) if slug else "")
    return []


HistoryEvent = (
    OfferMade
    | OfferSeen
    | OfferDeclined
    | OfferExpired
    | OfferReleased
    | MatchMade
    | MatchEnded
    | MatchEndingUndone
    | MatchEndingSettled
    | SuggestionsMade
    | RequestWaiting
    | CoordinatorNeeded
)


def add_to_history(event: HistoryEvent, db: Db) -> list[Event]:
    store.add_to_history(db, event.request_id, _shown(event))
    return []


for event_class in get_args(HistoryEvent):
    service.on(event_class)(add_to_history)


def _shown(event: HistoryEvent) -> StatusEvent:
    """What the request's own page shows of an event."""
    shown = StatusEvent(event_type=event.event_type, version=event.version, at=now())
    match event:
        case OfferMade():
            asked = replace(shown, practitioner_ids=(event.practitioner_id,), answer_by=event.answer_by)
            return replace(asked, if_not=event.if_not)
        case OfferDeclined() | OfferExpired():
            return replace(shown, practitioner_ids=(event.practitioner_id,), then=event.then)
        case OfferReleased():
            return replace(shown, practitioner_ids=(event.practitioner_id,), reason=event.reason)
        case MatchMade() | MatchEndingUndone():
            return replace(shown, practitioner_ids=(event.practitioner_id,), match_id=event.match_id)
        case MatchEndingSettled() | OfferSeen():
            return replace(shown, practitioner_ids=(event.practitioner_id,))
        case MatchEnded():
            ended = replace(shown, practitioner_ids=(event.practitioner_id,), reason=event.ended_by, then=event.then)
            return replace(ended, undo_until=event.undo_until, match_id=event.match_id)
        case SuggestionsMade():
            return replace(shown, practitioner_ids=event.practitioner_ids)
        case RequestWaiting():
            return replace(shown, practitioner_ids=event.practitioner_ids, waiting_for=event.waiting_for)
        case CoordinatorNeeded():
            return replace(shown, reason=event.reason, reaching_out=event.reaching_out)
