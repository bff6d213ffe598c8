"""A series of meetings: anchored in one zone, the same hour there whatever the clocks do, and shown in both."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain import Hours
from services.matching.rules import have_an_hour_together, hours_together
from shared.contracts import Series, WeeklyHour
from shared.meetings import (
    KEPT,
    WEEK,
    MeetingDate,
    anchored_at,
    date_of,
    has_date,
    keep,
    may_change,
    move,
    next_dates,
    next_meeting,
    next_start,
    shift_of,
    skip,
    spread,
    start_on,
    without_old_changes,
    wrong_start,
)
from tests.people import a_practitioner, a_request

ZONES = ("America/New_York", "America/Mexico_City", "Europe/London", "America/Sao_Paulo", "Australia/Sydney")
YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 12, 31, tzinfo=UTC))
zones, moments = (
    st.sampled_from(ZONES),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda m: m.replace(tzinfo=UTC)),
)
minutes = st.integers(0, 24 * 60 - 1)
days = st.dates(date(2026, 1, 1), date(2028, 10, 31))


def a_series(first: str = "2026-12-01", minute: int = 18 * 60, zone: str = "America/New_York", **facts: object) -> Series:
    return Series(id="s1", first=first, minute=minute, zone=zone, **facts)  # type: ignore[arg-type]


def wall(moment: datetime, zone: str) -> tuple[int, int, int]:
    local = moment.astimezone(ZoneInfo(zone))
    return local.weekday(), local.hour, local.minute


def exists(day: date, minute: int, zone: str) -> bool:
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local.replace(tzinfo=None)


@given(day=days, minute=minutes, zone=zones)
def test_in_its_own_zone_a_series_keeps_its_hour(day: date, minute: int, zone: str) -> None:
    series = a_series(day.isoformat(), minute, zone)
    for one in next_dates(series, start_on(series, day) - timedelta(days=1), 60):
        if exists(date.fromisoformat(one.on), minute, zone):
            assert wall(one.starts_at, zone) == (day.weekday(), minute // 60, minute % 60)
        assert one.ends_at - one.starts_at == timedelta(hours=1)


@given(day=days, minute=minutes, zone=zones, reader=zones)
def test_in_the_other_zone_the_hour_changes_where_a_date_is_marked_and_nowhere_else(
    day: date, minute: int, zone: str, reader: str
) -> None:
    series = a_series(day.isoformat(), minute, zone)
    dates = next_dates(series, start_on(series, day) - timedelta(days=1), 60, reader)
    for before, after in itertools.pairwise(dates):
        shifted = after.starts_at.astimezone(ZoneInfo(reader)).replace(tzinfo=None) - before.starts_at.astimezone(
            ZoneInfo(reader)
        ).replace(tzinfo=None)
        assert shifted - WEEK == timedelta(minutes=after.shift)


@given(day=days, minute=minutes, zone=zones, moment=moments)
def test_the_next_dates_are_in_order_not_over_and_a_week_apart_where_the_series_lives(
    day: date, minute: int, zone: str, moment: datetime
) -> None:
    series = a_series(day.isoformat(), minute, zone)
    dates = next_dates(series, moment, 5)
    assert len(dates) == 5
    assert all(one.ends_at > moment for one in dates)
    assert [date.fromisoformat(b.on) - date.fromisoformat(a.on) for a, b in itertools.pairwise(dates)] == [WEEK] * 4
    week_before = date.fromisoformat(dates[0].on) - WEEK
    assert dates[0].on == series.first or start_on(series, week_before) + series.length <= moment


@given(start=moments, zone=zones)
def test_a_series_begins_at_the_moment_that_was_chosen(start: datetime, zone: str) -> None:
    start = start.replace(second=0, microsecond=0)
    series = anchored_at(start, zone, id="s1", weekly=True)
    # An hour that comes twice in autumn is the first of the two.
    assert start - date_of(series, series.first).starts_at in (timedelta(), timedelta(hours=1))


CHANGES_OF_CLOCKS = [
    # first Tuesday at six in New York, and by how much its reader's clock shows the next Tuesdays later
    ("Europe/London", "2026-03-03", [-60, 0, 0, 60]),  # New York changes on 8 March, London on 29 March
    ("Europe/London", "2026-10-20", [-60, 60, 0, 0]),  # London on 25 October, New York on 1 November
    ("America/Mexico_City", "2027-03-09", [-60, 0, 0, 0]),  # Mexico City changes no more
    ("America/Sao_Paulo", "2027-11-02", [60, 0, 0, 0]),  # nor does Sao Paulo
    ("Australia/Sydney", "2028-03-07", [-60, 0, 0, -60]),  # Sydney on 2 April, the other way
    ("America/New_York", "2028-03-07", [0, 0, 0, 0]),
]


@pytest.mark.parametrize(("reader", "first", "shifts"), CHANGES_OF_CLOCKS)
def test_dates_are_marked_in_the_week_in_which_one_of_the_two_changes_clocks(reader: str, first: str, shifts: list[int]) -> None:
    series = a_series(first)
    dates = next_dates(series, start_on(series, date.fromisoformat(first)) - WEEK, 5, reader)
    assert [one.shift for one in dates] == [0, *shifts]


def test_an_hour_that_a_clock_change_skips_begins_later_that_day_and_is_marked() -> None:
    series = a_series("2027-03-07", 2 * 60 + 30)  # on 14 March 2027 New York's clocks go from two to three
    skipped_hour, after = next_dates(series, datetime(2027, 3, 8, tzinfo=UTC), 2, "America/New_York")
    assert (wall(skipped_hour.starts_at, "America/New_York"), skipped_hour.shift) == ((6, 3, 30), 60)
    assert (wall(after.starts_at, "America/New_York"), after.shift) == ((6, 2, 30), -60)


def test_an_hour_that_passes_from_sunday_to_monday_is_marked_by_an_hour_not_by_a_week() -> None:
    series = a_series("2026-10-18", 19 * 60)  # Sunday at seven in New York, Monday at midnight in London
    one = next_dates(series, datetime(2026, 10, 20, tzinfo=UTC), 1, "Europe/London")[0]
    assert one.shift == -60


# One date: skipped, kept, moved


NOON = datetime(2026, 12, 2, 12, tzinfo=UTC)


def test_a_skipped_date_stays_in_sight_and_the_next_meeting_is_the_one_after_it() -> None:
    series = skip(a_series(), "2026-12-08")
    assert [(one.on, one.state) for one in next_dates(series, NOON, 2)] == [("2026-12-08", "skipped"), ("2026-12-15", "on")]
    following = next_meeting(series, NOON)
    assert following
    assert following.on == "2026-12-15"


def test_many_skipped_weeks_hide_no_meeting() -> None:
    series = a_series()
    for week in range(1, 9):
        series = skip(series, (date(2026, 12, 1) + week * WEEK).isoformat())
    following = next_meeting(series, NOON)
    assert following
    assert following.on == "2027-02-02"


def test_a_moved_date_stands_where_it_was_moved_to() -> None:
    to = datetime(2026, 12, 10, 23, tzinfo=UTC)
    series = move(a_series(), "2026-12-08", to)
    one = next_dates(series, NOON, 1)[0]
    assert (one.on, one.starts_at, one.ends_at, one.state) == ("2026-12-08", to, to + timedelta(hours=1), "moved")
    assert next_dates(series, to + timedelta(hours=1), 1)[0].on == "2026-12-15"


def test_what_was_skipped_or_moved_can_be_as_it_was() -> None:
    series = a_series()
    assert keep(skip(series, "2026-12-08"), "2026-12-08") == series
    assert keep(move(series, "2026-12-08", NOON), "2026-12-08") == series
    assert skip(move(series, "2026-12-08", NOON), "2026-12-08") == skip(series, "2026-12-08")


@given(
    steps=st.lists(st.tuples(st.sampled_from(["skip", "keep", "move"]), st.integers(0, 6), st.integers(-6, 200)), max_size=12),
    moment=moments,
)
def test_whatever_is_done_to_dates_each_is_there_once_and_in_order(steps: list[tuple[str, int, int]], moment: datetime) -> None:
    series = a_series(moment.date().isoformat())
    for what, week, hours in steps:
        on = (date.fromisoformat(series.first) + week * WEEK).isoformat()
        series = {"skip": lambda s, on: skip(s, on), "keep": lambda s, on: keep(s, on)}.get(
            what, lambda s, on, hours=hours: move(s, on, moment + timedelta(hours=hours))
        )(series, on)
    dates = next_dates(series, moment, 10, "Europe/London")
    assert len({one.on for one in dates}) == len(dates) == 10
    assert dates == sorted(dates, key=lambda one: (one.starts_at, one.on))
    assert all(one.ends_at > moment for one in dates)


@pytest.mark.parametrize("on", ["2026-12-02", "2026-11-24", "no date", "2026-13-01", ""])
def test_only_dates_of_the_series_can_be_changed(on: str) -> None:
    assert not has_date(a_series(), on)
    assert not may_change(a_series(), on, NOON)


def test_a_date_can_be_changed_until_it_begins() -> None:
    begins = start_on(a_series(), date(2026, 12, 8))
    assert may_change(a_series(), "2026-12-08", begins - timedelta(minutes=1))
    assert not may_change(a_series(), "2026-12-08", begins)


def test_a_single_meeting_has_one_date() -> None:
    once = a_series(weekly=False)
    assert [one.on for one in next_dates(once, NOON - WEEK)] == ["2026-12-01"]
    assert next_dates(once, NOON) == []
    assert not has_date(once, "2026-12-08")


def test_nothing_takes_place_after_it_was_paused_or_ended() -> None:
    assert next_dates(a_series(paused_at=NOON), NOON) == []
    assert next_meeting(a_series(ended_at=NOON), NOON) is None


def test_old_changes_are_forgotten_and_new_ones_stay() -> None:
    series = move(skip(skip(a_series(), "2026-12-08"), "2026-12-29"), "2026-12-15", datetime(2026, 12, 16, tzinfo=UTC))
    later = without_old_changes(series, datetime(2026, 12, 24, tzinfo=UTC) + KEPT)
    assert (later.skipped, later.moved) == (("2026-12-29",), ())


# Hours to choose from


@given(moment=moments, day=st.integers(0, 6), minute=minutes, zone=zones)
def test_an_hour_of_the_week_comes_within_a_week_from_then(moment: datetime, day: int, minute: int, zone: str) -> None:
    start = next_start(WeeklyHour(day=day, minute=minute), zone, moment)
    assert moment <= start <= moment + WEEK + timedelta(hours=2)
    local = start.astimezone(ZoneInfo(zone))
    if exists(local.date(), minute, zone):
        assert wall(start, zone) == (day, minute // 60, minute % 60)


@settings(max_examples=60)
@given(
    a=st.tuples(st.integers(0, 6), st.integers(0, 22), st.integers(1, 8)),
    b=st.tuples(st.integers(0, 6), st.integers(0, 22), st.integers(1, 8)),
    zone=zones,
    other=zones,
    today=days,
)
def test_suggested_hours_lie_in_both_weeks(
    a: tuple[int, int, int], b: tuple[int, int, int], zone: str, other: str, today: date
) -> None:
    rows = tuple(Hours(day=day, start=start * 60, end=min(24, start + length) * 60) for day, start, length in (a, b))
    practitioner = a_practitioner(hours=rows, time_zone=other)
    request = a_request(parts=("weekday_evening", "weekend_morning"), time_zone=zone)
    found = hours_together(request, practitioner, today)
    monday = today - timedelta(days=today.weekday())
    for hour in found:
        evening = hour.day < 5 and 17 * 60 <= hour.minute <= 21 * 60
        assert evening or (hour.day >= 5 and 8 * 60 <= hour.minute <= 11 * 60)
        start = start_on(
            a_series((monday + timedelta(days=hour.day)).isoformat(), hour.minute, zone), monday + timedelta(days=hour.day)
        )
        day, clock, minute = wall(start, other)
        assert any(row.day == day and row.start <= clock * 60 + minute < row.end for row in rows)
    if found:
        assert have_an_hour_together(request, practitioner, today)


def test_whoever_limits_nothing_is_offered_hours_in_which_both_are_awake() -> None:
    found = hours_together(a_request(time_zone="Europe/London"), a_practitioner(time_zone="America/New_York"), date(2026, 12, 2))
    assert {hour.minute // 60 for hour in found} == set(range(14, 21))


def test_without_an_hour_together_there_is_nothing_to_suggest() -> None:
    assert hours_together(a_request(parts=("weekday_morning",)), a_practitioner(parts=("weekday_evening",)), NOON.date()) == []


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 23)), max_size=168))
def test_a_few_of_many_hours_come_from_many_days(all_hours: set[tuple[int, int]]) -> None:
    hours = [WeeklyHour(day=day, minute=hour * 60) for day, hour in all_hours]
    chosen = spread(hours)
    assert len(chosen) == len(set(chosen)) <= 12
    assert set(chosen) <= set(hours)
    assert {hour.day for hour in chosen} == {hour.day for hour in hours}


def test_a_start_has_to_be_still_to_come_and_not_far_away() -> None:
    assert wrong_start(NOON, NOON) == "past"
    assert wrong_start(NOON + timedelta(days=200), NOON) == "far"
    assert wrong_start(NOON + timedelta(minutes=1), NOON) is None


def test_a_shift_is_of_the_reader_alone() -> None:
    series = a_series("2026-10-20")
    one = MeetingDate(on="2026-10-27", starts_at=NOON, ends_at=NOON)
    assert (shift_of(series, one, "Europe/London"), shift_of(series, one, "America/New_York")) == (-60, 0)
