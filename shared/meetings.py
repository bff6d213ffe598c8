"""When two people meet: one date, or a series of weekly dates. Pure: no clock, no database; the caller brings the moment.

A series is anchored in one zone. There the hour on the clock stays the same; for somebody in another zone it is another hour in
the weeks in which only one of the two has changed clocks. An hour that a clock change skips begins as much later; one that comes
twice is the first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.contracts import MovedDate, Series, WeeklyHour

DateState = Literal["on", "moved", "skipped"]
WEEK = timedelta(days=7)
DATES_SHOWN = 4
MOST_HOURS = 3
MOST_SUGGESTED = 12
LATEST = timedelta(days=120)
KEPT = timedelta(days=30)
"""A date that was skipped or moved is remembered so long after it, so that calendars hear of it."""


@dataclass(frozen=True, kw_only=True)
class MeetingDate:
    """`on`: the date of its series that it is, or was before it was moved: its name in forms and calendars. `shift`: by how many
    minutes the reader's clock shows it later than the week before, although nobody changed it."""

    on: str
    starts_at: datetime
    ends_at: datetime
    state: DateState = "on"
    shift: int = 0


# Dates


def anchored_at(start: datetime, zone: str, *, id: str, weekly: bool, minutes: int = 60) -> Series:
    """The series that begins at this moment, and keeps its hour in this zone."""
    local = start.astimezone(ZoneInfo(zone))
    return Series(
        id=id, first=local.date().isoformat(), minute=local.hour * 60 + local.minute, zone=zone, weekly=weekly, minutes=minutes
    )


def start_on(series: Series, day: date) -> datetime:
    return at(day, series.minute, series.zone)


def start_on_date(series: Series, on: str) -> datetime:
    """When this date of it begins, unless it was moved."""
    return start_on(series, date.fromisoformat(on))


def at(day: date, minute: int, zone: str) -> datetime:
    """That minute of that day on the clocks of this zone."""
    return datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone)).astimezone(UTC)


def has_date(series: Series, on: str) -> bool:
    try:
        days = (date.fromisoformat(on) - date.fromisoformat(series.first)).days
    except ValueError:
        return False
    return days == 0 or (series.weekly and days > 0 and days % 7 == 0)


def date_of(series: Series, on: str) -> MeetingDate:
    """`on` has to be one of its dates."""
    moved, regular = series.moved_to(on), start_on(series, date.fromisoformat(on))
    state: DateState = "skipped" if on in series.skipped else "moved" if moved else "on"
    starts_at = moved if moved and state == "moved" else regular
    return MeetingDate(on=on, starts_at=starts_at, ends_at=starts_at + series.length, state=state)


def next_dates(series: Series, moment: datetime, count: int = DATES_SHOWN, reader: str = "") -> list[MeetingDate]:
    """Those that are not over, the skipped ones among them, the soonest first. With the zone of a reader: marked where that
    reader's clock shows another hour than the week before."""
    if not series.runs:
        return []
    moved = [date_of(series, one.on) for one in series.moved if one.on not in series.skipped]
    regular = _regular(series, moment)
    found = [one for one in moved if one.ends_at > moment]
    while len(found) < count + len(series.moved):
        one = next(regular, None)
        if one is None:
            break
        found.append(one)
    soonest = sorted(found, key=lambda one: (one.starts_at, one.on))[:count]
    return [replace(one, shift=shift_of(series, one, reader)) for one in soonest] if reader else soonest


def _regular(series: Series, moment: datetime) -> Iterator[MeetingDate]:
    """Those that were not moved."""
    first = date.fromisoformat(series.first)
    today = (moment - series.length).astimezone(ZoneInfo(series.zone)).date()
    weeks = max(0, -(-(today - first).days // 7)) if series.weekly else 0
    day = first + weeks * WEEK
    while True:
        one = date_of(series, day.isoformat())
        if one.ends_at > moment and one.state != "moved":
            yield one
        if not series.weekly:
            return
        day += WEEK


def next_meeting(series: Series, moment: datetime) -> MeetingDate | None:
    """The soonest that takes place and is not over."""
    dates = next_dates(series, moment, DATES_SHOWN + len(series.skipped))
    return next((one for one in dates if one.state != "skipped"), None)


def end_of_nth(series: Series, number: int, since: datetime | None = None) -> datetime | None:
    """When so many of its dates are over that take place, of those that begin after `since`. None where it has fewer."""
    days = number + len(series.skipped) + len(series.moved)
    first = date.fromisoformat(series.first)
    if since and series.weekly:
        first += max(0, (since.astimezone(ZoneInfo(series.zone)).date() - first).days // 7) * WEEK
    dates = [date_of(series, (first + week * WEEK).isoformat()) for week in range(days + 1 if series.weekly else 1)]
    ends = sorted(one.ends_at for one in dates if one.state != "skipped" and (since is None or one.starts_at > since))
    return ends[number - 1] if len(ends) >= number else None


def shift_of(series: Series, one: MeetingDate, reader: str) -> int:
    if one.state == "moved" or one.on == series.first:
        return 0
    day = date.fromisoformat(one.on)
    later = _clock(start_on(series, day), reader) - _clock(start_on(series, day - WEEK), reader)
    return (later + HALF_A_WEEK) % (2 * HALF_A_WEEK) - HALF_A_WEEK  # it may pass from Sunday to Monday


HALF_A_WEEK = 7 * 12 * 60


def _clock(moment: datetime, zone: str) -> int:
    """Minutes since the Monday of a week, on the clocks of this zone: two moments a week apart differ only by a clock change."""
    local = moment.astimezone(ZoneInfo(zone))
    return (local.weekday() * 24 + local.hour) * 60 + local.minute


# Changes. Each is possible until the date has begun, and comes back as another series.


def may_change(series: Series, on: str, moment: datetime) -> bool:
    return series.ended_at is None and has_date(series, on) and date_of(series, on).starts_at > moment


def skip(series: Series, on: str) -> Series:
    return replace(_untouched(series, on), skipped=tuple(sorted({*series.skipped, on})))


def keep(series: Series, on: str) -> Series:
    """It takes place as it always would."""
    return _untouched(series, on)


def move(series: Series, on: str, to: datetime) -> Series:
    untouched = _untouched(series, on)
    return replace(untouched, moved=(*untouched.moved, MovedDate(on=on, to=to)))


def _untouched(series: Series, on: str) -> Series:
    skipped = tuple(one for one in series.skipped if one != on)
    return replace(series, skipped=skipped, moved=tuple(one for one in series.moved if one.on != on))


def without_old_changes(series: Series, moment: datetime) -> Series:
    """Of dates that were long ago."""

    def is_old(on: str) -> bool:
        return max(date_of(series, on).ends_at, start_on(series, date.fromisoformat(on))) < moment - KEPT

    skipped = tuple(on for on in series.skipped if not is_old(on))
    return replace(series, skipped=skipped, moved=tuple(one for one in series.moved if not is_old(one.on)))


# Hours to choose from


def next_start(hour: WeeklyHour, zone: str, not_before: datetime) -> datetime:
    """When this hour of a week comes next."""
    today = not_before.astimezone(ZoneInfo(zone)).date()
    day = today + timedelta(days=(hour.day - today.weekday()) % 7)
    start = at(day, hour.minute, zone)
    return start if start >= not_before else at(day + WEEK, hour.minute, zone)


def wrong_start(start: datetime, moment: datetime) -> Literal["past", "far"] | None:
    if start <= moment:
        return "past"
    return "far" if start > moment + LATEST else None


def spread(hours: Sequence[WeeklyHour], count: int = MOST_SUGGESTED) -> list[WeeklyHour]:
    """Some of many: from as many days as possible, and from different times of a day."""
    days: dict[int, list[WeeklyHour]] = {}
    for hour in sorted(hours, key=lambda hour: (hour.day, hour.minute)):
        days.setdefault(hour.day, []).append(hour)
    each, more = divmod(count, max(1, len(days)))
    return [hour for number, of_day in enumerate(days.values()) for hour in _evenly(of_day, each + (number < more))]


def _evenly(hours: Sequence[WeeklyHour], count: int) -> list[WeeklyHour]:
    if len(hours) <= count:
        return list(hours)
    return [hours[(2 * index + 1) * len(hours) // (2 * count)] for index in range(count)]
