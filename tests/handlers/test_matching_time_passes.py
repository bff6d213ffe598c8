"""Nudges, lapses, rests and the waiting list: what happens without anybody doing anything."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.matching.handlers.entries import Availability, come_back_from_rest, set_availability
from services.matching.handlers.lapsing import let_offer_lapse, nudge_once
from services.matching.handlers.waiting import offer_free_places
from shared.clock import now
from shared.contracts import (
    OfferExpired,
    OfferMade,
    OfferReminded,
    PractitionerChanged,
    RequestWaiting,
    SuggestionsMade,
)
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import Clock, answer, ask, only, open_offer, the, there_are, tick
from tests.people import MONDAY


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


def make_room(matching: Service, practitioner_id: str, places: int) -> list[Event]:
    said = Availability(practitioner_id=practitioner_id, state="open", places=places, offers_at_once=places)
    return matching.run(set_availability, said)


def test_one_nudge_in_the_middle_and_never_a_second(matching: Service, clock: Clock) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    assert tick(matching, nudge_once) == []
    due = the(matching, "offers", open_offer(matching))["nudge_at"]
    clock.pass_by(seconds=(due - now()).total_seconds() + 60)
    nudge = only(OfferReminded, tick(matching, nudge_once))
    assert sorted(nudge.encrypted.fields) == ["link", "short_link"]
    clock.pass_by(hours=1)
    assert tick(matching, nudge_once) == []


def test_no_answer_lapses_and_the_next_step_happens_by_itself(matching: Service, clock: Clock) -> None:
    there_are(matching, "juniper", "kai")
    ask(matching, "juniper", "kai")
    clock.pass_by(days=5, minutes=1)
    news = tick(matching, let_offer_lapse)
    assert only(OfferExpired, news).then == "next_choice"
    assert only(OfferMade, news).practitioner_id == "kai"
    assert the(matching, "practitioners", "juniper")["taken"] == 0


def test_an_answer_just_before_the_timer_stands(matching: Service, clock: Clock) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    offer_id = open_offer(matching)
    clock.pass_by(days=5, minutes=1)
    answer(matching, offer_id, "yes")
    assert matching.run(let_offer_lapse, offer_id) == []


def test_anyone_goes_on_to_the_next_person(matching: Service, clock: Clock) -> None:
    there_are(matching, "juniper", "kai")
    first = only(OfferMade, ask(matching, mode="anyone")).practitioner_id
    clock.pass_by(days=5, minutes=1)
    assert only(OfferMade, tick(matching, let_offer_lapse)).practitioner_id == ({"juniper", "kai"} - {first}).pop()


def test_who_rested_long_enough_is_open_again_and_asked(matching: Service, clock: Clock) -> None:
    there_are(matching, "juniper", state="resting", resting_until=now() + timedelta(days=3))
    ask(matching, ("juniper", "wait"))
    assert tick(matching, come_back_from_rest) == []
    clock.pass_by(days=3, minutes=1)
    news = tick(matching, come_back_from_rest)
    assert only(OfferMade, news).after_waiting
    assert [e.state for e in news if isinstance(e, PractitionerChanged)] == ["open", "full"]


def test_a_place_that_comes_free_goes_to_whoever_waited_longest(matching: Service) -> None:
    there_are(matching, "juniper", state="full")
    ask(matching, ("juniper", "wait"), id="later", submitted_at=MONDAY + timedelta(hours=1))
    ask(matching, ("juniper", "wait"), id="first", submitted_at=MONDAY)
    assert only(OfferMade, make_room(matching, "juniper", 1)).request_id == "first"


def test_whoever_chose_this_person_comes_before_whoever_would_meet_anyone(matching: Service) -> None:
    there_are(matching, "juniper", state="full")
    ask(matching, mode="anyone", id="anyone", submitted_at=MONDAY)
    ask(matching, ("juniper", "wait"), id="chose", submitted_at=MONDAY + timedelta(hours=1))
    assert only(OfferMade, make_room(matching, "juniper", 1)).request_id == "chose"


def test_as_many_are_asked_as_there_are_places(matching: Service) -> None:
    there_are(matching, "juniper", state="full")
    for n in range(4):
        ask(matching, mode="anyone", id=f"r{n}")
    assert sum(isinstance(event, OfferMade) for event in make_room(matching, "juniper", 3)) == 3
    assert matching.db.requests.count_documents({"state": "waiting"}) == 1


def test_whoever_asked_for_suggestions_is_shown_who_is_free_now(matching: Service) -> None:
    there_are(matching, "juniper", state="full")
    ask(matching)
    assert only(SuggestionsMade, make_room(matching, "juniper", 1)).practitioner_ids == ("juniper",)
    assert matching.db.offers.count_documents({}) == 0


def test_a_place_given_back_is_offered_in_the_same_breath(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, ("juniper", "ask_me"), id="r1")
    assert only(RequestWaiting, ask(matching, ("juniper", "wait"), id="r2")).practitioner_ids == ("juniper",)
    news = answer(matching, open_offer(matching, "r1"), "not_this_time")
    assert only(OfferMade, news).request_id == "r2"


def test_a_free_place_that_was_missed_is_found_by_looking_again(matching: Service) -> None:
    there_are(matching, "juniper", state="full")
    ask(matching, ("juniper", "wait"))
    matching.db.practitioners.update_one({"_id": "juniper"}, {"$set": {"state": "open"}})
    assert only(OfferMade, tick(matching, offer_free_places)).request_id == "r1"
    assert tick(matching, offer_free_places) == []
