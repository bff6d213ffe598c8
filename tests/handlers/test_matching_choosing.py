"""What the supportee does on their page: choose, wait, ask for a person, withdraw."""

import pytest

from services.matching.handlers.choosing import go_on_as_they_chose, let_everyone_off
from services.matching.handlers.minding import tell_the_desk_that_a_letter_failed
from services.matching.handlers.signing_in import CoordinatorEntry, welcome_coordinator
from shared.contracts import (
    ChoiceMade,
    CoordinatorNeeded,
    MatchMade,
    NotificationFailed,
    OfferMade,
    OfferReleased,
    RequestWaiting,
    RequestWithdrawn,
    SuggestionsMade,
)
from shared.messages import Event
from shared.service import RetryLater, Service
from tests.handlers.matching_steps import answer, ask, only, open_offer, the, there_are
from tests.people import NEW_YORK


def choose(matching: Service, next: str, practitioner_id: str | None = None) -> list[Event]:
    said = ChoiceMade(request_id="r1", next=next, practitioner_id=practitioner_id)  # type: ignore[arg-type]
    return matching.run(go_on_as_they_chose, said)


def withdraw(matching: Service, request_id: str = "r1") -> list[Event]:
    return matching.run(let_everyone_off, RequestWithdrawn(request_id=request_id))


def test_a_suggested_person_is_asked_when_chosen(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    ask(matching)
    assert only(OfferMade, choose(matching, "ask", "kai")).practitioner_id == "kai"


def test_after_a_suggested_person_cannot_others_are_suggested(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    ask(matching)
    choose(matching, "ask", "kai")
    news = answer(matching, open_offer(matching), "not_this_time")
    assert only(SuggestionsMade, news).practitioner_ids == ("ana",)


def test_a_suggested_person_who_filled_up_meanwhile_is_said_truly(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    ask(matching)
    ask(matching, "kai", id="r2")
    assert only(SuggestionsMade, choose(matching, "ask", "kai")).practitioner_ids == ("ana",)
    ask(matching, "ana", id="r3")
    assert only(RequestWaiting, choose(matching, "ask", "kai")).practitioner_ids == ("kai",)


def test_choosing_another_lets_the_first_off(matching: Service) -> None:
    there_are(matching, "ana", "kai")
    ask(matching, "ana")
    news = choose(matching, "ask", "kai")
    assert only(OfferReleased, news).reason == "chose_another"
    assert only(OfferMade, news).practitioner_id == "kai"
    assert the(matching, "practitioners", "ana")["taken"] == 0


def test_choosing_the_person_who_is_being_asked_changes_nothing(matching: Service) -> None:
    there_are(matching, "ana")
    ask(matching, "ana")
    assert choose(matching, "ask", "ana") == []


def test_they_may_rather_wait(matching: Service) -> None:
    there_are(matching, "ana", state="resting")
    ask(matching, ("ana", "ask_me"))
    waiting = only(RequestWaiting, choose(matching, "wait"))
    assert (waiting.waiting_for, waiting.practitioner_ids) == ("place", ("ana",))


def test_they_may_rather_have_a_person_write(matching: Service) -> None:
    there_are(matching, "ana", state="resting")
    ask(matching, ("ana", "ask_me"))
    assert only(CoordinatorNeeded, choose(matching, "person")).reaching_out
    assert the(matching, "requests", "r1")["state"] == "reaching_out"


def test_withdrawing_lets_everyone_off_and_takes_the_words_away(matching: Service) -> None:
    there_are(matching, "ana")
    ask(matching, "ana")
    assert only(OfferReleased, withdraw(matching)).reason == "withdrawn"
    row = the(matching, "requests", "r1")
    assert (row["state"], row["encrypted"]) == ("withdrawn", None)
    assert (withdraw(matching), choose(matching, "wait")) == ([], [])


def test_withdrawing_after_a_match_frees_the_place_for_the_next(matching: Service) -> None:
    there_are(matching, "ana")
    ask(matching, "ana")
    assert only(MatchMade, answer(matching, open_offer(matching), "yes"))
    ask(matching, ("ana", "wait"), id="r2")
    news = withdraw(matching)
    assert only(OfferReleased, news).request_id == "r1"
    assert only(OfferMade, news).request_id == "r2"
    assert the(matching, "practitioners", "ana")["taken"] == 1


@pytest.mark.parametrize("handler", [go_on_as_they_chose, let_everyone_off])
def test_what_comes_before_its_request_is_heard_later(matching: Service, handler: object) -> None:
    with pytest.raises(RetryLater):
        choose(matching, "wait") if handler is go_on_as_they_chose else withdraw(matching)


def test_a_letter_that_never_arrived_comes_to_the_desk_once(matching: Service) -> None:
    there_are(matching, "ana")
    ask(matching, "ana")
    said = NotificationFailed(person_id="ana", request_id="r1", letter="offer")
    assert only(CoordinatorNeeded, matching.run(tell_the_desk_that_a_letter_failed, said)).reason == "not_delivered"
    assert matching.run(tell_the_desk_that_a_letter_failed, said) == []
    assert matching.db.needs.count_documents({"open": True}) == 1


def test_a_failed_letter_to_a_coordinator_makes_no_further_letter(matching: Service) -> None:
    there_are(matching, "ana")
    ask(matching, "ana")
    matching.run(welcome_coordinator, CoordinatorEntry(name="Ro", email="ro@example.org", time_zone=NEW_YORK))
    ro = matching.db.coordinators.find_one({})
    assert ro
    said = NotificationFailed(person_id=ro["_id"], request_id="r1", letter="person_needed")
    assert matching.run(tell_the_desk_that_a_letter_failed, said) == []
    assert matching.db.needs.count_documents({"open": True}) == 1
