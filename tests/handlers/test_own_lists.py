"""A practitioner's own list: whoever is on it is silently never offered to them; a name asks for a coordinator's look first."""

from typing import Any

import pytest

from services.matching import store
from services.matching.handlers.broker_events import apply_choice, withdraw_request
from services.matching.handlers.coordinator import (
    AskPractitioner,
    ChangeTask,
    OpenRequest,
    SayWhatTheySaid,
    ask_practitioner,
    record_opening,
    resolve_task,
    say_what_they_said,
    write_profile,
)
from services.matching.handlers.corrections import correct_request
from services.matching.handlers.endings import end_by_supportee
from services.matching.handlers.own_list import (
    NotThisNameAgain,
    NotThisPersonAgain,
    TakeOffList,
    put_name_on_list,
    put_person_on_list,
    take_off_list,
)
from services.matching.handlers.reading import available_for, view_practitioner
from shared.contracts import (
    ChoiceMade,
    CoordinatorNeeded,
    MatchLeft,
    OfferDeclined,
    OfferMade,
    RequestChanged,
    RequestWaiting,
    RequestWithdrawn,
    SuggestionsMade,
)
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import (
    add_practitioners,
    answer,
    assign,
    document,
    make_room,
    only,
    open_offer,
    open_tasks,
    places_of,
    submit,
    types_of,
)
from tests.people import a_profile, a_request_submitted

WREN: dict[str, Any] = {"person_index": ("wren's address", "wren's number")}


def ask_about_wren(matching: Service, *choices: object, id: str = "r1", **facts: Any) -> list[Event]:
    return submit(matching, *choices, id=id, **{**WREN, **facts})


def list_wren(matching: Service, request_id: str = "r1", label: str = "") -> list[Event]:
    return matching.run(put_person_on_list, NotThisPersonAgain(offer_id=open_offer(matching, request_id), label=label))


def list_name(matching: Service, name: str, of: str = "kai") -> None:
    matching.run(put_name_on_list, NotThisNameAgain(practitioner_id=of, name=name))


def entries(matching: Service, of: str = "kai") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(matching, "practitioners", of)["own_list"]
    return found


def decide(matching: Service, *, may_be_asked: bool, request_id: str = "r1") -> list[Event]:
    matching.run(record_opening, OpenRequest(coordinator_id="ro", request_id=request_id))
    command = SayWhatTheySaid(coordinator_id="ro", request_id=request_id, may_be_asked=may_be_asked)
    return matching.run(say_what_they_said, command)


@pytest.fixture
def kai_listed_wren(matching: Service) -> Service:
    """By the first of Wren's requests, which has ended since."""
    add_practitioners(matching, "kai")
    ask_about_wren(matching, ("kai", "ask_me"))
    list_wren(matching)
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    return matching


# A person whom they were asked about


def test_the_open_offer_is_answered_with_it_and_only_once(matching: Service) -> None:
    add_practitioners(matching, "kai", "ana")
    ask_about_wren(matching, ("kai", "next_choice"), "ana")
    offer_id = open_offer(matching)
    events = list_wren(matching)
    assert types_of(events)[:1] == [OfferDeclined]
    assert only(OfferMade, events).practitioner_id == "ana"
    assert matching.run(put_person_on_list, NotThisPersonAgain(offer_id=offer_id)) == []
    assert len(entries(matching)) == 1
    assert places_of(matching, "kai") == (0, 0)


def test_in_another_request_of_the_same_address_the_next_choice_is_asked(kai_listed_wren: Service) -> None:
    add_practitioners(kai_listed_wren, "ana")
    events = ask_about_wren(kai_listed_wren, ("kai", "next_choice"), "ana", id="r2", person_index=("wren's number",))
    assert only(OfferMade, events).practitioner_id == "ana"


def test_whoever_asks_about_anyone_or_wants_suggestions_is_never_brought_to_them(kai_listed_wren: Service) -> None:
    for number, mode in enumerate(("anyone", "suggest"), 2):
        events = ask_about_wren(kai_listed_wren, id=f"r{number}", mode=mode)
        assert not {OfferMade, SuggestionsMade} & set(types_of(events))
    make_room(kai_listed_wren, "kai", places=5)
    assert assign(kai_listed_wren) == []
    request = store.requests.find(kai_listed_wren.db, "r2")
    assert request
    assert available_for(request, kai_listed_wren.db) == []
    command = AskPractitioner(coordinator_id="ro", request_id="r2", practitioner_id="kai")
    assert kai_listed_wren.run(ask_practitioner, command) == []


def test_somebody_else_is_asked_as_ever(kai_listed_wren: Service) -> None:
    assert only(OfferMade, submit(kai_listed_wren, "kai", id="r2", person_index=("mo's address",))).practitioner_id == "kai"


def test_who_would_wait_for_them_comes_to_the_desk_in_the_words_for_nobody_free(kai_listed_wren: Service) -> None:
    events = ask_about_wren(kai_listed_wren, ("kai", "wait"), id="r2")
    nobody_free = submit(kai_listed_wren, mode="anyone", avoid=("kai",), id="r3")
    assert types_of(events) == types_of(nobody_free) == [RequestWaiting, CoordinatorNeeded]
    assert only(CoordinatorNeeded, events).reason == only(CoordinatorNeeded, nobody_free).reason == "nobody_suits"
    assert only(RequestWaiting, events).practitioner_ids == only(RequestWaiting, nobody_free).practitioner_ids == ()


def test_choosing_them_on_the_page_does_what_it_does_for_anybody_who_is_not_free(kai_listed_wren: Service) -> None:
    add_practitioners(kai_listed_wren, "ana")
    ask_about_wren(kai_listed_wren, ("kai", "ask_me"), id="r2")
    asked = kai_listed_wren.run(apply_choice, ChoiceMade(request_id="r2", next="ask", practitioner_id="kai"))
    assert only(SuggestionsMade, asked).practitioner_ids == ("ana",)
    waits = kai_listed_wren.run(apply_choice, ChoiceMade(request_id="r2", next="wait", practitioner_id="kai"))
    assert document(kai_listed_wren, "requests", "r2")["wanted"] == []
    assert only(SuggestionsMade, waits).practitioner_ids == ("ana",)
    assert open_tasks(kai_listed_wren) == []


def test_who_waits_for_them_already_does_not_wait_in_vain(matching: Service) -> None:
    add_practitioners(matching, "kai")
    ask_about_wren(matching, ("kai", "ask_me"))
    ask_about_wren(matching, ("kai", "wait"), id="r2")
    submit(matching, ("kai", "wait"), id="r3", person_index=("mo's address",))
    list_wren(matching)
    assert document(matching, "requests", "r2")["wanted"] == []
    assert document(matching, "requests", "r3")["wanted"] == ["kai"]
    assert open_tasks(matching) == ["nobody_suits"]
    assert only(OfferMade, assign(matching)).request_id == "r3"


def test_an_address_that_is_corrected_later_is_known_too(kai_listed_wren: Service) -> None:
    make_room(kai_listed_wren, "kai", places=0)
    submit(kai_listed_wren, ("kai", "wait"), id="r2", person_index=("another address",))
    again = a_request_submitted(kai_listed_wren, id="r2")
    facts: dict[str, Any] = {"time_zone": "America/New_York", "encrypted": again.encrypted}
    kai_listed_wren.run(correct_request, RequestChanged(request_id="r2", change=1, **facts))
    assert document(kai_listed_wren, "requests", "r2")["wanted"] == ["kai"]
    kai_listed_wren.run(correct_request, RequestChanged(request_id="r2", change=2, person_index=("wren's address",), **facts))
    assert document(kai_listed_wren, "requests", "r2")["wanted"] == []
    make_room(kai_listed_wren, "kai", places=1)
    assert assign(kai_listed_wren) == []


def test_after_their_meetings_ended_it_holds_for_the_same_request_without_any_address(matching: Service) -> None:
    add_practitioners(matching, "kai")
    submit(matching, ("kai", "ask_me"))
    offer_id = open_offer(matching)
    answer(matching, offer_id, "yes")
    assert matching.run(put_person_on_list, NotThisPersonAgain(offer_id=offer_id)) == []
    assert document(matching, "requests", "r1")["state"] == "matched"
    matching.run(end_by_supportee, MatchLeft(request_id="r1", practitioner_id="kai", then="wait"))
    events = matching.run(apply_choice, ChoiceMade(request_id="r1", next="ask", practitioner_id="kai"))
    assert OfferMade not in types_of(events)


def test_a_request_from_before_there_were_lists_is_known_again(matching: Service) -> None:
    add_practitioners(matching, "kai")
    ask_about_wren(matching, ("kai", "ask_me"))
    matching.db.requests.update_one({}, {"$unset": {"person_index": ""}})
    list_wren(matching)
    matching.run(apply_choice, ChoiceMade(request_id="r1", next="ask", practitioner_id="kai"))
    assert matching.db.offers.count_documents({"is_open": True}) == 0
    assert document(matching, "requests", "r1")["person_index"] == entries(matching)[0]["person_index"]


def test_taken_off_they_are_asked_again_and_whoever_waits_at_once(kai_listed_wren: Service) -> None:
    ask_about_wren(kai_listed_wren, id="r2", mode="anyone")
    [entry] = entries(kai_listed_wren)
    command = TakeOffList(practitioner_id="kai", entry_id=entry["_id"])
    assert kai_listed_wren.run(take_off_list, TakeOffList(practitioner_id="ana", entry_id=entry["_id"])) == []
    kai_listed_wren.run(take_off_list, command)
    kai_listed_wren.run(take_off_list, command)
    assert entries(kai_listed_wren) == []
    assert only(OfferMade, assign(kai_listed_wren)).practitioner_id == "kai"


def test_the_entry_outlives_the_person_s_leaving_and_says_nothing_of_them(matching: Service) -> None:
    add_practitioners(matching, "kai")
    ask_about_wren(matching, ("kai", "ask_me"))
    list_wren(matching, label="the one who called at night")
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    [entry] = entries(matching)
    assert set(entry) == {"_id", "at", "person_index", "name_index", "label"}
    assert document(matching, "requests", "r1")["person_index"] == []
    assert "supportee of r1" not in str(entry)
    assert "night" not in str(list(matching.db.practitioners.find()))
    view = view_practitioner("kai", matching.db)
    assert view
    assert [one.label for one in view.own_list] == ["the one who called at night"]


def test_whoever_leaves_takes_their_list_with_them(kai_listed_wren: Service) -> None:
    kai_listed_wren.run(write_profile, a_profile("kai", state="stepped_back"))
    assert entries(kai_listed_wren) == []
    list_name(kai_listed_wren, "Wren")
    assert entries(kai_listed_wren) == []


def test_an_edit_of_the_profile_leaves_the_list_as_it_is(kai_listed_wren: Service) -> None:
    kai_listed_wren.run(write_profile, a_profile("kai", name="Kai Moreno", places=3))
    assert len(entries(kai_listed_wren)) == 1


# A name that they typed


def test_a_name_like_it_waits_for_a_coordinator_and_the_supportee_sees_somebody_who_is_not_free(matching: Service) -> None:
    add_practitioners(matching, "kai")
    list_name(matching, "Wrén Moreno")
    events = ask_about_wren(matching, ("kai", "next_choice"))
    assert types_of(events) == [RequestWaiting, CoordinatorNeeded]
    assert only(RequestWaiting, events).practitioner_ids == ("kai",)
    assert only(CoordinatorNeeded, events).reason == "nobody_suits"
    assert open_tasks(matching) == ["ask_in_person"]
    make_room(matching, "kai", places=4)
    assert assign(matching) == []
    assert places_of(matching, "kai") == (0, 0)


def test_another_name_and_another_practitioner_go_out_at_once(matching: Service) -> None:
    add_practitioners(matching, "kai", "ana")
    list_name(matching, "Robin")
    assert only(OfferMade, ask_about_wren(matching, "kai")).practitioner_id == "kai"
    list_name(matching, "Wren")
    assert only(OfferMade, ask_about_wren(matching, "ana", id="r2")).practitioner_id == "ana"


def test_when_they_may_be_asked_the_offer_goes_out_and_is_not_looked_at_again(matching: Service) -> None:
    add_practitioners(matching, "kai")
    list_name(matching, "Wren")
    ask_about_wren(matching, "kai")
    assert only(OfferMade, decide(matching, may_be_asked=True)).practitioner_id == "kai"
    assert open_tasks(matching) == []
    assert decide(matching, may_be_asked=True) == []


def test_when_they_would_rather_not_it_goes_on_as_the_supportee_said(matching: Service) -> None:
    add_practitioners(matching, "kai", "ana")
    list_name(matching, "Wren")
    ask_about_wren(matching, ("kai", "next_choice"), "ana")
    assert only(OfferMade, decide(matching, may_be_asked=False)).practitioner_id == "ana"
    assert open_tasks(matching) == []
    assert document(matching, "requests", "r1")["asked"] == ["kai"]


def test_where_anybody_will_do_somebody_else_is_asked_meanwhile(matching: Service) -> None:
    add_practitioners(matching, "kai")
    list_name(matching, "Wren")
    events = ask_about_wren(matching, mode="anyone")
    assert only(RequestWaiting, events).practitioner_ids == ()
    assert open_tasks(matching) == ["ask_in_person"]
    add_practitioners(matching, "ana")
    assert only(OfferMade, assign(matching)).practitioner_id == "ana"
    assert open_tasks(matching) == []


def test_two_with_such_a_name_are_talked_with_one_after_the_other(matching: Service) -> None:
    add_practitioners(matching, "kai", "ana")
    list_name(matching, "Wren")
    list_name(matching, "Wren", of="ana")
    ask_about_wren(matching, mode="anyone")
    assign(matching)
    assert len(document(matching, "requests", "r1")["to_check"]) == 2
    assert open_tasks(matching) == ["ask_in_person"]
    assert decide(matching, may_be_asked=False) == []
    assert open_tasks(matching) == ["ask_in_person"]
    [left] = document(matching, "requests", "r1")["to_check"]
    assert only(OfferMade, decide(matching, may_be_asked=True)).practitioner_id == left


def test_a_place_that_comes_free_is_looked_at_as_well(matching: Service) -> None:
    add_practitioners(matching, "kai", places=0)
    list_name(matching, "Wren")
    ask_about_wren(matching, ("kai", "wait"))
    assert open_tasks(matching) == []
    make_room(matching, "kai", places=1)
    assert only(CoordinatorNeeded, assign(matching)).reason == "nobody_suits"
    assert assign(matching) == []
    assert only(OfferMade, decide(matching, may_be_asked=True)).practitioner_id == "kai"


def test_a_coordinator_who_asks_them_is_sent_to_talk_first(matching: Service) -> None:
    add_practitioners(matching, "kai")
    list_name(matching, "Wren")
    ask_about_wren(matching, mode="reach_out")
    command = AskPractitioner(coordinator_id="ro", request_id="r1", practitioner_id="kai")
    assert OfferMade not in types_of(matching.run(ask_practitioner, command))
    assert "ask_in_person" in open_tasks(matching)
    assert only(OfferMade, decide(matching, may_be_asked=True)).practitioner_id == "kai"


def test_saying_that_it_is_done_or_deciding_unread_lets_nothing_go_out(matching: Service) -> None:
    add_practitioners(matching, "kai")
    list_name(matching, "Wren")
    ask_about_wren(matching, "kai")
    task = matching.db.coordinator_tasks.find_one({"reason": "ask_in_person"})
    assert task
    matching.run(resolve_task, ChangeTask(coordinator_id="ro", task_id=task["_id"]))
    command = SayWhatTheySaid(coordinator_id="ro", request_id="r1", may_be_asked=True)
    assert matching.run(say_what_they_said, command) == []
    assert open_tasks(matching) == ["ask_in_person"]


def test_no_name_lies_there_in_clear_and_no_event_tells_of_a_list(matching: Service) -> None:
    add_practitioners(matching, "kai")
    list_name(matching, "Zebedee Quill")
    submit(matching, ("kai", "wait"), words={"name": "Zebedee"}, **WREN)
    stored = {name: str(list(matching.db[name].find())).casefold() for name in matching.db.list_collection_names()}
    assert not [name for name, rows in stored.items() if "zebedee" in rows or "quill" in rows]
    index = entries(matching)[0]["name_index"]
    assert not [token for token in (*index, "own_list", "ask_in_person", "wren's address") if token in stored["outbox"]]
