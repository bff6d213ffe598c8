"""The parts of a week, in whatever zone somebody lives. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.contracts import Part

PARTS_OF_DAY = {"morning": (8 * 60, 12 * 60), "afternoon": (12 * 60, 17 * 60), "evening": (17 * 60, 22 * 60)}
DAYS = {"weekday": range(5), "weekend": range(5, 7)}
ENOUGH = timedelta(minutes=60)
Stretch = tuple[datetime, datetime]


def share_an_hour(mine: tuple[Part, ...], my_zone: str, theirs: tuple[Part, ...], their_zone: str, today: date) -> bool:
    """In the week of `today`. One answer serves everybody with the same parts and zone."""
    return _share_an_hour(mine, my_zone, theirs, their_zone, today - timedelta(days=today.weekday()))


@lru_cache(maxsize=16_384)
def _share_an_hour(mine: tuple[Part, ...], my_zone: str, theirs: tuple[Part, ...], their_zone: str, monday: date) -> bool:
    # Two days more at each end: the same hour may lie in another week of another zone.
    wanted, offered = _stretches(mine, my_zone, monday, 0, 7), _stretches(theirs, their_zone, monday, -2, 9)
    return any(min(a[1], b[1]) - max(a[0], b[0]) >= ENOUGH for a in wanted for b in offered)


@lru_cache(maxsize=4096)
def _stretches(parts: tuple[Part, ...], zone: str, monday: date, first: int, last: int) -> tuple[Stretch, ...]:
    """Those of one day that follow on each other are one."""
    found: list[Stretch] = []
    for day in (monday + timedelta(days=offset) for offset in range(first, last)):
        for begin, end in sorted(hours for part in parts for hours in _hours(part, day)):
            start, until = _moment(day, begin, zone), _moment(day, end, zone)
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(until, found[-1][1]))
            else:
                found.append((start, until))
    return tuple(found)


def _hours(part: Part, day: date) -> list[tuple[int, int]]:
    days, name = part.split("_")
    return [PARTS_OF_DAY[name]] if day.weekday() in DAYS[days] else []


def _moment(day: date, minute: int, zone: str) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(zone)).astimezone(UTC)
