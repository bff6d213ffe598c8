"""The dates that two people meet on, for a calendar program: which day and how long, and nothing about whom or why.

Each date is an event of its own (no rule that repeats), in UTC, under a name that stays (UID) and with a number that grows with
each change (SEQUENCE): what was skipped, paused or ended is cancelled for that date alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

from shared.contracts import Series
from shared.meetings import WEEK, date_of

DATES = 8
PAST = timedelta(days=28)
REFRESHED = timedelta(hours=6)
PRODUCT = "-//Kitchen Table//dates//EN"


@dataclass(frozen=True, kw_only=True)
class Dates:
    """Of one pair. `former`: series that ended lately. `cancelled_from`: from then on nothing takes place, because the two do not
    meet any more or one of them takes a pause."""

    series: Series | None
    former: tuple[Series, ...] = ()
    version: int
    cancelled_from: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Title:
    """What stands in the calendar, and whose mailbox it names."""

    words: str
    sender: str
    write_to: str


@dataclass(frozen=True, kw_only=True)
class CalendarDate:
    uid: str
    starts_at: datetime
    ends_at: datetime
    cancelled: bool
    sequence: int


def calendar_dates(dates: Dates, moment: datetime) -> list[CalendarDate]:
    every = (*dates.former, *([dates.series] if dates.series else []))
    found = [one for series in every for one in _of_series(series, dates, moment)]
    return sorted(found, key=lambda one: (one.starts_at, one.uid))


def _of_series(series: Series, dates: Dates, moment: datetime) -> Iterator[CalendarDate]:
    """From four weeks ago on, the next eight; of a series that ended, those that were to come then."""
    over = min(filter(None, (series.ended_at, series.paused_at, dates.cancelled_from)), default=None)
    counted_from = min(moment, series.ended_at or moment)
    for on in _days(series, counted_from):
        one = date_of(series, on)
        yield CalendarDate(
            uid=f"{series.id}-{on}@kitchen-table",
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            cancelled=one.state == "skipped" or (over is not None and one.starts_at >= over),
            sequence=dates.version,
        )


def _days(series: Series, moment: datetime) -> list[str]:
    first = date.fromisoformat(series.first)
    if not series.weekly:
        return [series.first]
    today, since = ((at).astimezone(ZoneInfo(series.zone)).date() for at in (moment, moment - PAST))
    begins = first + max(0, -(-(since - first).days // 7)) * WEEK
    coming = sum(1 for _ in _until(begins, today))
    days = {day.isoformat() for day in islice(_weekly(begins), coming + DATES)}
    return sorted(days | {one.on for one in series.moved} | set(series.skipped))


def _weekly(day: date) -> Iterator[date]:
    while True:
        yield day
        day += WEEK


def _until(day: date, today: date) -> Iterator[date]:
    while day < today:
        yield day
        day += WEEK


def as_ics(all_dates: Iterable[Dates], title: Title, moment: datetime) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("refresh-interval", REFRESHED, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    for dates in all_dates:
        for one in calendar_dates(dates, moment):
            calendar.add_component(_event(one, title, moment))
    return bytes(calendar.to_ical())


def _event(one: CalendarDate, title: Title, moment: datetime) -> Event:
    event = Event()
    event.add("uid", one.uid)
    event.add("dtstamp", moment.replace(microsecond=0))
    event.add("dtstart", one.starts_at)
    event.add("dtend", one.ends_at)
    event.add("summary", title.words)
    event.add("class", "PRIVATE")
    event.add("sequence", one.sequence)
    event.add("status", "CANCELLED" if one.cancelled else "CONFIRMED")
    organizer = vCalAddress(f"mailto:{title.write_to}")
    organizer.params["CN"] = title.sender
    event.add("organizer", organizer)
    return event
