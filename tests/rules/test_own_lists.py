"""About whom a practitioner does not want to be asked again: what excludes, and what only asks for a look."""

from datetime import date

from services.matching import rules
from services.matching.domain import NotAgain
from services.matching.rules import Step, could_be_asked_later, may_be_asked, may_know, next_choice
from tests.people import MONDAY, a_practitioner, a_request

TODAY = date(2026, 11, 23)
WREN = NotAgain(id="e1", at=MONDAY, person_index=("request of wren", "wren's address"))
A_NAME = NotAgain(id="e2", at=MONDAY, name_index=("wren", "moreno"))


def test_the_same_address_in_another_request_is_never_offered() -> None:
    kai = a_practitioner("kai", own_list=(WREN,))
    again = a_request(id="r2", person_index=("request of somebody", "wren's address"))
    assert not may_be_asked(again, kai, TODAY)
    assert not could_be_asked_later(again, kai, TODAY)
    assert rules.rank_candidates(again, [kai], TODAY) == []


def test_choosing_them_by_name_changes_nothing() -> None:
    kai = a_practitioner("kai", own_list=(WREN,))
    again = a_request("kai", person_index=("wren's address",))
    assert not may_be_asked(again, kai, TODAY)


def test_somebody_else_and_a_request_without_any_address_are_offered() -> None:
    kai = a_practitioner("kai", own_list=(WREN,))
    assert may_be_asked(a_request(person_index=("request of mo", "mo's address")), kai, TODAY)
    assert may_be_asked(a_request(), kai, TODAY)


def test_the_next_choice_follows_and_else_what_follows_for_anybody_who_is_not_free() -> None:
    people = {"kai": a_practitioner("kai", own_list=(WREN,)), "ana": a_practitioner("ana")}
    wren = {"person_index": ("wren's address",)}
    assert next_choice(a_request(("kai", "next_choice"), "ana", **wren), people, 0, TODAY).practitioner_ids == ("ana",)
    assert next_choice(a_request(("kai", "suggest"), **wren), people, 0, TODAY) == Step("suggest")
    assert next_choice(a_request(("kai", "ask_me"), **wren), people, 0, TODAY) == Step("ask_me")


def test_nobody_waits_for_somebody_who_will_never_be_asked() -> None:
    people = {"kai": a_practitioner("kai", own_list=(WREN,))}
    asked = a_request(("kai", "wait"), person_index=("wren's address",))
    assert next_choice(asked, people, 0, TODAY) == Step("nobody_suits")
    assert next_choice(a_request(("kai", "wait")), {"kai": a_practitioner("kai", taken=1)}, 0, TODAY).action == "wait"


def test_a_name_excludes_nobody_and_asks_for_a_look() -> None:
    kai = a_practitioner("kai", own_list=(A_NAME,))
    assert may_be_asked(a_request(), kai, TODAY)
    assert may_know(kai, ("wren",))
    assert not may_know(kai, ("robin",))
    assert not may_know(a_practitioner("ana", own_list=(WREN,)), ("wren",))


def test_until_a_coordinator_has_talked_with_them_they_are_not_asked_but_may_be_waited_for() -> None:
    kai, request = a_practitioner("kai"), a_request(to_check=("kai",))
    assert not may_be_asked(request, kai, TODAY)
    assert could_be_asked_later(request, kai, TODAY)
    assert may_be_asked(request, a_practitioner("ana"), TODAY)


def test_the_list_goes_with_whoever_steps_back() -> None:
    kai = a_practitioner("kai", own_list=(WREN, A_NAME))
    kai.step_back()
    assert kai.own_list == ()
