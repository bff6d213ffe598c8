"""When two people meet, as one of them reads it: in their own zone, with the dates marked where clocks change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask import Flask
from flask_babel import gettext

from shared import i18n, labels
from shared.contracts import MeetingType, PairMember, Proposal, Room, Series, WeeklyHour
from shared.meetings import MeetingDate, date_of, may_change, next_dates, next_meeting, next_start
from shared.people import shown_number
from shared.places import is_link
from shared.programme import Programme
from shared.web.locale import language

NOTICE = timedelta(hours=24)
"""No sooner than that is an hour suggested."""


def _(text: str, **values: str) -> str:
    return str(gettext(text, **values))


class Meetings(Protocol):
    """As matching and intake each keep it."""

    @property
    def supportee_zone(self) -> str: ...
    @property
    def practitioner_zone(self) -> str: ...
    @property
    def hours(self) -> tuple[WeeklyHour, ...]: ...
    @property
    def proposal(self) -> Proposal | None: ...
    @property
    def series(self) -> Series | None: ...
    @property
    def meeting_type(self) -> MeetingType | None: ...
    @property
    def doing(self) -> str | None: ...
    @property
    def room(self) -> Room | None: ...


@dataclass(frozen=True, kw_only=True)
class ShownDate:
    """`stub`: day of the week, day, month. `mark`: that clocks change; else empty. `may_change`: it has not begun."""

    on: str
    stub: tuple[str, str, str]
    day: str
    time: str
    state: str
    mark: str
    may_change: bool


@dataclass(frozen=True, kw_only=True)
class MeetingsView:
    """`offered`: hours that the other proposed, `suggested`: hours in both weeks, as (value, words); `mine`: what the reader
    proposed. `how`: by what way, and what they do. `keeps`: where the hour stays the same when clocks change; empty where both
    have the same zone. `room`: how it stands with their room at the video provider."""

    series: Series | None
    proposal: Proposal | None
    next: ShownDate | None
    dates: list[ShownDate]
    offered: list[tuple[str, str]]
    mine: list[str]
    suggested: list[tuple[str, str]]
    how: str
    proposed_how: str
    keeps: str
    proposal_keeps: str
    two_zones: bool
    zone: str
    room: Room | None

    @property
    def is_paused(self) -> bool:
        return bool(self.series and self.series.paused_at)

    @property
    def is_set(self) -> bool:
        """They meet, or would if it were not paused."""
        return self.next is not None or self.is_paused or bool(self.dates)

    def title(self, name: str) -> str:
        if self.offered:
            return _("%(name)s proposes when to meet", name=name)
        if self.next:
            return _("You meet %(name)s on %(day)s", name=name, day=self.next.day)
        if self.is_paused:
            return _("Your meetings with %(name)s are paused", name=name)
        return _("You proposed when to meet %(name)s", name=name) if self.mine else _("Find a time with %(name)s", name=name)


def present(meetings: Meetings, me: PairMember, moment: datetime, programme: Programme) -> MeetingsView:
    zone = meetings.supportee_zone if me == "supportee" else meetings.practitioner_zone
    series, proposal = meetings.series, meetings.proposal
    coming = [start for start in proposal.starts if start > moment] if proposal else []
    soonest = next_meeting(series, moment) if series else None
    soon = sorted(next_start(hour, meetings.supportee_zone, moment + NOTICE) for hour in meetings.hours)
    theirs = bool(proposal and proposal.by != me)
    return MeetingsView(
        series=series,
        proposal=proposal,
        next=_shown(soonest, series, zone, moment) if series and soonest else None,
        dates=[_shown(one, series, zone, moment) for one in next_dates(series, moment, reader=zone)] if series else [],
        offered=_with_words(coming, zone) if theirs else [],
        mine=[] if theirs else [words for _value, words in _with_words(coming, zone)],
        suggested=_with_words(soon, zone),
        how=how_they_meet(meetings.meeting_type, meetings.doing, programme),
        proposed_how=how_they_meet(proposal.meeting_type, proposal.doing, programme) if proposal else "",
        keeps=_keeps(series.zone, meetings) if series and series.weekly else "",
        proposal_keeps=_keeps(proposal.zone, meetings) if proposal and proposal.weekly else "",
        two_zones=meetings.supportee_zone != meetings.practitioner_zone,
        zone=zone,
        room=meetings.room,
    )


def how_they_meet(meeting_type: MeetingType | None, doing: str | None, programme: Programme) -> str:
    way = _(labels.MEETING_TYPES[meeting_type]) if meeting_type in labels.MEETING_TYPES else ""
    return ", ".join(filter(None, (way, programme.doing_in(doing, language()) if doing else "")))


def time_between(start: datetime, end: datetime, zone: str) -> str:
    return _("%(start)s to %(end)s", start=i18n.time_of_day(start, zone, language()), end=i18n.time_of_day(end, zone, language()))


def _keeps(zone: str, meetings: Meetings) -> str:
    return i18n.zone_city(zone, language()) if meetings.supportee_zone != meetings.practitioner_zone else ""


def _with_words(starts: Sequence[datetime], zone: str) -> list[tuple[str, str]]:
    return [(start.isoformat(), in_words(start, zone)) for start in starts]


def in_words(start: datetime, zone: str) -> str:
    return f"{i18n.day(start, zone, language())}, {i18n.time_of_day(start, zone, language())}"


def shown_date(series: Series, on: str, zone: str, moment: datetime) -> ShownDate | None:
    """A date that may be changed now."""
    return _shown(date_of(series, on), series, zone, moment) if series.runs and may_change(series, on, moment) else None


def add_to(app: Flask) -> None:
    app.add_template_filter(is_link)
    app.add_template_filter(lambda number: shown_number(number, language()), "phone_number")
    app.add_template_filter(called_in)
    app.add_template_filter(lambda doings: [(code, words[language()]) for code, words in doings.items()], "doing_options")


def called_in(codes: Sequence[str], listed: Mapping[str, Mapping[str, str]]) -> str:
    """In words of the reader's language: those that the programme still knows."""
    return ", ".join(listed[code][language()] for code in codes if code in listed)


def _shown(one: MeetingDate, series: Series, zone: str, moment: datetime) -> ShownDate:
    local = one.starts_at.astimezone(ZoneInfo(zone))
    stub = tuple(str(format_date(local, pattern, locale=language())).replace(".", "") for pattern in ("EEE", "d", "MMMM"))
    at = i18n.time_of_day(one.starts_at, zone, language())
    return ShownDate(
        on=one.on,
        stub=(stub[0].capitalize(), stub[1], stub[2]),
        day=i18n.day(one.starts_at, zone, language()),
        time=time_between(one.starts_at, one.ends_at, zone),
        state=one.state,
        mark=_("Clocks change: from this date on it is at %(time)s for you.", time=at) if one.shift else "",
        may_change=one.starts_at > moment,
    )
