"""What the supportee does on their page: choose, wait, ask for a person, withdraw."""

import pytest

from services.matching.handlers.broker_events import apply_choice, record_failed_notification, withdraw_request
from services.matching.handlers.sign_in import AddCoordinator, add_coordinator
from shared.contracts import (
    ChoiceMade,
    CoordinatorNeeded,
    MatchEnded,
    MatchMade,
    NotificationFailed,
    OfferMade,
    OfferReleased,
    RequestWaiting,
    RequestWithdrawn,
    SuggestionsMade,
    WordsErased,
)
from shared.messages import Event
from shared.service import RetryLater, Service
from tests.handlers.matching_steps import (
    add_practitioners,
    answer,
    assign,
    document,
    only,
    open_offer,
    open_tasks,
    places_of,
    submit,
    types_of,
)
from tests.people import NEW_YORK


def choose(matching: Service, next: str, practitioner_id: str | None = None) -> list[Event]:
    event = ChoiceMade(request_id="r1", next=next, practitioner_id=practitioner_id)  # type: ignore[arg-type]
    return matching.run(apply_choice, event)


def withdraw(matching: Service, request_id: str = "r1") -> list[Event]:
    return matching.run(withdraw_request, RequestWithdrawn(request_id=request_id))


def test_a_suggested_person_is_asked_when_chosen(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    submit(matching)
    assert only(OfferMade, choose(matching, "ask", "kai")).practitioner_id == "kai"


def test_after_a_suggested_person_cannot_others_are_suggested(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    submit(matching)
    choose(matching, "ask", "kai")
    events = answer(matching, open_offer(matching), "not_this_time")
    assert only(SuggestionsMade, events).practitioner_ids == ("ana",)


def test_a_suggested_person_who_filled_up_meanwhile_is_said_truly(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    submit(matching)
    submit(matching, "kai", id="r2")
    assert only(SuggestionsMade, choose(matching, "ask", "kai")).practitioner_ids == ("ana",)
    submit(matching, "ana", id="r3")
    assert only(RequestWaiting, choose(matching, "ask", "kai")).practitioner_ids == ("kai",)


def test_choosing_another_lets_the_first_off(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    submit(matching, "ana")
    events = choose(matching, "ask", "kai")
    assert only(OfferReleased, events).reason == "chose_another"
    assert only(OfferMade, events).practitioner_id == "kai"
    assert places_of(matching, "ana") == (0, 0)


def test_choosing_the_person_who_is_being_asked_changes_nothing(matching: Service) -> None:
    add_practitioners(matching, "ana")
    submit(matching, "ana")
    assert choose(matching, "ask", "ana") == []


def test_they_may_rather_wait(matching: Service) -> None:
    add_practitioners(matching, "ana", state="resting")
    submit(matching, ("ana", "ask_me"))
    waiting = only(RequestWaiting, choose(matching, "wait"))
    assert (waiting.waiting_for, waiting.practitioner_ids) == ("place", ("ana",))


def test_they_may_rather_have_a_person_write(matching: Service) -> None:
    add_practitioners(matching, "ana", state="resting")
    submit(matching, ("ana", "ask_me"))
    assert only(CoordinatorNeeded, choose(matching, "person")).reaching_out
    assert document(matching, "requests", "r1")["state"] == "reaching_out"


def test_withdrawing_lets_everyone_off_and_takes_the_words_away(matching: Service) -> None:
    add_practitioners(matching, "ana")
    submit(matching, "ana")
    assert only(OfferReleased, withdraw(matching)).reason == "withdrawn"
    row = document(matching, "requests", "r1")
    assert (row["state"], "encrypted" in row) == ("withdrawn", False)
    assert (withdraw(matching), choose(matching, "wait")) == ([], [])


def test_withdrawing_after_a_match_frees_the_place_for_the_next(matching: Service) -> None:
    add_practitioners(matching, "ana")
    submit(matching, "ana")
    assert only(MatchMade, answer(matching, open_offer(matching), "yes"))
    submit(matching, ("ana", "wait"), id="r2")
    assert only(MatchEnded, withdraw(matching)).request_id == "r1"
    assert only(OfferMade, assign(matching)).request_id == "r2"
    assert places_of(matching, "ana") == (1, 1)


def test_a_choice_that_comes_before_its_request_is_heard_later(matching: Service) -> None:
    with pytest.raises(RetryLater):
        choose(matching, "wait")


def test_a_request_that_comes_after_its_withdrawal_is_not_kept(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    assert types_of(withdraw(matching)) == [WordsErased]
    assert submit(matching, "juniper") == []
    assert document(matching, "requests", "r1")["choices"] == []


def test_a_letter_that_never_arrived_comes_to_the_desk_once(matching: Service) -> None:
    add_practitioners(matching, "ana")
    submit(matching, "ana")
    event = NotificationFailed(person_id="ana", request_id="r1", template="offer")
    assert only(CoordinatorNeeded, matching.run(record_failed_notification, event)).reason == "not_delivered"
    assert matching.run(record_failed_notification, event) == []
    assert len(open_tasks(matching)) == 1


def test_a_failed_letter_to_a_coordinator_makes_no_further_letter(matching: Service) -> None:
    add_practitioners(matching, "ana")
    submit(matching, "ana")
    matching.run(add_coordinator, AddCoordinator(name="Ro", email="ro@example.org", time_zone=NEW_YORK))
    ro = matching.db.coordinators.find_one({})
    assert ro
    event = NotificationFailed(person_id=ro["_id"], request_id="r1", template="person_needed")
    assert matching.run(record_failed_notification, event) == []
    assert len(open_tasks(matching)) == 1
