"""Who is found by what a visitor looks for: any tick of a group will do, all groups must be met, and times are the visitor's."""

from datetime import date
from typing import Any

import pytest

from services.intake.filters import Wish, counts_without_each_filter, matching_wish
from services.intake.rules import Entry
from shared.weeks import share_an_hour

TODAY = date(2026, 11, 23)
NEW_YORK, LONDON, SYDNEY = "America/New_York", "Europe/London", "Australia/Sydney"
PEOPLE = [
    Entry(
        id="juniper", state="open", meeting_types=("video",), languages=("en",), parts=("weekday_evening",),
        time_zone=NEW_YORK, words="I keep bees", lived=("grief",), lived_words="My own winter", doings=("walk",),
    ),
    Entry(
        id="kai", state="open", meeting_types=("phone",), languages=("en", "es"), parts=("weekend_morning",),
        time_zone=NEW_YORK, help=("forms",), doings=("walk", "meal"),
    ),
    Entry(id="ana", state="resting", meeting_types=("video",), languages=("es",), help=("lived_it",), lived=("grief", "trauma")),
]  # fmt: skip


def found(zone: str = NEW_YORK, **wish: Any) -> list[str]:
    return [entry.id for entry in matching_wish(PEOPLE, Wish(zone=zone, **wish), TODAY)]


def test_all_groups_of_a_wish_must_be_met_and_any_tick_within_one() -> None:
    assert found(meeting_types=("video", "text"), languages=("en",)) == ["juniper"]
    assert found(lived=("grief", "prison")) == ["juniper", "ana"]
    assert found(lived=("grief",), help=("lived_it",)) == ["ana"]
    assert found(doings=("meal",)) == ["kai", "ana"], "who says nothing of what they do has no limit"
    assert found(text="BEES keep") == ["juniper"]


def test_what_somebody_writes_of_what_they_lived_is_searched_by_nobody() -> None:
    assert found(text="winter") == []


@pytest.mark.parametrize(
    ("zone", "when", "who"),
    [
        (NEW_YORK, "weekday_evening", ["juniper", "ana"]),
        (NEW_YORK, "weekday_morning", ["ana"]),
        (LONDON, "weekday_evening", ["ana"]),  # five in New York is ten at night in London
        (LONDON, "weekend_afternoon", ["kai", "ana"]),
        (SYDNEY, "weekday_morning", ["juniper", "ana"]),
        (SYDNEY, "weekend_morning", ["juniper", "ana"]),  # a Friday evening is Saturday there
    ],
)
def test_when_is_in_the_zone_of_whoever_looks(zone: str, when: str, who: list[str]) -> None:
    assert found(zone, when=(when,)) == who


def test_less_than_an_hour_is_no_time_together() -> None:
    quarter_to = share_an_hour(("weekday_evening",), "Asia/Kathmandu", ("weekday_afternoon",), "Asia/Kathmandu", TODAY)
    assert not quarter_to
    half_past = ("weekday_evening",), "Asia/Kolkata", ("weekday_afternoon",), "Asia/Karachi"  # half an hour apart
    assert not share_an_hour(*half_past, TODAY)
    assert share_an_hour(("weekday_evening",), "Asia/Dhaka", ("weekday_afternoon",), "Asia/Karachi", TODAY)


def test_a_zone_alone_narrows_nothing() -> None:
    assert not Wish(zone=SYDNEY).narrows
    assert Wish(lived=("grief",)).narrows


def test_an_empty_result_names_what_to_drop() -> None:
    assert found(meeting_types=("phone",), text="bees") == []
    assert counts_without_each_filter(PEOPLE, Wish(meeting_types=("phone",), text="bees"), TODAY) == {
        "meeting_types": 1,
        "text": 1,
    }
    three = Wish(meeting_types=("phone",), text="bees", lived=("trauma",))
    assert counts_without_each_filter(PEOPLE, three, TODAY) == {}, "to drop one of three helps nobody"
