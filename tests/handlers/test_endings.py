"""Meetings end by either side, in one step; the place is freed once; whoever ended them may take it back for a day."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, Literal

import pytest

from services.matching.handlers.broker_events import apply_choice, forward_note, withdraw_request
from services.matching.handlers.endings import (
    end_by_practitioner,
    end_by_supportee,
    hold_match,
    settle_after_a_day,
    undo_by_practitioner,
    undo_by_supportee,
)
from services.matching.handlers.practitioner import WriteToSupportee, write_to_supportee
from shared.contracts import (
    ChoiceMade,
    CoordinatorNeeded,
    MatchEnded,
    MatchEndingSettled,
    MatchEndingUndone,
    MatchHoldChanged,
    MatchLeavingUndone,
    MatchLeft,
    MatchMade,
    MeetingsChanged,
    NoteAnswered,
    OfferMade,
    OfferReleased,
    RequestWaiting,
    RequestWithdrawn,
    SuggestionsMade,
)
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import (
    Clock,
    add_practitioners,
    answer,
    assign,
    document,
    only,
    open_offer,
    open_tasks,
    places_of,
    run_timer,
    submit,
    types_of,
)


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def pair(matching: Service) -> str:
    """Ana and the supportee of r1 meet; the id of the offer."""
    add_practitioners(matching, "ana", "kai")
    submit(matching, "ana")
    offer_id = open_offer(matching)
    answer(matching, offer_id, "yes")
    return offer_id


def leave(matching: Service, then: Literal["someone_else", "wait"] = "wait") -> list[Event]:
    return matching.run(end_by_supportee, MatchLeft(request_id="r1", practitioner_id="ana", then=then))


def undo_leaving(matching: Service) -> list[Event]:
    return matching.run(undo_by_supportee, MatchLeavingUndone(request_id="r1", practitioner_id="ana"))


def end(matching: Service, offer_id: str) -> list[Event]:
    return matching.run(end_by_practitioner, offer_id)


def choose(matching: Service, next: Any, practitioner_id: str | None = None) -> list[Event]:
    return matching.run(apply_choice, ChoiceMade(request_id="r1", next=next, practitioner_id=practitioner_id))


def state(matching: Service) -> str:
    return str(document(matching, "requests", "r1")["state"])


def test_a_practitioner_ends_it_and_the_supportee_says_what_comes_next(matching: Service, pair: str) -> None:
    ended = only(MatchEnded, end(matching, pair))
    assert (ended.ended_by, ended.then, ended.practitioner_id) == ("practitioner", "ask_me", "ana")
    row = document(matching, "requests", "r1")
    assert (row["state"], row["waiting_for"]) == ("waiting", "choice")
    assert only(OfferMade, choose(matching, "ask", "kai")).practitioner_id == "kai"


def test_a_supportee_ends_it_and_is_shown_somebody_else(matching: Service, pair: str) -> None:
    events = leave(matching, "someone_else")
    assert types_of(events) == [MatchEnded, MeetingsChanged, SuggestionsMade]
    assert only(SuggestionsMade, events).practitioner_ids == ("kai",)
    assert only(MatchEnded, events).version < only(SuggestionsMade, events).version


def test_a_supportee_ends_it_and_nothing_follows_until_they_say_so(matching: Service, pair: str) -> None:
    assert types_of(leave(matching, "wait")) == [MatchEnded, MeetingsChanged]
    assert document(matching, "requests", "r1")["waiting_for"] == "choice"
    assert leave(matching, "wait") == []


def test_the_request_keeps_its_words_for_whoever_comes_next(matching: Service, pair: str) -> None:
    leave(matching, "wait")
    assert document(matching, "requests", "r1")["encrypted"]


def test_a_place_is_kept_for_a_day_and_then_freed_once(matching: Service, pair: str, clock: Clock) -> None:
    leave(matching)
    assert places_of(matching, "ana") == (1, 0)
    clock.advance(hours=23)
    assert run_timer(matching, settle_after_a_day) == []
    assert places_of(matching, "ana") == (1, 0)
    clock.advance(hours=2)
    run_timer(matching, settle_after_a_day)
    assert places_of(matching, "ana") == (0, 0)
    assert run_timer(matching, settle_after_a_day) == []


@pytest.mark.parametrize("time", range(10))
def test_both_press_at_the_same_moment_and_the_place_is_freed_once(matching: Service, pair: str, time: int) -> None:
    start, add = Barrier(4), [lambda: end(matching, pair), lambda: leave(matching, "wait")] * 2

    def press(what: Any) -> list[Event]:
        start.wait()
        return list(what())

    with ThreadPoolExecutor(4) as pool:
        published = [event for events in pool.map(press, add) for event in events]
    assert len([event for event in published if isinstance(event, MatchEnded)]) == 1
    assert len([event for event in published if isinstance(event, MatchEndingSettled)]) == 1
    assert places_of(matching, "ana") == (0, 0)
    assert document(matching, "offers", pair)["state"] == "ended"
    tried = undo_leaving(matching) + matching.run(undo_by_practitioner, pair)
    assert MatchEndingUndone not in types_of(tried)
    assert (state(matching), places_of(matching, "ana")) == ("waiting", (0, 0))


@pytest.mark.parametrize("time", range(5))
def test_workers_that_settle_at_the_same_moment_free_one_place(matching: Service, pair: str, clock: Clock, time: int) -> None:
    end(matching, pair)
    clock.advance(hours=25)
    start = Barrier(4)

    def settle(_: int) -> None:
        start.wait()
        matching.run(settle_after_a_day, pair)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(settle, range(4)))
    assert places_of(matching, "ana") == (0, 0)


def test_a_practitioner_takes_it_back_within_a_day(matching: Service, pair: str, clock: Clock) -> None:
    end(matching, pair)
    clock.advance(hours=23)
    assert only(MatchEndingUndone, matching.run(undo_by_practitioner, pair)).undone_by == "practitioner"
    assert (state(matching), places_of(matching, "ana")) == ("matched", (1, 0))
    assert open_tasks(matching) == []
    clock.advance(hours=48)
    assert run_timer(matching, settle_after_a_day) == []
    assert places_of(matching, "ana") == (1, 0)


def test_after_a_day_nobody_takes_it_back(matching: Service, pair: str, clock: Clock) -> None:
    end(matching, pair)
    clock.advance(hours=25)
    assert matching.run(undo_by_practitioner, pair) == []
    assert state(matching) == "waiting"


def test_only_who_ended_it_takes_it_back(matching: Service, pair: str) -> None:
    end(matching, pair)
    assert undo_leaving(matching) == []
    assert state(matching) == "waiting"


def test_a_supportee_takes_it_back_and_whoever_was_asked_meanwhile_is_let_off(matching: Service, pair: str) -> None:
    leave(matching, "someone_else")
    choose(matching, "ask", "kai")
    events = undo_leaving(matching)
    assert only(OfferReleased, events).practitioner_id == "kai"
    assert only(MatchEndingUndone, events).undone_by == "supportee"
    assert (state(matching), places_of(matching, "ana"), places_of(matching, "kai")) == ("matched", (1, 0), (0, 0))
    assert document(matching, "offers", pair)["state"] == "accepted"


def test_what_was_taken_back_can_be_ended_again(matching: Service, pair: str) -> None:
    leave(matching)
    undo_leaving(matching)
    assert only(MatchEnded, leave(matching)).ended_by == "supportee"


def test_once_somebody_else_said_yes_it_cannot_be_taken_back_and_the_page_hears_that(matching: Service, pair: str) -> None:
    leave(matching, "someone_else")
    choose(matching, "ask", "kai")
    events = answer(matching, open_offer(matching), "yes")
    assert only(MatchMade, events).practitioner_id == "kai"
    assert only(MatchEndingSettled, events).practitioner_id == "ana"
    assert places_of(matching, "ana") == (0, 0)
    assert types_of(undo_leaving(matching)) == [MatchEndingSettled]
    assert document(matching, "matches", only(MatchMade, events).match_id).get("ended_at") is None


def test_when_the_supportee_went_on_the_practitioner_cannot_take_it_back(matching: Service, pair: str) -> None:
    end(matching, pair)
    events = choose(matching, "ask", "kai")
    assert only(MatchEndingSettled, events).practitioner_id == "ana"
    assert places_of(matching, "ana") == (0, 0)
    assert matching.run(undo_by_practitioner, pair) == []


def test_the_pair_is_not_suggested_again_unless_the_supportee_asks(matching: Service, pair: str, clock: Clock) -> None:
    leave(matching, "wait")
    clock.advance(hours=25)
    run_timer(matching, settle_after_a_day)
    assert only(SuggestionsMade, choose(matching, "ask", "nobody")).practitioner_ids == ("kai",)
    assert only(OfferMade, choose(matching, "ask", "ana")).practitioner_id == "ana"


def test_waiting_when_the_only_one_they_chose_ended_it_shows_who_is_free(matching: Service, pair: str, clock: Clock) -> None:
    end(matching, pair)
    clock.advance(hours=25)
    run_timer(matching, settle_after_a_day)
    events = choose(matching, "wait")
    assert only(SuggestionsMade, events).practitioner_ids == ("kai",)
    assert RequestWaiting not in types_of(events)
    assert assign(matching) == []


def test_waiting_when_nobody_at_all_can_come_free_calls_a_coordinator(matching: Service, pair: str, clock: Clock) -> None:
    end(matching, pair)
    clock.advance(hours=25)
    run_timer(matching, settle_after_a_day)
    matching.db.practitioners.delete_one({"_id": "kai"})
    choose(matching, "wait")
    assert "nobody_suits" in open_tasks(matching)


def test_a_practitioner_who_ended_it_is_not_asked_again(matching: Service, pair: str, clock: Clock) -> None:
    end(matching, pair)
    clock.advance(hours=25)
    run_timer(matching, settle_after_a_day)
    assert only(SuggestionsMade, choose(matching, "ask", "ana")).practitioner_ids == ("kai",)


def test_a_supportee_who_leaves_for_good_ends_it_with_its_own_words(matching: Service, pair: str) -> None:
    events = matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    ended = only(MatchEnded, events)
    assert (ended.ended_by, ended.then, ended.undo_until) == ("supportee", "over", None)
    assert not [event for event in events if isinstance(event, OfferReleased)]
    assert places_of(matching, "ana") == (0, 0)


def test_leaving_for_good_after_an_end_frees_the_place_at_once(matching: Service, pair: str) -> None:
    end(matching, pair)
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    assert (state(matching), places_of(matching, "ana")) == ("withdrawn", (0, 0))
    assert matching.run(undo_by_practitioner, pair) == []


def test_a_place_that_comes_free_goes_to_whoever_waits(matching: Service, pair: str, clock: Clock) -> None:
    submit(matching, ("ana", "wait"), id="r2")
    leave(matching)
    assert assign(matching) == []
    clock.advance(hours=25)
    run_timer(matching, settle_after_a_day)
    assert only(OfferMade, assign(matching)).request_id == "r2"


def test_a_yes_that_is_taken_back_soon_comes_to_the_desk(matching: Service, pair: str) -> None:
    needed = only(CoordinatorNeeded, end(matching, pair))
    assert (needed.reason, needed.reaching_out) == ("yes_taken_back", False)
    assert open_tasks(matching) == ["yes_taken_back"]


def test_meetings_of_weeks_end_without_the_desk(matching: Service, pair: str, clock: Clock) -> None:
    clock.advance(days=8)
    assert types_of(end(matching, pair)) == [MatchEnded, MeetingsChanged]
    assert open_tasks(matching) == []


def test_nobody_writes_after_the_end_and_what_the_supportee_writes_goes_to_coordinators(matching: Service, pair: str) -> None:
    end(matching, pair)
    assert matching.run(write_to_supportee, WriteToSupportee(offer_id=pair, words="one more thing")) == []
    note = NoteAnswered(note_id="n1", request_id="r1", encrypted="AQ")
    assert only(CoordinatorNeeded, matching.run(forward_note, note)).reason == "wrote"


def hold(matching: Service, on_hold: bool, change: int) -> None:
    match = matching.db.matches.find_one()
    assert match
    event = MatchHoldChanged(request_id="r1", match_id=str(match["_id"]), on_hold=on_hold, change=change)
    told = matching.run(hold_match, event)
    assert all(isinstance(one, MeetingsChanged) and one.change == "held" for one in told), "notify tells nobody of that"


def test_a_pause_sends_nothing_keeps_the_place_and_ends_when_they_come_back(matching: Service, pair: str) -> None:
    hold(matching, True, 1)
    write = WriteToSupportee(offer_id=pair, words="are you there?")
    assert matching.run(write_to_supportee, write) == []
    assert (state(matching), places_of(matching, "ana")) == ("matched", (1, 0))
    hold(matching, False, 2)
    assert matching.run(write_to_supportee, write)


def test_a_pause_and_its_end_may_arrive_in_any_order(matching: Service, pair: str) -> None:
    hold(matching, False, 2)
    hold(matching, True, 1)
    assert matching.run(write_to_supportee, WriteToSupportee(offer_id=pair, words="hello"))
