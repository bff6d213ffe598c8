"""Five days and the rest of the last one, one reminder in the middle, in waking hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import rules as intake_rules
from services.matching.rules import answer_by, days_left_to_answer, is_waking, remind_at
from services.notify import rules as notify_rules
from tests.people import NEW_YORK

ZONES = st.sampled_from(
    [
        NEW_YORK,
        "Europe/Berlin",
        "Asia/Kolkata",
        "Pacific/Auckland",
        "Pacific/Honolulu",
        "America/Santiago",
        "America/Havana",
        "Pacific/Kiritimati",
    ]
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(1, 14), ZONES)
def test_the_last_day_is_a_whole_one_where_the_practitioner_is(made: datetime, days: int, zone: str) -> None:
    until, last = answer_by(made, days, zone), timedelta(milliseconds=1)
    assert until >= made + timedelta(days=days)
    last_day = (made + timedelta(days=days)).astimezone(ZoneInfo(zone)).date()
    assert until.astimezone(ZoneInfo(zone)).date() == last_day
    assert (until + last).astimezone(ZoneInfo(zone)).date() > last_day
    assert days_left_to_answer(until, until - timedelta(hours=1), zone) == 0


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(1, 14), ZONES, ZONES)
def test_no_page_names_a_day_that_is_earlier_than_the_real_one(made: datetime, days: int, theirs: str, mine: str) -> None:
    """`theirs`: the zone of whoever answers, `mine`: of whoever reads by when."""
    until, here = answer_by(made, days, theirs), ZoneInfo(mine)
    assert intake_rules.answer_by(made, days, theirs) == until
    for promised in (intake_rules.latest_answer_by(made, days), notify_rules.hear_by(made, days)):
        assert promised.astimezone(here).date() >= until.astimezone(here).date()


def test_thursday_lasts_until_midnight_in_auckland_and_in_honolulu_across_a_change_of_the_clocks() -> None:
    made = datetime(2026, 9, 22, 4, 30, tzinfo=UTC)  # Auckland's clocks go forward on the 27th
    assert answer_by(made, 5, "Pacific/Auckland") == datetime(2026, 9, 27, 10, 59, 59, 999000, tzinfo=UTC)
    assert answer_by(made, 5, "Pacific/Honolulu") == datetime(2026, 9, 27, 9, 59, 59, 999000, tzinfo=UTC)
    made = datetime(2026, 10, 30, 4, 30, tzinfo=UTC)
    assert answer_by(made, 3, NEW_YORK) == datetime(2026, 11, 2, 4, 59, 59, 999000, tzinfo=UTC)


def test_the_reminder_comes_in_the_middle() -> None:
    made = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    assert remind_at(made, made + timedelta(days=5), "UTC") == datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


def test_a_reminder_in_the_night_waits_for_the_morning() -> None:
    made = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    assert remind_at(made, made + timedelta(days=5), "UTC") == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@settings(max_examples=100, deadline=None)
@given(MOMENTS, st.integers(1, 14), ZONES)
def test_the_reminder_is_always_in_waking_hours_and_while_there_is_time(made: datetime, days: int, zone: str) -> None:
    until = answer_by(made, days, zone)
    reminder = remind_at(made, until, zone)
    assert is_waking(reminder, zone)
    assert made <= reminder < until


def test_days_are_counted_on_the_practitioners_calendar() -> None:
    until = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)  # the evening of the 25th in New York
    assert days_left_to_answer(until, datetime(2026, 11, 23, 15, 0, tzinfo=UTC), NEW_YORK) == 2
    assert days_left_to_answer(until, datetime(2026, 11, 26, 2, 0, tzinfo=UTC), NEW_YORK) == 0
    assert days_left_to_answer(until, datetime(2026, 11, 30, 2, 0, tzinfo=UTC), NEW_YORK) == 0
