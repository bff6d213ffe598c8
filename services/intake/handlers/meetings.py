"""What a supportee does about when the two meet. Matching decides, and its answer is on the page within moments."""

from dataclasses import dataclass
from datetime import datetime

from services.intake import store
from services.intake.domain import Meetings
from services.intake.handlers.access import NoteKeys
from shared import vault
from shared.clock import now
from shared.contracts import CallsAgreed, HourChosen, HoursProposed, MeetingsAction, MeetingsAdjusted, Proposal, Reminder
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

PLACE = "place"


@dataclass(frozen=True, kw_only=True)
class ProposeHours:
    request_id: str
    match_id: str
    proposal: Proposal


@dataclass(frozen=True, kw_only=True)
class ChooseHour:
    request_id: str
    match_id: str
    proposal_id: str
    start: datetime


@dataclass(frozen=True, kw_only=True)
class AdjustMeetings:
    request_id: str
    match_id: str
    series_id: str
    action: MeetingsAction
    on: str | None = None
    to: datetime | None = None
    remind: tuple[Reminder, ...] = ()


def propose_hours(command: ProposeHours, db: Db) -> list[Event]:
    store.mark_heard(db, command.match_id, now())
    return [HoursProposed(request_id=command.request_id, match_id=command.match_id, proposal=command.proposal)]


def choose_hour(command: ChooseHour, db: Db) -> list[Event]:
    store.mark_heard(db, command.match_id, now())
    chosen = HourChosen(
        request_id=command.request_id, match_id=command.match_id, proposal_id=command.proposal_id, start=command.start
    )
    return [chosen]


def adjust_meetings(command: AdjustMeetings, db: Db) -> list[Event]:
    store.mark_heard(db, command.match_id, now())
    adjusted = MeetingsAdjusted(
        request_id=command.request_id,
        match_id=command.match_id,
        series_id=command.series_id,
        action=command.action,
        on=command.on,
        to=command.to,
        remind=command.remind,
    )
    return [adjusted]


@dataclass(frozen=True, kw_only=True, repr=False)
class AgreeToCalls:
    """`number`: theirs, perhaps empty; None: they take it back. `keys`: from their session."""

    request_id: str
    person_id: str
    match_id: str
    keys: NoteKeys
    number: str | None


def agree_to_calls(command: AgreeToCalls, db: Db) -> list[Event]:
    """Nothing without the key of their notes."""
    key = command.keys.of(command.match_id)
    if key is None:
        return []
    store.mark_heard(db, command.match_id, now())
    said = None if command.number is None else vault.encrypt(key, command.person_id, "phone/supportee", command.number)
    return [CallsAgreed(request_id=command.request_id, match_id=command.match_id, encrypted=said)]


def phone_of(meetings: Meetings, person_id: str, keys: NoteKeys) -> str | None:
    """The practitioner's number, perhaps empty, once both said yes to calls; else None."""
    key = keys.of(meetings.id)
    try:
        found = meetings.encrypted_phone
        return vault.decrypt(key, person_id, "phone/practitioner", found) if key and found else None
    except DecryptionError:
        return None


def place_of(meetings: Meetings, person_id: str, keys: NoteKeys) -> str:
    """Where they meet; empty where no key opens it. Reading only."""
    key = keys.of(meetings.id)
    try:
        return vault.decrypt(key, person_id, PLACE, meetings.encrypted_place) if key and meetings.encrypted_place else ""
    except DecryptionError:
        return ""
