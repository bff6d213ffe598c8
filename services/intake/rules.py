"""What intake decides. Pure: no clock, no randomness, no database."""

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts import (
    AfterEnding,
    AfterNo,
    Choice,
    CoordinatorNeeded,
    Help,
    MatchEnded,
    MatchEndingSettled,
    MatchEndingUndone,
    MatchMade,
    MeetingType,
    Next,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferReleased,
    OfferSeen,
    Part,
    PractitionerState,
    RequestLapsed,
    RequestWaiting,
    Standing,
    SuggestionsMade,
)

MOST_CHOICES = 5
LAST_QUESTION = 7
ENTRIES_ON_A_PAGE = 24
MOST_FOUND = 10


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A practitioner as everybody may see them. The words are their own."""

    id: str
    version: int = 0
    state: PractitionerState
    resting_until: datetime | None = None
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    parts: tuple[Part, ...] = ()
    time_zone: str | None = None
    help: tuple[Help, ...] = ()
    doings: tuple[str, ...] = ()
    lived: tuple[str, ...] = ()
    lived_words: str = ""
    slug: str = ""
    name: str = ""
    pronouns: str = ""
    words: str = ""
    can_sit_with: str = ""
    first_meeting: str = ""
    not_offered: str = ""
    access: str = ""

    @cached_property
    def folded_name(self) -> str:
        return folded(self.name)

    @cached_property
    def own_words(self) -> str:
        """What can be looked for of what they say of themselves, folded. Not what they have lived."""
        said = [self.name, self.pronouns, self.words, self.can_sit_with, self.first_meeting, self.access]
        return folded(" ".join(said))


def folded(text: str) -> str:
    """For comparing: without capitals and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


# Who is here


def daily_order(entries: Iterable[Entry], today: date, language: str) -> list[Entry]:
    """The same all day, another tomorrow, and nobody's for long. Those who speak the reader's language come first, and of these
    those open to somebody new."""
    return sorted(
        entries,
        key=lambda e: (
            bool(e.languages) and language not in e.languages,
            e.state != "open",
            sha256(f"{today}/{e.id}".encode()).digest(),
        ),
    )


def speaks(entry: Entry, *languages: str) -> bool:
    """One of these, or nobody knows."""
    return not entry.languages or any(language in entry.languages for language in languages)


def named_like(entries: Iterable[Entry], typed: str) -> list[Entry]:
    """Those whose name begins with what was typed, then those whose name has it elsewhere."""
    name = " ".join(folded(typed).split())
    found = [entry for entry in entries if name in entry.folded_name]
    return sorted(found, key=lambda entry: not entry.folded_name.startswith(name))


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of many entries. `number` of `pages`, from 1."""

    entries: tuple[Entry, ...]
    number: int
    pages: int


def page_of(entries: Sequence[Entry], wanted: int) -> Page:
    """Beyond the last page is the last one: an address from a day with more people still leads to somebody."""
    pages = max(1, -(-len(entries) // ENTRIES_ON_A_PAGE))
    number = min(max(wanted, 1), pages)
    first = (number - 1) * ENTRIES_ON_A_PAGE
    return Page(entries=tuple(entries[first : first + ENTRIES_ON_A_PAGE]), number=number, pages=pages)


def may_be_chosen(entry: Entry) -> bool:
    """Whoever is full or resting may still be chosen: some people would rather wait for this one person."""
    return entry.state != "stepped_back"


def no_longer_open(choices: Iterable[Choice], states: Mapping[str, PractitionerState]) -> list[str]:
    """Those chosen who cannot be asked right now, in the order they were chosen. A stranger cannot be asked at all."""
    return [choice.practitioner_id for choice in choices if states.get(choice.practitioner_id) != "open"]


# The seven questions


def after(question: int) -> int | None:
    return question + 1 if question < LAST_QUESTION else None


def question_to_go_on_with(typed: Mapping[int, Mapping[str, object]]) -> int | None:
    """The first question not seen yet, or the one before it if nothing was answered there: it is where they stopped. None: all
    were seen."""
    unseen = next((number for number in range(1, LAST_QUESTION + 1) if number not in typed), None)
    if unseen is None or unseen == 1:
        return unseen
    return unseen if any(typed[unseen - 1].values()) else unseen - 1


def answer_by(sent_at: datetime, days: int, zone: str) -> datetime:
    """The end of the day in this zone on which `days` are over."""
    local = (sent_at + timedelta(days=days)).astimezone(ZoneInfo(zone)) + timedelta(days=1)
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC) - timedelta(milliseconds=1)


def latest_answer_by(sent_at: datetime, days: int) -> datetime:
    """No earlier than `answer_by` in any zone: while nobody knows yet who is asked, or where they live."""
    return sent_at + timedelta(days=days + 1)


def hear_by(sent_at: datetime, days: int, zone: str, *, from_a_person: bool) -> datetime:
    """Until when whoever asks hears from us, on their pages and in their e-mail. What a person does is promised by the end of
    a day in `zone`, theirs; who else is asked, and where, is not known yet."""
    return answer_by(sent_at, days, zone) if from_a_person else latest_answer_by(sent_at, days)


def looks_like_a_machine(trap: str, pressed_again: bool) -> bool:
    """A field nobody sees was filled in. A person's browser may do that too, so a second press goes through."""
    return bool(trap) and not pressed_again


def typed_too_fast(begun_at: datetime | None, moment: datetime, seconds: int) -> bool:
    """Faster than a person can answer the questions. Of drafts of an earlier release nobody knows."""
    return begun_at is not None and moment - begun_at < timedelta(seconds=seconds)


# The status of a request

State = Literal[
    "received",
    "asking",
    "offer_ended",
    "suggested",
    "waiting",
    "choice_needed",
    "reaching_out",
    "matched",
    "on_hold",
    "meetings_ended",
    "choice_sent",
    "lapsed",
]
Pace = Literal["two_weeks", "month", "never"]
"""How often somebody who waits is written to while there is no news."""
Action = Literal["ask", "wait", "person", "pause", "resume", "end", "leave"]
NextStep = Literal["ask", "wait", "person"]
Chosen = Literal[NextStep, "end", "undo_end"]
STANDINGS: Mapping[State, Standing] = {"asking": "asking", "matched": "matched", "on_hold": "matched"}
ALL_ACTIONS: tuple[Action, ...] = ("ask", "wait", "person", "leave")


@dataclass(frozen=True, kw_only=True)
class StatusEvent:
    """One event about a request, as far as its page shows it. What the type of event does not have stays empty."""

    event_type: str
    version: int
    at: datetime  # when intake received it
    practitioner_ids: tuple[str, ...] = ()
    answer_by: datetime | None = None
    then: Next | AfterEnding | None = None
    if_not: AfterNo | None = None
    reason: str = ""
    undo_until: datetime | None = None
    waiting_for: Literal["place", "choice"] | None = None
    reaching_out: bool = False
    match_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class NextChoice:
    """What the supportee chose to happen after the event with this version."""

    version: int
    next: Chosen
    practitioner_id: str | None = None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RequestStatus:
    """`reason`: how the step before ended, or why this one began, where that explains the state. `match_id`: of the match that
    lives. `then`: what follows now, or if whoever is asked does not say yes."""

    state: State
    practitioner_ids: tuple[str, ...] = ()
    answer_by: datetime | None = None
    reason: str = ""
    allowed_actions: tuple[Action, ...] = ("leave",)
    match_id: str | None = None
    then: Next | AfterEnding | None = None
    seen: bool = False
    asks_first: bool = False


ENDED_OFFER = {OfferDeclined.event_type: "declined", OfferExpired.event_type: "expired", OfferReleased.event_type: "released"}


def request_status(history: Collection[StatusEvent], *, choice: NextChoice | None = None) -> RequestStatus:
    """The newest event decides, unless the supportee has chosen since."""
    known = state_changes(history)
    if not known:
        return RequestStatus(state="received")
    newest, before = known[-1], known[-2] if len(known) > 1 else None
    status = _STATUS_AFTER[newest.event_type](newest, _reason_ended(before) if before else "")
    seen = status.state == "asking" and any(e.event_type == _SEEN and e.version > newest.version for e in history)
    status = replace(status, seen=seen)
    chosen_since = choice and status.state != "lapsed" and _is_pending(choice, history, newest)
    return _after_their_choice(status, choice) if choice and chosen_since else status


def half_of_the_time_is_over(history: Iterable[StatusEvent], moment: datetime) -> bool:
    """Of the time to answer of whoever is asked."""
    made = [event for event in in_order(history) if event.event_type == OfferMade.event_type]
    answer_by = made[-1].answer_by if made else None
    return answer_by is not None and moment - made[-1].at >= (answer_by - made[-1].at) / 2


def on_hold(status: RequestStatus) -> RequestStatus:
    return replace(status, state="on_hold", allowed_actions=("resume", "end", "leave"))


def version_of(history: Iterable[StatusEvent]) -> int:
    return max((event.version for event in history if event.event_type != _SEEN), default=0)


_SEEN = OfferSeen.event_type


def _is_pending(choice: NextChoice, history: Iterable[StatusEvent], newest: StatusEvent) -> bool:
    """Whether no event has answered it yet. That an end cannot be taken back any more is an answer, too."""
    settled = [event.version for event in history if event.event_type == MatchEndingSettled.event_type]
    answered = max([newest.version, *settled]) if choice.next == "undo_end" else newest.version
    return choice.version >= answered


def end_to_undo(history: Iterable[StatusEvent], moment: datetime) -> StatusEvent | None:
    """The end of their meetings that the supportee may take back now."""
    ends = [event for event in in_order(history) if event.event_type in _ENDS_AND_WHAT_FOLLOWS]
    last = ends[-1] if ends else None
    if last is None or last.event_type != MatchEnded.event_type or last.reason != "supportee":
        return None
    return last if last.undo_until and moment < last.undo_until else None


_ENDS_AND_WHAT_FOLLOWS = {each.event_type for each in (MatchMade, MatchEnded, MatchEndingUndone, MatchEndingSettled)}


def may_not_be_asked_again(history: Iterable[StatusEvent]) -> set[str]:
    """Practitioners who ended their meetings themselves."""
    ended = [event for event in history if event.event_type == MatchEnded.event_type and event.reason == "practitioner"]
    return {practitioner_id for event in ended for practitioner_id in event.practitioner_ids}


def may_wait_for_chosen(choices: Iterable[str], history: Iterable[StatusEvent]) -> bool:
    """Whoever of them could not, let the time pass or met them is not waited for."""
    over = (OfferDeclined.event_type, OfferExpired.event_type, MatchEnded.event_type)
    were_asked = {practitioner_id for event in history if event.event_type in over for practitioner_id in event.practitioner_ids}
    return any(practitioner_id not in were_asked for practitioner_id in choices)


def state_changes(history: Iterable[StatusEvent]) -> list[StatusEvent]:
    return in_order(event for event in history if _changes_the_state(event))


def in_order(history: Iterable[StatusEvent]) -> list[StatusEvent]:
    return sorted(history, key=lambda event: (event.version, event.event_type))


def note_reader(status: RequestStatus, authors: Collection[str]) -> str | None:
    """The practitioner who reads what the supportee writes now: who said yes, or asked something first. None: coordinators.

    `authors`: who has written notes about this request so far."""
    practitioner_id = status.practitioner_ids[0] if status.practitioner_ids else None
    if status.state in ("matched", "on_hold") or (status.state == "asking" and practitioner_id in authors):
        return practitioner_id
    return None


def _changes_the_state(event: StatusEvent) -> bool:
    if event.event_type in (MatchEndingSettled.event_type, OfferSeen.event_type):
        return False
    return event.event_type != CoordinatorNeeded.event_type or event.reaching_out


def _reason_ended(event: StatusEvent) -> str:
    """How this offer ended; empty when the event did not end one."""
    ended = ENDED_OFFER.get(event.event_type, "")
    return event.reason if ended == "released" else ended


def _after_their_choice(status: RequestStatus, choice: NextChoice) -> RequestStatus:
    if status.state == "asking" and choice.next == "person":
        return replace(status, allowed_actions=("leave",), reason="person")  # somebody is asked all the same
    chosen = (choice.practitioner_id,) if choice.practitioner_id else ()
    return RequestStatus(state="choice_sent", practitioner_ids=chosen, reason=choice.next)


def _asking(event: StatusEvent, reason: str) -> RequestStatus:
    return RequestStatus(
        state="asking",
        practitioner_ids=event.practitioner_ids,
        answer_by=event.answer_by,
        then=event.if_not,
        reason=reason,
        allowed_actions=("person", "leave"),
    )


def _offer_ended(event: StatusEvent, _: str) -> RequestStatus:
    reason = _reason_ended(event)
    if event.then == "ask_me":
        return _choice_needed(event, reason)
    return RequestStatus(
        state="offer_ended",
        practitioner_ids=event.practitioner_ids,
        reason=reason,
        then=event.then,
        allowed_actions=("person", "leave"),
    )


def _choice_needed(event: StatusEvent, reason: str) -> RequestStatus:
    return RequestStatus(
        state="choice_needed", practitioner_ids=event.practitioner_ids, reason=reason, allowed_actions=ALL_ACTIONS
    )


def _waiting(event: StatusEvent, reason: str) -> RequestStatus:
    if event.waiting_for == "choice":
        return _choice_needed(event, reason)
    return RequestStatus(
        state="waiting", practitioner_ids=event.practitioner_ids, reason=reason, allowed_actions=("ask", "person", "leave")
    )


def _suggested(event: StatusEvent, reason: str) -> RequestStatus:
    return RequestStatus(state="suggested", practitioner_ids=event.practitioner_ids, reason=reason, allowed_actions=ALL_ACTIONS)


def _matched(event: StatusEvent, _: str) -> RequestStatus:
    return RequestStatus(
        state="matched",
        practitioner_ids=event.practitioner_ids,
        allowed_actions=("pause", "end", "leave"),
        match_id=event.match_id,
    )


def _meetings_ended(event: StatusEvent, _: str) -> RequestStatus:
    return RequestStatus(
        state="meetings_ended", practitioner_ids=event.practitioner_ids, reason=event.reason, allowed_actions=ALL_ACTIONS
    )


_STATUS_AFTER: dict[str, Callable[[StatusEvent, str], RequestStatus]] = {
    OfferMade.event_type: _asking,
    OfferDeclined.event_type: _offer_ended,
    OfferExpired.event_type: _offer_ended,
    OfferReleased.event_type: _offer_ended,
    MatchMade.event_type: _matched,
    MatchEnded.event_type: _meetings_ended,
    MatchEndingUndone.event_type: _matched,
    SuggestionsMade.event_type: _suggested,
    RequestWaiting.event_type: _waiting,
    RequestLapsed.event_type: lambda event, _: RequestStatus(state="lapsed", reason=event.reason, allowed_actions=()),
    CoordinatorNeeded.event_type: lambda event, _: RequestStatus(state="reaching_out", reason=event.reason),
}
