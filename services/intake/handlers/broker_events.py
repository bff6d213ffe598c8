"""What intake shows of what the other services publish."""

import json
from typing import get_args

from services.intake import store
from services.intake.domain import EncryptedNote
from services.intake.handlers.service import service
from services.intake.rules import StatusEvent
from shared.clock import now
from shared.contracts import (
    CoordinatorNeeded,
    MatchMade,
    NoteWritten,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferReleased,
    PractitionerChanged,
    RequestWaiting,
    SuggestionsMade,
)
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError


@service.on(NoteWritten)
def add_note(event: NoteWritten, db: Db) -> list[Event]:
    author = event.practitioner_id or "coordinator"
    store.add_note(db, event.request_id, EncryptedNote(id=event.note_id, encrypted=event.encrypted, at=now(), author=author))
    return []


@service.on(PractitionerChanged)
def save_directory_entry(event: PractitionerChanged, db: Db) -> list[Event]:
    try:
        slug = json.loads(service.vault.decrypt_profile(event.practitioner_id, event.encrypted_profile)).get("slug", "")
    except DecryptionError:
        slug = ""
    store.save_entry(db, event, service.vault.blind_index("slug", slug) if slug else "")
    return []


HistoryEvent = (
    OfferMade | OfferDeclined | OfferExpired | OfferReleased | MatchMade | SuggestionsMade | RequestWaiting | CoordinatorNeeded
)
SHOWN_FIELDS = ("practitioner_ids", "answer_by", "then", "reason", "waiting_for", "reaching_out")


def add_to_history(event: HistoryEvent, db: Db) -> list[Event]:
    """What the request's own page shows of an event."""
    shown = {name: getattr(event, name) for name in SHOWN_FIELDS if hasattr(event, name)}
    if hasattr(event, "practitioner_id"):
        shown["practitioner_ids"] = (event.practitioner_id,)
    status_event = StatusEvent(event_type=event.event_type, version=event.version, at=now(), **shown)
    store.add_to_history(db, event.request_id, status_event)
    return []


for event_class in get_args(HistoryEvent):
    service.on(event_class)(add_to_history)
