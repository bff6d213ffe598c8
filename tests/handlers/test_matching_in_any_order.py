"""Supportees, practitioners, coordinators, timers and the assignment job act in any order, on a real database: whatever they do,
places, offers, requests and tasks agree with each other, and nobody waits for somebody who has room for them."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.matching import rules, store
from services.matching.handlers.broker_events import apply_choice, start_request, withdraw_request
from services.matching.handlers.coordinator import AskPractitioner, ReachOut, ask_practitioner, reach_out, write_profile
from services.matching.handlers.endings import (
    end_by_practitioner,
    end_by_supportee,
    find_ends_to_settle,
    settle_after_a_day,
    undo_by_practitioner,
    undo_by_supportee,
)
from services.matching.handlers.practitioner import AnswerOffer, SetAvailability, answer_offer, set_availability
from services.matching.handlers.timers import end_pause
from shared.clock import now
from shared.contracts import ChoiceMade, MatchLeavingUndone, MatchLeft, RequestWithdrawn
from shared.service import RetryLater, Service
from tests.handlers.matching_steps import assign
from tests.people import MONDAY, a_profile, a_request_submitted

PEOPLE = ("ana", "kai", "mo")
REQUESTS = tuple(f"r{number}" for number in range(6))
practitioner_ids, request_ids = st.sampled_from(PEOPLE), st.sampled_from(REQUESTS)
modes, languages = st.sampled_from(["suggest", "anyone", "reach_out"]), st.sampled_from(["en", "es"])
states = st.sampled_from(["open", "full", "resting"])
rankings = st.lists(
    st.tuples(practitioner_ids, st.sampled_from(["next_choice", "ask_me", "suggest", "wait"])),
    max_size=3,
    unique_by=lambda choice: choice[0],
)


class AnyOrder(RuleBasedStateMachine):
    matching: Service

    def __init__(self) -> None:
        super().__init__()
        self.stepped_back: set[str] = set()
        for name in self.matching.db.list_collection_names():
            self.matching.db[name].delete_many({})
        for id, languages in zip(PEOPLE, [("en",), ("es",), ()], strict=True):
            self.matching.run(write_profile, a_profile(id, languages=languages))

    @initialize(asked=st.lists(st.tuples(rankings, modes, languages), min_size=len(REQUESTS), max_size=len(REQUESTS)))
    def everybody_asks(self, asked: Any) -> None:
        for id, (choices, mode, language) in zip(REQUESTS, asked, strict=True):
            self.submit(id, choices, mode, language)

    def submit(self, id: str, choices: Any, mode: Any, language: str) -> None:
        moment: datetime = MONDAY + timedelta(hours=REQUESTS.index(id))
        mode = "chosen" if choices else mode
        event = a_request_submitted(self.matching, *choices, id=id, mode=mode, languages=(language,), submitted_at=moment)
        self.matching.run(start_request, event)

    @rule(id=request_ids, answer=st.sampled_from(["yes", "not_this_time", "pause"]))
    def answer(self, id: str, answer: Any) -> None:
        """To the newest offer about this request, open or not."""
        offers = store.offers.about(self.matching.db, id)
        if offers:
            self.matching.run(answer_offer, AnswerOffer(offer_id=offers[-1].id, answer=answer))

    @rule(id=request_ids, next=st.sampled_from(["ask", "wait", "person"]), practitioner_id=st.none() | practitioner_ids)
    def choose(self, id: str, next: Any, practitioner_id: str | None) -> None:
        self.unless_unknown(apply_choice, ChoiceMade(request_id=id, next=next, practitioner_id=practitioner_id))

    @rule(id=request_ids)
    def withdraw(self, id: str) -> None:
        self.unless_unknown(withdraw_request, RequestWithdrawn(request_id=id))

    @rule(id=request_ids, then=st.sampled_from(["someone_else", "wait"]), practitioner_id=practitioner_ids)
    def supportee_ends(self, id: str, then: Any, practitioner_id: str) -> None:
        self.unless_unknown(end_by_supportee, MatchLeft(request_id=id, practitioner_id=practitioner_id, then=then))

    @rule(id=request_ids, practitioner_id=practitioner_ids)
    def supportee_takes_it_back(self, id: str, practitioner_id: str) -> None:
        self.unless_unknown(undo_by_supportee, MatchLeavingUndone(request_id=id, practitioner_id=practitioner_id))

    @rule(id=request_ids, what=st.sampled_from([end_by_practitioner, undo_by_practitioner]))
    def practitioner_ends_or_takes_it_back(self, id: str, what: Any) -> None:
        for offer in store.offers.about(self.matching.db, id):
            self.matching.run(what, offer.id)

    @rule(id=request_ids)
    def a_day_is_over(self, id: str) -> None:
        moment, ended = now() - timedelta(seconds=1), {"request_id": id, "undo_until": {"$exists": True}}
        self.matching.db.offers.update_many(ended, {"$set": {"undo_until": moment}})
        for offer_id in find_ends_to_settle(self.matching.db):
            self.matching.run(settle_after_a_day, offer_id)

    @rule(
        id=practitioner_ids,
        state=st.sampled_from(["open", "full", "resting"]),
        places=st.integers(0, 2),
        at_once=st.integers(1, 2),
    )
    def set_availability(self, id: str, state: Any, places: int, at_once: int) -> None:
        command = SetAvailability(practitioner_id=id, state=state, places=places, offers_at_once=at_once)
        self.matching.run(set_availability, command)

    @rule(id=practitioner_ids, state=st.sampled_from(["open", "stepped_back", "stepped_back", None]))
    def coordinator_edits(self, id: str, state: Any) -> None:
        """The only way back for whoever stepped back."""
        languages = store.practitioners.find_many(self.matching.db, [id])[id].languages
        self.matching.run(write_profile, a_profile(id, languages=languages, state=state))
        if state:
            (self.stepped_back.add if state == "stepped_back" else self.stepped_back.discard)(id)

    @rule(id=practitioner_ids)
    def pause_ends(self, id: str) -> None:
        moment = now() - timedelta(days=1)
        self.matching.db.practitioners.update_one({"_id": id, "state": "resting"}, {"$set": {"resting_until": moment}})
        self.matching.db.practitioners.update_one({"_id": id, "state": "resting"}, {"$set": {"published_resting_until": moment}})
        self.matching.run(end_pause, id)

    @rule(id=request_ids, practitioner_id=practitioner_ids)
    def coordinator_asks(self, id: str, practitioner_id: str) -> None:
        self.matching.run(ask_practitioner, AskPractitioner(coordinator_id="ro", request_id=id, practitioner_id=practitioner_id))

    @rule(id=request_ids)
    def coordinator_reaches_out(self, id: str) -> None:
        self.matching.run(reach_out, ReachOut(coordinator_id="ro", request_id=id))

    @rule()
    def assign(self) -> None:
        assign(self.matching)
        assert self.those_who_could_still_be_asked() == []
        assert self.those_who_wait_for_nobody() == []

    def teardown(self) -> None:
        self.assign()

    def unless_unknown(self, handler: Any, event: Any) -> None:
        try:
            self.matching.run(handler, event)
        except RetryLater:
            assert store.requests.find(self.matching.db, event.request_id) is None

    @invariant()
    def places_and_offers_agree(self) -> None:
        db, held, codes = self.matching.db, Counter[str](), defaultdict[str, list[str]](list)
        for row in db.offers.find({"holds_place": True}):
            held[row["practitioner_id"]] += 1
            codes[row["practitioner_id"]] += [row["code"]] if row["is_open"] else []
        for one in store.practitioners.everyone(db):
            assert (one.occupied, sorted(one.pending_codes)) == (held[one.id], sorted(codes[one.id]))
            assert one.published_state == one.public_state

    @invariant()
    def requests_offers_and_matches_agree(self) -> None:
        db = self.matching.db
        for request in store.requests.find_many(db, REQUESTS).values():
            assert (store.offers.find_open(db, request.id) is not None) == (request.state == "asking")
            assert (store.offers.find_live_match(db, request.id) is not None) == (request.state == "matched")
            assert request.state != "received"
            if request.is_over:
                assert store.tasks.open_about(db, request.id) == []

    @invariant()
    def whoever_stepped_back_stays_so_until_they_are_brought_back(self) -> None:
        people = store.practitioners.everyone(self.matching.db)
        assert {one.id for one in people if one.state == "stepped_back"} == self.stepped_back

    def those_who_wait_for_nobody(self) -> list[str]:
        waiting = store.requests.find_many(self.matching.db, REQUESTS).values()
        return [one.id for one in waiting if one.wanted and self.stepped_back.issuperset(one.wanted)]

    def those_who_could_still_be_asked(self) -> list[str]:
        db, today = self.matching.db, now().date()
        free = store.practitioners.with_room(db)
        waiting = [one for one in store.requests.find_many(db, REQUESTS).values() if one.queue]
        return [
            request.id
            for request in waiting
            for one in free
            if (not request.wanted or one.id in request.wanted) and rules.may_be_asked(request, one, today)
        ]


@pytest.mark.usefixtures("matching")
def test_whatever_happens_in_whatever_order_nothing_contradicts_itself(matching: Service) -> None:
    AnyOrder.matching = matching
    slow_is_fine = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=slow_is_fine),
    )
