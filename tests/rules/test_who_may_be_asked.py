"""Hard limits both ways, and places."""

from datetime import date

import pytest

from services.matching.domain import Hours
from services.matching.rules import have_an_hour_together, may_be_asked, suits
from tests.people import a_practitioner, a_request

TODAY = date(2026, 11, 23)


def test_two_people_without_limits_suit_each_other() -> None:
    assert suits(a_request(), a_practitioner(), TODAY)


@pytest.mark.parametrize(
    ("wish", "offer"),
    [
        ({"languages": ("es",)}, {"languages": ("en",)}),
        ({"meeting_types": ("phone",)}, {"meeting_types": ("video", "text")}),
        ({"age_group": "under_18"}, {"ages": ("18_to_25", "26_to_64")}),
        ({"avoid": ("juniper",)}, {}),
        ({"help": ("listening", "forms")}, {"not_now": ("forms",)}),
        ({"parts": ("weekday_morning",)}, {"parts": ("weekday_evening",)}),
    ],
)
def test_a_limit_of_either_side_stands(wish: dict[str, tuple[str, ...]], offer: dict[str, tuple[str, ...]]) -> None:
    assert not suits(a_request(**wish), a_practitioner(**offer), TODAY)


def test_one_shared_language_and_way_is_enough() -> None:
    assert suits(
        a_request(languages=("es", "en"), meeting_types=("video", "text")),
        a_practitioner(languages=("es",), meeting_types=("text",)),
        TODAY,
    )


def test_an_age_that_was_not_said_is_no_limit() -> None:
    assert suits(a_request(), a_practitioner(ages=("26_to_64",)), TODAY)


def test_an_hour_is_counted_in_each_persons_zone() -> None:
    morning_in_berlin = a_request(parts=("weekday_morning",), time_zone="Europe/Berlin")  # 2:00 to 6:00 in New York
    early = Hours(day=2, start=5 * 60, end=7 * 60)
    assert have_an_hour_together(morning_in_berlin, a_practitioner(hours=(early,)), TODAY)
    assert not have_an_hour_together(morning_in_berlin, a_practitioner(parts=("weekday_morning",)), TODAY)


def test_fifty_nine_minutes_are_not_an_hour() -> None:
    evening = a_request(parts=("weekday_evening",))
    assert not have_an_hour_together(evening, a_practitioner(hours=(Hours(day=0, start=21 * 60 + 1, end=23 * 60),)), TODAY)
    assert have_an_hour_together(evening, a_practitioner(hours=(Hours(day=0, start=21 * 60, end=23 * 60),)), TODAY)


def test_the_hour_may_lie_in_another_week_of_the_other_zone() -> None:
    sunday_evening = a_request(parts=("weekend_evening",), time_zone="America/Los_Angeles")
    monday_in_auckland = a_practitioner(hours=(Hours(day=0, start=17 * 60, end=19 * 60),), time_zone="Pacific/Auckland")
    assert have_an_hour_together(sunday_evening, monday_in_auckland, TODAY)


def test_the_week_in_which_one_zone_changes_its_clocks_is_counted_as_it_is() -> None:
    # Between 25 October and 1 November Berlin is five hours ahead of New York, otherwise six.
    noon = a_request(parts=("weekday_afternoon",), time_zone="Europe/Berlin")
    ends_at_seven = a_practitioner(hours=(Hours(day=3, start=5 * 60, end=7 * 60),))
    assert have_an_hour_together(noon, ends_at_seven, date(2026, 11, 23))
    assert not have_an_hour_together(noon, a_practitioner(hours=(Hours(day=3, start=11 * 60, end=12 * 60),)), date(2026, 11, 23))
    assert have_an_hour_together(noon, a_practitioner(hours=(Hours(day=3, start=11 * 60, end=12 * 60),)), date(2026, 10, 29))


@pytest.mark.parametrize("state", ["full", "resting", "stepped_back"])
def test_only_who_is_open_is_asked(state: str) -> None:
    assert not may_be_asked(a_request(), a_practitioner(state=state), TODAY)


def test_nobody_is_asked_twice_for_one_request() -> None:
    assert not may_be_asked(a_request(asked=("juniper",)), a_practitioner(), TODAY)


def test_a_person_is_asked_about_one_at_a_time_unless_they_set_more() -> None:
    assert a_practitioner(places=3, taken=1, pending_codes=("A2",)).free_places == 0
    assert a_practitioner(places=3, taken=1, pending_codes=("A2",), offers_at_once=2).free_places == 1
    assert a_practitioner(places=2, taken=2, offers_at_once=5).free_places == 0


def test_being_asked_is_not_being_full_but_having_no_place_is() -> None:
    assert a_practitioner(state="open", places=2, taken=1).public_state == "open"
    assert a_practitioner(state="open", places=1, taken=1).public_state == "full"
    assert a_practitioner(state="resting", places=1, taken=1).public_state == "resting"
