"""Five days, one reminder in the middle, in waking hours."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.rules import days_left_to_answer, is_waking, remind_at
from tests.people import NEW_YORK

ZONES = st.sampled_from([NEW_YORK, "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Honolulu"])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


def test_the_reminder_comes_in_the_middle() -> None:
    made = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    assert remind_at(made, made + timedelta(days=5), "UTC") == datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


def test_a_reminder_in_the_night_waits_for_the_morning() -> None:
    made = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    assert remind_at(made, made + timedelta(days=5), "UTC") == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@settings(max_examples=100, deadline=None)
@given(MOMENTS, st.integers(1, 14), ZONES)
def test_the_reminder_is_always_in_waking_hours_and_while_there_is_time(made: datetime, days: int, zone: str) -> None:
    answer_by = made + timedelta(days=days)
    reminder = remind_at(made, answer_by, zone)
    assert is_waking(reminder, zone)
    assert made <= reminder < answer_by


def test_days_are_counted_on_the_practitioners_calendar() -> None:
    answer_by = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)  # the evening of the 25th in New York
    assert days_left_to_answer(answer_by, datetime(2026, 11, 23, 15, 0, tzinfo=UTC), NEW_YORK) == 2
    assert days_left_to_answer(answer_by, datetime(2026, 11, 26, 2, 0, tzinfo=UTC), NEW_YORK) == 0
    assert days_left_to_answer(answer_by, datetime(2026, 11, 30, 2, 0, tzinfo=UTC), NEW_YORK) == 0
