"""Yes, not this time, something to ask first, and rest: by page and by text."""

import threading
from datetime import timedelta

import pytest

from services.matching.handlers.answering import mark_offer_seen, may_still_change_to_yes, take_answer_by_text
from services.matching.handlers.choosing import go_on_as_they_chose
from shared.clock import now
from shared.contracts import (
    ChoiceMade,
    MatchMade,
    OfferDeclined,
    OfferMade,
    PractitionerChanged,
    ReplyProcessed,
    ReplyReceived,
    RequestWaiting,
)
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import answer, ask, kinds, only, open_offer, the, there_are


def reply(matching: Service, offer_id: str, said: str, by: str = "juniper") -> list[Event]:
    came = ReplyReceived(offer_id=offer_id, practitioner_id=by, reply_id="s1", answer=said)  # type: ignore[arg-type]
    return matching.run(take_answer_by_text, came)


def test_a_yes_makes_a_match_and_the_place_stays_taken(matching: Service) -> None:
    there_are(matching, "juniper", places=1)
    ask(matching, "juniper")
    match = only(MatchMade, answer(matching, open_offer(matching), "yes"))
    assert (match.practitioner_id, match.version) == ("juniper", 2)
    row = the(matching, "practitioners", "juniper")
    assert (row["taken"], row["outstanding"], row["shown"][0]) == (1, 0, "full")
    assert the(matching, "requests", "r1")["state"] == "matched"


def test_not_this_time_asks_the_next_choice_in_the_same_breath(matching: Service) -> None:
    there_are(matching, "juniper", "kai")
    ask(matching, "juniper", "kai")
    news = answer(matching, open_offer(matching), "not_this_time")
    declined, made = only(OfferDeclined, news), only(OfferMade, news)
    assert (declined.then, declined.version) == ("next_choice", 2)
    assert (made.practitioner_id, made.version) == ("kai", 3)
    assert the(matching, "practitioners", "juniper")["taken"] == 0


def test_the_place_given_back_is_shown_again(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    assert only(PractitionerChanged, answer(matching, open_offer(matching), "not_this_time")).state == "open"


def test_not_this_time_and_a_rest_leaves_other_offers_open(matching: Service) -> None:
    there_are(matching, "juniper", places=2, offers_at_once=2)
    ask(matching, ("juniper", "ask_me"), id="r1")
    ask(matching, "juniper", id="r2")
    until = now() + timedelta(days=20)
    news = answer(matching, open_offer(matching, "r1"), "pause", pause_until=until)
    said = only(PractitionerChanged, news)
    assert (said.state, said.resting_until) == ("resting", until)
    assert kinds(answer(matching, open_offer(matching, "r2"), "yes")) == [MatchMade]


def test_a_yes_settles_what_was_asked_first(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    answer(matching, open_offer(matching), "ask_first", question="Is text all right?")
    assert answer(matching, open_offer(matching), "yes")
    assert matching.db.needs.count_documents({"open": True}) == 0


def test_seen_is_kept_and_changes_nothing_else(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    offer_id = open_offer(matching)
    assert matching.run(mark_offer_seen, offer_id) == []
    assert the(matching, "offers", offer_id)["state"] == "seen"
    assert only(MatchMade, answer(matching, offer_id, "yes"))
    matching.run(mark_offer_seen, offer_id)
    assert the(matching, "offers", offer_id)["state"] == "accepted"


def test_a_yes_is_final_because_the_supportee_was_told(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    offer_id = open_offer(matching)
    answer(matching, offer_id, "yes")
    assert answer(matching, offer_id, "not_this_time") == []
    assert the(matching, "requests", "r1")["state"] == "matched"


def test_not_this_time_can_become_a_yes_until_somebody_else_is_asked(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, ("juniper", "ask_me"))
    offer_id = open_offer(matching)
    assert only(RequestWaiting, answer(matching, offer_id, "not_this_time")).waiting_for == "choice"
    assert may_still_change_to_yes(the(matching, "offers", offer_id), matching.db)
    assert only(MatchMade, answer(matching, offer_id, "yes")).version == 4
    row = the(matching, "practitioners", "juniper")
    assert (row["taken"], row["outstanding"]) == (1, 0)


def test_not_this_time_stays_once_somebody_else_is_asked(matching: Service) -> None:
    there_are(matching, "juniper", "kai")
    ask(matching, ("juniper", "ask_me"))
    offer_id = open_offer(matching)
    answer(matching, offer_id, "not_this_time")
    matching.run(go_on_as_they_chose, ChoiceMade(request_id="r1", next="ask", practitioner_id="kai"))
    assert not may_still_change_to_yes(the(matching, "offers", offer_id), matching.db)
    assert answer(matching, offer_id, "yes") == []


@pytest.mark.parametrize(("said", "kind"), [("yes", MatchMade), ("not_this_time", OfferDeclined)])
def test_a_text_has_the_effect_of_the_page(matching: Service, said: str, kind: type[Event]) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    news = reply(matching, open_offer(matching), said)
    assert only(kind, news)
    assert only(ReplyProcessed, news).outcome == said


def test_the_same_answer_by_text_a_second_time_is_no_mistake(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    offer_id = open_offer(matching)
    reply(matching, offer_id, "yes")
    assert [only(ReplyProcessed, reply(matching, offer_id, said)).outcome for said in ("yes", "not_this_time")] == [
        "yes", "too_late",
    ]  # fmt: skip


def test_nobody_answers_for_somebody_else(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, "juniper")
    offer_id = open_offer(matching)
    assert only(ReplyProcessed, reply(matching, offer_id, "yes", by="kai")).outcome == "too_late"
    assert the(matching, "offers", offer_id)["open"]


def test_sixteen_answers_at_once_have_one_effect(matching: Service) -> None:
    there_are(matching, "juniper")
    ask(matching, ("juniper", "ask_me"))
    offer_id, ready, news = open_offer(matching), threading.Barrier(16), list[list[Event]]()

    def go() -> None:
        ready.wait()
        news.append(answer(matching, offer_id, "yes"))

    threads = [threading.Thread(target=go) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(event, MatchMade) for one in news for event in one) == 1
    assert matching.db.matches.count_documents({}) == 1
