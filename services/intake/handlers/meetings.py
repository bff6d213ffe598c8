"""What a supportee does about when the two meet. Matching decides, and its answer is on the page within moments."""

from dataclasses import dataclass
from datetime import datetime

from services.intake import store
from services.intake.domain import Meetings
from services.intake.handlers.access import NoteKeys
from shared import vault
from shared.clock import now
from shared.contracts import HourChosen, HoursProposed, MeetingsAction, MeetingsAdjusted, Proposal, Reminder
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


def place_of(meetings: Meetings, person_id: str, keys: NoteKeys) -> str:
    """Where they meet; empty where no key opens it. Reading only."""
    key = keys.of(meetings.id)
    try:
        return vault.decrypt(key, person_id, PLACE, meetings.encrypted_place) if key and meetings.encrypted_place else ""
    except DecryptionError:
        return ""
