"""Yes, not this time, something to ask first, and rest: by page and by text."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from services.matching import store
from services.matching.handlers.broker_events import answer_by_text, apply_choice, withdraw_request
from services.matching.handlers.practitioner import mark_offer_seen
from services.matching.handlers.reading import offer_behind_link, view_offer
from shared.clock import now
from shared.contracts import (
    ChoiceMade,
    CoordinatorNeeded,
    MatchMade,
    MeetingsChanged,
    OfferDeclined,
    OfferMade,
    OfferSeen,
    PractitionerChanged,
    ReplyProcessed,
    ReplyReceived,
    RequestWaiting,
    RequestWithdrawn,
)
from shared.messages import Event
from shared.service import Service
from shared.vault import load_vault
from tests.handlers.matching_steps import (
    add_practitioners,
    answer,
    document,
    make_room,
    only,
    open_offer,
    open_tasks,
    places_of,
    submit,
    types_of,
)


def reply(matching: Service, offer_id: str, answer: str, by: str = "juniper") -> ReplyProcessed:
    event = ReplyReceived(offer_id=offer_id, practitioner_id=by, reply_id="s1", answer=answer)  # type: ignore[arg-type]
    return only(ReplyProcessed, matching.run(answer_by_text, event))


def may_change(matching: Service, offer_id: str) -> bool:
    offer = store.offers.find(matching.db, offer_id)
    assert offer
    return view_offer(offer, matching.db).may_change


def test_a_yes_makes_a_match_and_the_place_stays_taken(matching: Service) -> None:
    add_practitioners(matching, "juniper", places=1)
    submit(matching, "juniper")
    match = only(MatchMade, answer(matching, open_offer(matching), "yes"))
    assert (match.practitioner_id, match.version) == ("juniper", 2)
    assert places_of(matching, "juniper") == (1, 0)
    assert document(matching, "practitioners", "juniper")["published_state"] == "full"
    assert document(matching, "requests", "r1")["state"] == "matched"


def test_not_this_time_asks_the_next_choice_in_the_same_breath(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    submit(matching, "juniper", "kai")
    events = answer(matching, open_offer(matching), "not_this_time")
    declined, made = only(OfferDeclined, events), only(OfferMade, events)
    assert (declined.then, declined.version) == ("next_choice", 2)
    assert (made.practitioner_id, made.version) == ("kai", 3)
    assert places_of(matching, "juniper") == (0, 0)


def test_the_place_given_back_is_shown_again(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    assert only(PractitionerChanged, answer(matching, open_offer(matching), "not_this_time")).state == "open"


def test_not_this_time_and_a_rest_leaves_other_offers_open(matching: Service) -> None:
    add_practitioners(matching, "juniper", places=2, offers_at_once=2)
    submit(matching, ("juniper", "ask_me"), id="r1")
    submit(matching, "juniper", id="r2")
    until = now() + timedelta(days=20)
    events = answer(matching, open_offer(matching, "r1"), "pause", pause_until=until)
    changed = only(PractitionerChanged, events)
    assert (changed.state, changed.resting_until) == ("resting", until)
    assert types_of(answer(matching, open_offer(matching, "r2"), "yes")) == [MatchMade, MeetingsChanged]


def test_a_yes_resolves_the_task_of_a_question(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    answer(matching, open_offer(matching), "ask_first", question="Is text all right?")
    assert answer(matching, open_offer(matching), "yes")
    assert open_tasks(matching) == []


def test_seen_is_said_once_and_changes_nothing_else(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    assert types_of(matching.run(mark_offer_seen, offer_id)) == [OfferSeen]
    assert matching.run(mark_offer_seen, offer_id) == []
    assert document(matching, "offers", offer_id)["state"] == "seen"
    assert only(MatchMade, answer(matching, offer_id, "yes"))
    matching.run(mark_offer_seen, offer_id)
    assert document(matching, "offers", offer_id)["state"] == "accepted"


def test_a_yes_is_final_because_the_supportee_was_told(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    answer(matching, offer_id, "yes")
    assert answer(matching, offer_id, "not_this_time") == []
    assert document(matching, "requests", "r1")["state"] == "matched"


def test_not_this_time_can_become_a_yes_until_somebody_else_is_asked(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, ("juniper", "ask_me"))
    offer_id = open_offer(matching)
    assert only(RequestWaiting, answer(matching, offer_id, "not_this_time")).waiting_for == "choice"
    assert may_change(matching, offer_id)
    assert only(MatchMade, answer(matching, offer_id, "yes")).version == 4
    assert places_of(matching, "juniper") == (1, 0)


def test_not_this_time_stays_once_somebody_else_is_asked(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    submit(matching, ("juniper", "ask_me"))
    offer_id = open_offer(matching)
    answer(matching, offer_id, "not_this_time")
    matching.run(apply_choice, ChoiceMade(request_id="r1", next="ask", practitioner_id="kai"))
    assert not may_change(matching, offer_id)
    assert answer(matching, offer_id, "yes") == []


@pytest.mark.parametrize(("answer", "event_type"), [("yes", MatchMade), ("not_this_time", OfferDeclined)])
def test_a_text_has_the_effect_of_the_page(matching: Service, answer: str, event_type: type[Event]) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    outcome = reply(matching, open_offer(matching), answer).outcome
    assert outcome == answer
    assert matching.db.outbox.count_documents({"type": event_type.event_type}) == 1


def test_the_same_answer_by_text_a_second_time_is_no_mistake(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    assert [reply(matching, offer_id, "yes").outcome for _ in range(2)] == ["yes", "yes"]


def test_a_text_that_changes_its_mind_hears_which_answer_stands(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    outcomes = [reply(matching, offer_id, text).outcome for text in ("yes", "not_this_time", "yes")]
    assert outcomes == ["yes", "already_yes", "yes"]
    assert document(matching, "requests", "r1")["state"] == "matched"


def test_a_no_by_text_after_a_yes_comes_to_the_desk_and_a_yes_takes_it_away_again(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    for text, tasks in (("yes", []), ("not_this_time", ["yes_taken_back"]), ("not_this_time", ["yes_taken_back"]), ("yes", [])):
        reply(matching, offer_id, text)
        assert open_tasks(matching) == tasks
    assert matching.db.outbox.count_documents({"type": CoordinatorNeeded.event_type}) == 1


@pytest.mark.parametrize("text", ["yes", "not_this_time"])
def test_the_answer_to_a_text_brings_a_link_to_its_page(matching: Service, keys: Path, text: str) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    processed = reply(matching, open_offer(matching), text)
    assert processed.encrypted
    links = load_vault(keys, "notify").decrypt_fields(processed.encrypted)
    found = offer_behind_link(links["short_link"].rsplit("/", 1)[1], matching.db)
    assert found
    assert found.id == processed.offer_id


def test_a_yes_by_text_after_somebody_else_was_asked_hears_that_the_no_stands(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    submit(matching, "juniper", "kai")
    offer_id = open_offer(matching)
    outcomes = [reply(matching, offer_id, text).outcome for text in ("not_this_time", "yes", "not_this_time")]
    assert outcomes == ["not_this_time", "already_not_this_time", "not_this_time"]


def test_an_answer_by_text_to_an_offer_that_was_taken_back_is_too_late(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    assert reply(matching, offer_id, "yes").outcome == "too_late"


def test_nobody_answers_for_somebody_else(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, "juniper")
    offer_id = open_offer(matching)
    assert reply(matching, offer_id, "yes", by="kai").outcome == "too_late"
    assert document(matching, "offers", offer_id)["is_open"]


def test_sixteen_answers_at_once_have_one_effect(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, ("juniper", "ask_me"))
    offer_id, ready, events = open_offer(matching), threading.Barrier(16), list[list[Event]]()

    def go() -> None:
        ready.wait()
        events.append(answer(matching, offer_id, "yes"))

    threads = [threading.Thread(target=go) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(event, MatchMade) for one in events for event in one) == 1
    assert matching.db.matches.count_documents({}) == 1


def test_a_pause_does_not_bring_back_whoever_stepped_back(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, ("juniper", "ask_me"))
    add_practitioners(matching, "juniper", state="stepped_back")
    events = answer(matching, open_offer(matching), "pause", pause_until=now() + timedelta(days=2))
    assert types_of(events) == [OfferDeclined, RequestWaiting]
    assert document(matching, "practitioners", "juniper")["state"] == "stepped_back"
    assert "resting_until" not in document(matching, "practitioners", "juniper")


def test_whoever_stepped_back_does_not_open_up_from_their_own_page(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="stepped_back")
    assert make_room(matching, "juniper", 3) == []
    assert document(matching, "practitioners", "juniper")["state"] == "stepped_back"
    add_practitioners(matching, "juniper", state="open")
    assert document(matching, "practitioners", "juniper")["state"] == "open"
