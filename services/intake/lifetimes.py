"""How long a request lives while its person waits, and when they are written to meanwhile. Pure.

Nothing ends by a date while somebody is asked or with them. Else silence counts: from the last sign of life, from thirty days
after "Yes, keep my request", or from the end of the last offer or pair, whichever is latest.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from services.intake.domain import EncryptedNote, Request
from services.intake.rules import Pace, State, state_changes
from shared.contracts import MatchEnded, MatchEndingUndone, MatchMade, OfferMade, WaitsFor
from shared.retention import DAYS

Due = Literal["news", "question", "last_warning", "end"]

ASKED_AFTER = timedelta(days=21)
WARNED_AFTER = timedelta(days=76)
ENDS_AFTER = timedelta(days=90)
WARNED_BEFORE_THE_END = ENDS_AFTER - WARNED_AFTER
KEPT_LONGER = timedelta(days=30)
KEPT_AFTER_THE_END = timedelta(days=DAYS["request"])
PAIR_KEPT = timedelta(days=DAYS["pair"])
PACES: dict[Pace, timedelta] = {"two_weeks": timedelta(days=14), "month": timedelta(days=30)}
LOOK_AGAIN: dict[State, timedelta] = {"asking": timedelta(days=1), "matched": timedelta(days=7), "on_hold": timedelta(days=7)}
A_DAY = timedelta(days=1)
SIGN_OF_LIFE_RESOLUTION = timedelta(hours=1)
ABOUT_PAIRS = {each.event_type for each in (MatchMade, MatchEnded, MatchEndingUndone)}
PAIR = (MatchMade.event_type, MatchEndingUndone.event_type)
NOT_WAITING: tuple[State, ...] = ("asking", "matched", "on_hold", "lapsed")
WAITS_FOR: dict[State, WaitsFor] = {
    "suggested": "choice",
    "choice_needed": "choice",
    "meetings_ended": "choice",
    "reaching_out": "coordinator",
}


def waits(request: Request) -> bool:
    """Nobody is asked, nobody said yes, and it has not ended."""
    return request.status.state not in NOT_WAITING


def waiting_since(request: Request) -> datetime:
    """Being asked about in between does not count as an end of waiting; a pair does."""
    return max([request.sent_at, *_ended(request, PAIR)])


def silent_since(request: Request) -> datetime:
    return max([request.silent_since, *_ended(request, (OfferMade.event_type, *PAIR))])


def ends_at(request: Request, moment: datetime) -> datetime:
    """Never before the last warning was sent two weeks ago: a clock that jumps, or a long outage, ends nothing unsaid."""
    silent = silent_since(request)
    warned = _since(silent, request.warned_at)
    unsaid = moment if moment >= silent + WARNED_AFTER else silent
    return max(silent + ENDS_AFTER, (warned or unsaid) + WARNED_BEFORE_THE_END)


def due(request: Request, moment: datetime) -> Due | None:
    """The one thing that is due now. Of several, the newest: what came before it has lost its meaning."""
    silent = silent_since(request)
    if not waits(request):
        return None
    if _since(silent, request.warned_at):
        return "end" if moment >= ends_at(request, moment) else None
    if moment >= silent + WARNED_AFTER:
        return "last_warning"
    if moment >= silent + ASKED_AFTER and not _since(silent, request.asked_at):
        return "question"
    news_at = _news_at(request)
    return "news" if news_at and moment >= news_at else None


def next_look(request: Request, moment: datetime) -> datetime:
    """When something may be due next, perhaps earlier than it is. While they do not wait it is now and then: what begins their
    waiting and what ends it may come in any order."""
    planned = _next_look(request, moment)
    return min(planned, moment + A_DAY) if _ended_pairs(request) else planned


def _next_look(request: Request, moment: datetime) -> datetime:
    silent = silent_since(request)
    if not waits(request):
        return moment + LOOK_AGAIN.get(request.status.state, A_DAY)
    if _since(silent, request.warned_at):
        end = ends_at(request, moment)
        return end if end > moment else moment + A_DAY
    asked = None if _since(silent, request.asked_at) else silent + ASKED_AFTER
    return min(filter(None, (silent + WARNED_AFTER, asked, _news_at(request))))


def notes_to_compare(request: Request) -> list[EncryptedNote]:
    """Those that matching should have too. It forgets those of meetings that ended by a clock of its own."""
    ended = {match_id for match_id, _ in _ended_pairs(request)}
    return [note for note in request.notes if note.match_id not in ended]


def pairs_to_forget(request: Request, moment: datetime, kept: timedelta = PAIR_KEPT) -> set[str]:
    """Matches that ended long enough ago, and whose notes are still here."""
    return {match_id for match_id, at in _ended_pairs(request) if at + kept <= moment}


def _ended_pairs(request: Request) -> list[tuple[str, datetime]]:
    ends = {event.match_id: event for event in state_changes(request.history) if event.event_type in ABOUT_PAIRS}
    with_notes = {note.match_id for note in request.notes}
    return [(id, end.at) for id, end in ends.items() if id and end.event_type == MatchEnded.event_type and id in with_notes]


def may_be_kept_longer(request: Request, moment: datetime) -> bool:
    """Whether "Yes, keep my request" would move its end by a day or more."""
    return waits(request) and moment + KEPT_LONGER - silent_since(request) >= timedelta(days=1)


def _news_at(request: Request) -> datetime | None:
    """Counted from whatever they were told last."""
    pace = PACES.get(request.pace)
    told = [request.told_at, request.asked_at, *(event.at for event in state_changes(request.history))]
    return max([request.sent_at, *filter(None, told)]) + pace if pace else None


def _ended(request: Request, events: tuple[str, ...]) -> list[datetime]:
    """When what these events began came to an end."""
    return [after.at for before, after in pairwise(state_changes(request.history)) if before.event_type in events]


def _since(silent: datetime, moment: datetime | None) -> datetime | None:
    """That moment, unless there was a sign of life after it."""
    return moment if moment and moment >= silent else None
