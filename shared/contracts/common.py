"""What the events of more than one service are made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.messages import Event

MeetingType = Literal["video", "phone", "text", "email", "in_person"]
Part = Literal[
    "weekday_morning", "weekday_afternoon", "weekday_evening", "weekend_morning", "weekend_afternoon", "weekend_evening"
]
Help = Literal["listening", "planning", "making_sense", "forms", "lived_it", "other"]
AgeGroup = Literal["under_18", "18_to_25", "26_to_64", "65_and_over"]
Mode = Literal["chosen", "suggest", "anyone", "reach_out"]
IfNot = Literal["next_choice", "ask_me", "suggest", "wait"]
Channel = Literal["email", "text"]
Role = Literal["supportee", "practitioner", "coordinator"]
TeamRole = Literal["practitioner", "coordinator"]
Next = Literal["next_choice", "ask_me", "suggest", "wait", "person"]
AfterNo = Literal["next_choice", "ask_me", "suggest"]
ReleaseReason = Literal["withdrawn", "chose_another"]
EscalationReason = Literal[
    "reach_out", "nobody_suits", "asks_first", "wrote", "not_delivered", "yes_taken_back", "notes_shared", "read_first",
    "names_somebody", "flood",
]  # fmt: skip
PairMember = Literal["practitioner", "supportee"]
NoteReader = Literal["practitioner", "coordinators"]
FeedbackAbout = Literal["programme", "site"]
Reminder = Literal["day", "hour"]
MeetingsAction = Literal["skip", "keep", "move", "pause", "resume", "end", "take_back", "remind"]
"""What either of two people does with the hour they meet. `take_back`: their own proposal. `remind`: how they are
reminded themselves."""
MeetingsChange = Literal[
    MeetingsAction, "hours_found", "proposed", "set", "place", "held", "calls", "pair_ended", "pair_resumed",
    "room_wanted", "room_made", "room_failed",
]  # fmt: skip
RoomState = Literal["wanted", "made", "failed"]
AgreementChange = Literal["written", "agreed", "deleted", "unchanged", "pair_ended", "pair_resumed"]
LookBackChange = Literal["opened", "answered", "shown", "pair_ended", "pair_resumed"]
AfterEnding = Literal["someone_else", "wait", "over", "ask_me"]
WaitsFor = Literal["place", "choice", "coordinator"]
StillWaiting = Literal["news", "question", "last_warning"]
Eraser = Literal["matching", "notify"]
WayIn = Literal["letter", "asked_for", "texted", "coordinator"]
Answer = Literal["yes", "not_this_time"]
ReplyOutcome = Literal["yes", "not_this_time", "already_yes", "already_not_this_time", "too_late"]
Standing = Literal["sent", "moving", "asking", "matched", "open", "ended"]
WhoSaysYes = Literal["self", "facilitator", "two_coordinators", "buddy"]
WelcomeState = Literal["applied", "in_conversation", "in_training", "welcomed", "not_now", "open", "stepped_back", "ended"]
WelcomeNews = Literal["received", "news", "ending"]
PractitionerState = Literal["open", "full", "resting", "stepped_back"]


@dataclass(frozen=True, kw_only=True)
class EncryptedFields:
    """One person's encrypted fields for one purpose and that purpose's data key, wrapped for the service (shared/vault.py)."""

    person_id: str
    wrap: str
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class WrappedNoteKey:
    """The key of the notes of this match, or of those without a match."""

    match_id: str | None = None
    wrap: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One step of a ranked choice: who, and what may happen if that person cannot."""

    practitioner_id: str
    if_not: IfNot


@dataclass(frozen=True, kw_only=True)
class ContactDetails(Event):
    """How a person wants to be told things.

    `encrypted` is for notify: email, phone (E.164), link (a coordinator's or practitioner's page, absolute URL), known_as (how to
    greet; may be absent). `channels` empty: they look for themselves and get no notification. Quiet hours are local hours
    [from, until). `version` begins with 1 and grows by one.
    """

    person_id: str
    version: int
    channels: tuple[Channel, ...] = ()
    language: str
    time_zone: str
    quiet_from: int = 21
    quiet_until: int = 9
    encrypted: EncryptedFields


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Up to three beginnings that one of two proposes to the other. `weekly`: each week from then on, at the same hour in `zone`.
    `doing`: a code of the programme's."""

    id: str
    by: PairMember
    starts: tuple[datetime, ...]
    zone: str
    weekly: bool
    meeting_type: MeetingType
    doing: str | None = None


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room at the collective's video provider, for the meetings of two people. `failed`: the provider made none, and is not
    asked any more."""

    id: str
    state: RoomState = "wanted"


@dataclass(frozen=True, kw_only=True)
class WeeklyHour:
    """An hour of a week. `day` counts from Monday, `minute` is the minute of the day it begins."""

    day: int
    minute: int


@dataclass(frozen=True, kw_only=True)
class MovedDate:
    """`on`: the date that it would have been, in the zone of its series."""

    on: str
    to: datetime


@dataclass(frozen=True, kw_only=True)
class Series:
    """Dates are ISO dates in `zone`, `minute` is the minute of the day there. Not `weekly`: `first` is its only date.
    `skipped` and `moved` name dates that it would have. No date begins after it was paused or has ended."""

    id: str
    first: str
    minute: int
    zone: str
    minutes: int = 60
    weekly: bool = True
    skipped: tuple[str, ...] = ()
    moved: tuple[MovedDate, ...] = ()
    paused_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def runs(self) -> bool:
        return self.paused_at is None and self.ended_at is None

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.minutes)

    def moved_to(self, on: str) -> datetime | None:
        return next((one.to for one in self.moved if one.on == on), None)


@dataclass(frozen=True, kw_only=True, repr=False)
class AgreementText:
    """One version of what two people agree on. `number` grows by one with each version and each deletion. `encrypted`: what
    stands under each heading, as the field `agreement/<id>` under the key of the match."""

    id: str
    number: int
    by: PairMember
    written_at: datetime
    encrypted: str
