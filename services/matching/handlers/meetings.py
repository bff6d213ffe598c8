"""When and where two people meet: either of them proposes hours, the other chooses one, and both change it by one press.

Matching alone decides, so of two presses at the same time the first holds and the second changes nothing. What the supportee does
comes from intake as events.
"""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.matching import rules, store
from services.matching.domain import Match, Meetings, Offer, Practitioner, Request
from services.matching.handlers.keys import open_keys
from services.matching.handlers.links import issue_links
from services.matching.handlers.service import service
from shared import meetings, vault
from shared.clock import now
from shared.contracts import (
    CallsAgreed,
    HourChosen,
    HoursProposed,
    MeetingsAction,
    MeetingsAdjusted,
    MeetingsChanged,
    Proposal,
    Reminder,
    WeeklyHour,
)
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

PLACE = "place"
Change = Callable[[Meetings, datetime], list[Event]]


@dataclass(frozen=True, kw_only=True)
class ProposeHours:
    """Of the practitioner."""

    offer_id: str
    proposal: Proposal


@dataclass(frozen=True, kw_only=True)
class ChooseHour:
    offer_id: str
    proposal_id: str
    start: datetime


@dataclass(frozen=True, kw_only=True)
class AdjustMeetings:
    offer_id: str
    action: MeetingsAction
    series_id: str
    on: str = ""
    to: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RemindMe:
    """The practitioner: so long before each date."""

    offer_id: str
    before: tuple[Reminder, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class AgreeToCalls:
    """The practitioner. `number`: theirs, perhaps empty; None: they take it back."""

    offer_id: str
    number: str | None


@dataclass(frozen=True, kw_only=True, repr=False)
class FindPlace:
    """`place`: an address or words; empty: none any more."""

    offer_id: str
    place: str


# With the match they belong to


def begin_meetings(match: Match, request: Request, practitioner: Practitioner | None, db: Db) -> list[Event]:
    """With a yes: hours that both weeks have."""
    new = _new(match, request, practitioner)
    events = new.find_hours(_hours(request, practitioner), request.time_zone, new.practitioner_zone)
    store.meetings.save(db, new)
    return events


def find_hours_again(match: Match, request: Request, practitioner: Practitioner | None, db: Db) -> list[Event]:
    """One of the two weeks changed."""
    found = store.meetings.find(db, match.id)
    zone = practitioner.time_zone if practitioner else service.programme.time_zone
    events = found.find_hours(_hours(request, practitioner), request.time_zone, zone) if found else []
    return _saved(found, events, db)


def find_hours_of(practitioner: Practitioner, db: Db) -> list[Event]:
    """With everybody whom they meet."""
    offers = [offer.id for offer in store.offers.held_by(db, practitioner.id) if offer.state == "accepted"]
    matches = store.offers.find_matches(db, offers).values() if offers else ()
    requests = store.requests.find_many(db, [match.request_id for match in matches]) if offers else {}
    together = [(match, requests[match.request_id]) for match in matches if match.request_id in requests]
    return [event for match, request in together for event in find_hours_again(match, request, practitioner, db)]


def end_meetings(match: Match, db: Db) -> list[Event]:
    found = store.meetings.find(db, match.id)
    return _saved(found, found.end(now()) if found else [], db)


def resume_meetings(match: Match, db: Db) -> list[Event]:
    found = store.meetings.find(db, match.id)
    return _saved(found, found.undo_end() if found else [], db)


def hold_meetings(match: Match, db: Db) -> list[Event]:
    found = store.meetings.find(db, match.id)
    return _saved(found, found.hold(match.on_hold, now()) if found else [], db)


# The supportee


@service.on(HoursProposed)
def propose_by_supportee(event: HoursProposed, db: Db) -> list[Event]:
    proposal = replace(event.proposal, by="supportee")
    return _by_supportee(event.match_id, db, lambda found, _: found.propose(proposal))


@service.on(HourChosen)
def choose_by_supportee(event: HourChosen, db: Db) -> list[Event]:
    return _by_supportee(
        event.match_id, db, lambda found, moment: found.choose(event.proposal_id, event.start, "supportee", _id(), moment)
    )


@service.on(MeetingsAdjusted)
def adjust_by_supportee(event: MeetingsAdjusted, db: Db) -> list[Event]:
    def change(found: Meetings, moment: datetime) -> list[Event]:
        if event.action == "remind":
            return found.remind(event.remind, "supportee")
        return found.adjust(event.action, event.series_id, "supportee", moment, event.on or "", event.to)

    return _by_supportee(event.match_id, db, change)


def _by_supportee(match_id: str, db: Db, change: Change) -> list[Event]:
    """The practitioner is told, so the event brings links to their page."""
    match = store.offers.match(db, match_id)
    offer = store.offers.find(db, match.offer_id) if match else None
    if match is None or offer is None:
        return []
    return with_links(_change(match, db, change), offer, db)


def with_links(events: list[Event], offer: Offer, db: Db) -> list[Event]:
    return [replace(one, encrypted=issue_links(offer, db)) if isinstance(one, MeetingsChanged) else one for one in events]


@service.on(CallsAgreed)
def agree_by_supportee(event: CallsAgreed, db: Db) -> list[Event]:
    return _by_supportee(event.match_id, db, lambda found, _: found.agree_to_calls(event.encrypted, "supportee"))


# The practitioner


def propose_hours(command: ProposeHours, db: Db) -> list[Event]:
    return by_practitioner(command.offer_id, db, lambda found, _: found.propose(command.proposal))


def choose_hour(command: ChooseHour, db: Db) -> list[Event]:
    return by_practitioner(
        command.offer_id,
        db,
        lambda found, moment: found.choose(command.proposal_id, command.start, "practitioner", _id(), moment),
    )


def adjust_meetings(command: AdjustMeetings, db: Db) -> list[Event]:
    def change(found: Meetings, moment: datetime) -> list[Event]:
        return found.adjust(command.action, command.series_id, "practitioner", moment, command.on, command.to)

    return by_practitioner(command.offer_id, db, change)


def remind_me(command: RemindMe, db: Db) -> list[Event]:
    return by_practitioner(command.offer_id, db, lambda found, _: found.remind(command.before, "practitioner"))


def agree_to_calls(command: AgreeToCalls, db: Db) -> list[Event]:
    match = store.offers.find_match(db, command.offer_id)
    key = key_of(match, db) if match else None
    if match is None or key is None:
        return []
    said = None if command.number is None else vault.encrypt(key, match.supportee_id, "phone/practitioner", command.number)
    return _change(match, db, lambda found, _: found.agree_to_calls(said, "practitioner"))


def find_place(command: FindPlace, db: Db) -> list[Event]:
    """Encrypted so that the two can read it, and nobody else."""
    match = store.offers.find_match(db, command.offer_id)
    key = key_of(match, db) if match else None
    if match is None or key is None:
        return []
    encrypted = vault.encrypt(key, match.supportee_id, PLACE, command.place) if command.place else None
    if encrypted:
        store.tasks.resolve(db, match.request_id, now(), only=["no_room"])
    return _change(match, db, lambda found, _: found.find_place(encrypted))


def make_room(offer_id: str, db: Db) -> list[Event]:
    """At the collective's video server. Who does not know the name finds no room: 128 bits of it."""
    if not service.programme.rooms_at:
        return []
    room = f"{service.programme.rooms_at.rstrip('/')}/{secrets.token_hex(16)}"
    return find_place(FindPlace(offer_id=offer_id, place=room), db)


def by_practitioner(offer_id: str, db: Db, change: Change) -> list[Event]:
    match = store.offers.find_match(db, offer_id)
    return _change(match, db, change) if match else []


# Reading, for the practitioner's page


def meetings_of(match: Match, request: Request, practitioner: Practitioner | None, db: Db) -> Meetings:
    return store.meetings.find(db, match.id) or _new(match, request, practitioner)


def place_of(found: Meetings, request: Request, match: Match) -> str:
    """Empty where no key opens it any more."""
    key = open_keys(request, [match]).get(match.id)
    try:
        return vault.decrypt(key, match.supportee_id, PLACE, found.encrypted_place) if key and found.encrypted_place else ""
    except DecryptionError:
        return ""


def phone_of(found: Meetings, request: Request, match: Match) -> str | None:
    """The supportee's number, perhaps empty, once both said yes to calls; else None."""
    key = open_keys(request, [match]).get(match.id) if found.both_call else None
    try:
        return vault.decrypt(key, match.supportee_id, "phone/supportee", found.phone_supportee or "") if key else None
    except DecryptionError:
        return None


# Both


def key_of(match: Match, db: Db) -> bytes | None:
    request = store.requests.find(db, match.request_id)
    return open_keys(request, [match]).get(match.id) if request else None


def _change(match: Match, db: Db, change: Change) -> list[Event]:
    """Nothing while the supportee takes a pause from all of it."""
    request = store.requests.find(db, match.request_id)
    if match.ended_at or match.on_hold or request is None:
        return []
    found = meetings_of(match, request, store.practitioners.find(db, match.practitioner_id), db)
    return _saved(found, change(found, now()), db)


def _saved(changed: Meetings | None, events: list[Event], db: Db) -> list[Event]:
    if changed and events:
        store.meetings.save(db, changed)
    return events


def _new(match: Match, request: Request, practitioner: Practitioner | None) -> Meetings:
    return Meetings(
        id=match.id,
        request_id=request.id,
        offer_id=match.offer_id,
        supportee_id=request.supportee_id,
        practitioner_id=match.practitioner_id,
        supportee_zone=request.time_zone,
        practitioner_zone=practitioner.time_zone if practitioner else service.programme.time_zone,
    )


def _hours(request: Request, practitioner: Practitioner | None) -> tuple[WeeklyHour, ...]:
    return tuple(meetings.spread(rules.hours_together(request, practitioner, now().date()))) if practitioner else ()


def _id() -> str:
    return str(uuid.uuid4())
