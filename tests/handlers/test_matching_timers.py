"""Reminders, offers that expire, pauses that end and the waiting list: what happens without anybody doing anything."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.matching.handlers.timers import (
    assign_everything,
    end_pause,
    expire_offer,
    open_task_for_stranded_message,
    send_reminder,
)
from shared.clock import now
from shared.contracts import (
    IntakeMessageStranded,
    NotifyMessageStranded,
    OfferExpired,
    OfferMade,
    OfferReminded,
    PractitionerChanged,
    RequestWaiting,
    SuggestionsMade,
)
from shared.service import OldDeadLetter, Service
from tests.handlers.matching_steps import (
    Clock,
    add_practitioners,
    answer,
    assign,
    document,
    make_room,
    only,
    open_offer,
    places_of,
    run_timer,
    submit,
)
from tests.people import MONDAY, NEW_YORK


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


def test_one_reminder_in_the_middle_and_never_a_second(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    assert run_timer(matching, send_reminder) == []
    due = document(matching, "offers", open_offer(matching))["remind_at"]
    clock.advance(seconds=(due - now()).total_seconds() + 60)
    reminder = only(OfferReminded, run_timer(matching, send_reminder))
    assert sorted(reminder.encrypted.fields) == ["link", "short_link"]
    clock.advance(hours=1)
    assert run_timer(matching, send_reminder) == []


def test_a_reminder_that_comes_due_at_night_goes_out_in_the_morning(matching: Service, clock: Clock) -> None:
    """A reminder is planned for waking hours; the worker may have been away then and be back at night."""
    add_practitioners(matching, "juniper", time_zone=NEW_YORK)
    submit(matching, "juniper")
    planned = document(matching, "offers", open_offer(matching))["remind_at"]
    night = planned.astimezone(ZoneInfo(NEW_YORK)).replace(hour=23)
    clock.advance(seconds=(night - now()).total_seconds())
    assert run_timer(matching, send_reminder) == []
    clock.advance(hours=11)
    assert only(OfferReminded, run_timer(matching, send_reminder)).practitioner_id == "juniper"


def test_two_workers_that_find_the_same_reminder_send_one(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    due = document(matching, "offers", offer_id)["remind_at"]
    clock.advance(seconds=(due - now()).total_seconds() + 60)
    with ThreadPoolExecutor(4) as workers:
        sent = list(workers.map(lambda _: matching.run(send_reminder, offer_id), range(8)))
    assert sum(len(events) for events in sent) == 1
    assert matching.db.outbox.count_documents({"type": OfferReminded.event_type}) == 1


def test_two_workers_that_find_the_same_offer_past_its_time_let_it_expire_once(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "juniper", places=2, offers_at_once=2)
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    clock.advance(days=6, minutes=1)
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: matching.run(expire_offer, offer_id), range(8)))
    assert matching.db.outbox.count_documents({"type": OfferExpired.event_type}) == 1
    assert places_of(matching, "juniper") == (0, 0)


def test_an_offer_without_answer_expires_and_the_next_step_happens_by_itself(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "juniper", "kai")
    submit(matching, "juniper", "kai")
    clock.advance(days=6, minutes=1)
    events = run_timer(matching, expire_offer)
    assert only(OfferExpired, events).then == "next_choice"
    assert only(OfferMade, events).practitioner_id == "kai"
    assert places_of(matching, "juniper") == (0, 0)


def test_an_answer_just_before_the_timer_stands(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    clock.advance(days=6, minutes=1)
    answer(matching, offer_id, "yes")
    assert matching.run(expire_offer, offer_id) == []


def test_anyone_goes_on_to_the_next_person(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "juniper", "kai")
    first = only(OfferMade, submit(matching, mode="anyone")).practitioner_id
    clock.advance(days=6, minutes=1)
    assert only(OfferMade, run_timer(matching, expire_offer)).practitioner_id == ({"juniper", "kai"} - {first}).pop()


def test_who_rested_long_enough_is_open_again_and_asked(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "juniper", state="resting", resting_until=now() + timedelta(days=3))
    submit(matching, ("juniper", "wait"))
    assert run_timer(matching, end_pause) == []
    clock.advance(days=3, minutes=1)
    assert only(PractitionerChanged, run_timer(matching, end_pause)).state == "open"
    events = assign(matching)
    assert only(OfferMade, events).after_waiting
    assert only(PractitionerChanged, events).state == "full"


def test_a_place_that_comes_free_goes_to_whoever_waited_longest(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"), id="later", submitted_at=MONDAY + timedelta(hours=1))
    submit(matching, ("juniper", "wait"), id="first", submitted_at=MONDAY)
    make_room(matching, "juniper", 1)
    assert only(OfferMade, assign(matching)).request_id == "first"


def test_whoever_chose_this_person_comes_before_whoever_would_meet_anyone(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, mode="anyone", id="anyone", submitted_at=MONDAY)
    submit(matching, ("juniper", "wait"), id="chose", submitted_at=MONDAY + timedelta(hours=1))
    make_room(matching, "juniper", 1)
    assert only(OfferMade, assign(matching)).request_id == "chose"


def test_as_many_are_asked_as_there_are_places(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    for n in range(4):
        submit(matching, mode="anyone", id=f"r{n}")
    make_room(matching, "juniper", 3)
    assert sum(isinstance(event, OfferMade) for event in assign(matching)) == 3
    assert matching.db.requests.count_documents({"state": "waiting"}) == 1


def test_whoever_asked_for_suggestions_is_shown_who_is_free_now(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching)
    make_room(matching, "juniper", 1)
    assert only(SuggestionsMade, assign(matching)).practitioner_ids == ("juniper",)
    assert matching.db.offers.count_documents({}) == 0


def test_a_place_that_was_given_back_is_offered_to_whoever_waits(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, ("juniper", "ask_me"), id="r1")
    assert only(RequestWaiting, submit(matching, ("juniper", "wait"), id="r2")).practitioner_ids == ("juniper",)
    answer(matching, open_offer(matching, "r1"), "not_this_time")
    assert only(OfferMade, assign(matching)).request_id == "r2"


def test_a_free_place_that_was_missed_is_found_by_looking_again(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"))
    assign(matching)
    matching.db.practitioners.update_one({"_id": "juniper"}, {"$set": {"state": "open", "has_room": True}})
    assert assign(matching) == []
    run_timer(matching, assign_everything)
    assert only(OfferMade, assign(matching)).request_id == "r1"
    run_timer(matching, assign_everything)
    assert matching.db.assignment_triggers.count_documents({}) == 0


def test_stranded_messages_of_any_service_are_one_task_on_the_desk(matching: Service) -> None:
    messages = [IntakeMessageStranded(event_id="e1", failed_at=now()), NotifyMessageStranded(event_id="e2", failed_at=now())]
    for message in (*messages, OldDeadLetter("e3", now())):
        matching.run(open_task_for_stranded_message, message)
    assert matching.old_dead_letter_handler is open_task_for_stranded_message
    [task] = matching.db.coordinator_tasks.find({"is_open": True})
    assert (task["reason"], "request_id" in task) == ("stranded", False)
