"""The state of matching as a state machine: whatever is called in whatever order, no promise is broken.

Each step is what a handler does in one transaction: transitions of several objects, all of them or none.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.matching.domain import CODES, CoordinatorTask, InvalidTransition, Match, Offer, Practitioner, Request
from shared.contracts import EncryptedFields, PractitionerChanged
from shared.messages import Event
from tests.people import MONDAY, a_practitioner, a_request

LINKS = EncryptedFields(person_id="p", wrap="w", fields={})
PEOPLE = ("ana", "kai", "mo")
REQUESTS = ("r1", "r2", "r3", "r4")
practitioner_ids, request_ids = st.sampled_from(PEOPLE), st.sampled_from(REQUESTS)


def an_offer(request: Request, practitioner: Practitioner, id: str = "o1", slot: int = 0, code: str = "A2") -> Offer:
    return Offer(
        id=id, request_id=request.id, supportee_id=request.supportee_id, practitioner_id=practitioner.id, slot=slot, code=code,
        made_at=MONDAY, answer_by=MONDAY + timedelta(days=5), remind_at=MONDAY + timedelta(days=2),
    )  # fmt: skip


@dataclass
class World:
    people: dict[str, Practitioner] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    offers: list[Offer] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def open_offers(self, request_id: str) -> list[Offer]:
        return [offer for offer in self.offers if offer.request_id == request_id and offer.is_open]

    def live_matches(self, request_id: str) -> list[Match]:
        return [match for match in self.matches if match.request_id == request_id and match.ended_at is None]

    def last_offer(self, request_id: str) -> Offer:
        about = [offer for offer in self.offers if offer.request_id == request_id]
        if not about:
            raise InvalidTransition("nobody was asked")
        return about[-1]

    def close(self, offer: Offer) -> None:
        self.events += self.people[offer.practitioner_id].free_place(offer.slot, offer.code)
        self.requests[offer.request_id].close_offer(offer)


class Matching(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World(
            people={id: a_practitioner(id, places=2, offers_at_once=2) for id in PEOPLE},
            requests={id: a_request(id=id, mode="anyone", encrypted=LINKS) for id in REQUESTS},
        )
        self.withdrawn: set[str] = set()
        self.stepped_back: set[str] = set()

    @contextmanager
    def transaction(self) -> Iterator[World]:
        before = copy.deepcopy(self.world)
        versions = {id: request.version for id, request in before.requests.items()}
        try:
            yield self.world
        except InvalidTransition:
            self.world = before
        assert all(self.world.requests[id].version >= version for id, version in versions.items())

    @rule(request_id=request_ids, practitioner_id=practitioner_ids)
    def ask(self, request_id: str, practitioner_id: str) -> None:
        with self.transaction() as world:
            request, practitioner = world.requests[request_id], world.people[practitioner_id]
            room = practitioner.places - practitioner.occupied
            world.events += practitioner.hold_place(MONDAY)
            assert room > 0
            slot, code = practitioner.occupied_slots[-1], practitioner.pending_codes[-1]
            offer = an_offer(request, practitioner, f"o{len(world.offers)}", slot, code)
            world.events += request.ask(offer, LINKS, None)
            world.offers.append(offer)

    @rule(request_id=request_ids)
    def see(self, request_id: str) -> None:
        with self.transaction() as world:
            world.last_offer(request_id).see(MONDAY)

    @rule(request_id=request_ids)
    def accept(self, request_id: str) -> None:
        with self.transaction() as world:
            offer = world.last_offer(request_id)
            offer.accept(MONDAY)
            world.events += world.people[offer.practitioner_id].keep_place(offer.code)
            self._match(world, offer)

    @rule(request_id=request_ids)
    def decline(self, request_id: str) -> None:
        with self.transaction() as world:
            offer, request = world.last_offer(request_id), world.requests[request_id]
            offer.decline(MONDAY)
            world.close(offer)
            world.events += request.offer_declined(offer, "ask_me") + request.wait_for_choice()

    @rule(request_id=request_ids, days=st.integers(4, 6))
    def expire(self, request_id: str, days: int) -> None:
        with self.transaction() as world:
            offer, request = world.last_offer(request_id), world.requests[request_id]
            offer.expire(MONDAY + timedelta(days=days))
            assert days >= 5
            world.close(offer)
            world.events += request.offer_expired(offer, "wait") + request.wait_for_place(())

    @rule(request_id=request_ids)
    def change_to_yes(self, request_id: str) -> None:
        with self.transaction() as world:
            offer = world.last_offer(request_id)
            practitioner = world.people[offer.practitioner_id]
            world.events += practitioner.hold_place_for_match(MONDAY)
            offer.change_to_yes(practitioner.occupied_slots[-1], MONDAY)
            self._match(world, offer)

    @rule(request_id=request_ids)
    def withdraw(self, request_id: str) -> None:
        with self.transaction() as world:
            request = world.requests[request_id]
            for offer in world.open_offers(request_id):
                offer.release(MONDAY)
                world.close(offer)
                world.events += request.offer_released(offer, "withdrawn")
            for match in world.live_matches(request_id):
                offer = next(offer for offer in world.offers if offer.id == match.offer_id)
                match.end(MONDAY, "supportee")
                offer.end_meetings(MONDAY, "supportee", None)
                world.events += request.end_match(match, offer, "over")
                world.events += world.people[offer.practitioner_id].free_place(offer.slot, None)
            request.withdraw(MONDAY)
            self.withdrawn.add(request_id)

    @rule(request_id=request_ids, by=st.sampled_from(["practitioner", "supportee"]))
    def end_meetings(self, request_id: str, by: Literal["practitioner", "supportee"]) -> None:
        with self.transaction() as world:
            for match in world.live_matches(request_id):
                offer = next(offer for offer in world.offers if offer.id == match.offer_id)
                match.end(MONDAY, by)
                offer.end_meetings(MONDAY, by, MONDAY + timedelta(days=1))
                world.events += world.requests[request_id].end_match(match, offer, "wait")

    @rule(request_id=request_ids)
    def undo_end(self, request_id: str) -> None:
        with self.transaction() as world:
            for offer in [one for one in world.offers if one.request_id == request_id and one.undo_until]:
                match = next(match for match in world.matches if match.offer_id == offer.id)
                by = offer.ended_by or "supportee"
                match.undo_end()
                offer.undo_end(MONDAY)
                world.events += world.requests[request_id].resume_match(match, by)

    @rule(request_id=request_ids)
    def settle_end(self, request_id: str) -> None:
        with self.transaction() as world:
            for offer in [one for one in world.offers if one.request_id == request_id and one.undo_until]:
                offer.settle_end()
                world.events += world.people[offer.practitioner_id].free_place(offer.slot, None)

    @rule(request_id=request_ids, step=st.sampled_from(["suggest", "place", "choice", "hand_over", "call"]))
    def go_on(self, request_id: str, step: str) -> None:
        with self.transaction() as world:
            request = world.requests[request_id]
            steps: dict[str, Callable[[], list[Event]]] = {
                "suggest": lambda: request.suggest(("ana",)),
                "place": lambda: request.wait_for_place(("ana",)),
                "choice": request.wait_for_choice,
                "hand_over": lambda: request.hand_to_coordinators("reach_out"),
                "call": lambda: request.call_coordinators("wrote"),
            }
            world.events += steps[step]()

    @rule(practitioner_id=practitioner_ids, state=st.sampled_from(["open", "full", "resting"]), places=st.integers(0, 3))
    def set_availability(self, practitioner_id: str, state: str, places: int) -> None:
        with self.transaction() as world:
            world.events += world.people[practitioner_id].set_availability(state, None, places, 2)  # type: ignore[arg-type]

    @rule(practitioner_id=practitioner_ids)
    def pause_and_return(self, practitioner_id: str) -> None:
        with self.transaction() as world:
            world.events += world.people[practitioner_id].rest(None) + world.people[practitioner_id].end_pause()

    @rule(practitioner_id=practitioner_ids)
    def step_back(self, practitioner_id: str) -> None:
        with self.transaction() as world:
            world.events += world.people[practitioner_id].step_back()
            self.stepped_back.add(practitioner_id)

    @rule(practitioner_id=practitioner_ids)
    def come_back(self, practitioner_id: str) -> None:
        with self.transaction() as world:
            world.events += world.people[practitioner_id].come_back()
            self.stepped_back.remove(practitioner_id)

    def _match(self, world: World, offer: Offer) -> None:
        match, made = world.requests[offer.request_id].match(offer, f"m{len(world.matches)}", MONDAY)
        world.matches.append(match)
        world.events += made

    @invariant()
    def every_held_place_has_one_offer_or_match_and_every_one_of_those_a_place(self) -> None:
        for id, practitioner in self.world.people.items():
            holding = [offer for offer in self.world.offers if offer.practitioner_id == id and offer.holds_place]
            assert sorted(offer.slot for offer in holding) == sorted(practitioner.occupied_slots)
            assert len(set(practitioner.occupied_slots)) == practitioner.occupied

    @invariant()
    def a_practitioner_knows_the_code_of_each_open_offer_and_no_two_have_the_same(self) -> None:
        for id, practitioner in self.world.people.items():
            codes = [offer.code for offer in self.world.offers if offer.practitioner_id == id and offer.is_open]
            assert sorted(codes) == sorted(practitioner.pending_codes)
            assert len(set(codes)) == len(codes) == practitioner.pending_offers

    @invariant()
    def a_request_has_an_open_offer_exactly_while_somebody_is_asked(self) -> None:
        for id, request in self.world.requests.items():
            assert len(self.world.open_offers(id)) == (1 if request.state == "asking" else 0)

    @invariant()
    def a_match_lives_exactly_while_the_request_is_matched_and_stands_on_an_accepted_offer(self) -> None:
        for id, request in self.world.requests.items():
            live = self.world.live_matches(id)
            assert len(live) == (1 if request.state == "matched" else 0)
            accepted = {offer.id for offer in self.world.offers if offer.state == "accepted"}
            assert all(match.offer_id in accepted for match in live)

    @invariant()
    def nothing_follows_a_withdrawal_and_nothing_of_what_they_said_is_kept(self) -> None:
        for id in self.withdrawn:
            request = self.world.requests[id]
            blank = Request.withdrawn(id, request.supportee_id, MONDAY)
            assert replace(request, version=0, stored_version=None) == replace(blank, version=0, stored_version=None)

    @invariant()
    def whoever_waits_for_a_place_stands_in_one_queue_and_nobody_else_in_any(self) -> None:
        for request in self.world.requests.values():
            assert (request.queue is not None) == (request.state == "waiting" and request.waiting_for == "place")

    @invariant()
    def whoever_stepped_back_stays_so_until_they_are_brought_back(self) -> None:
        for id, practitioner in self.world.people.items():
            assert (practitioner.state == "stepped_back") == (id in self.stepped_back)

    @invariant()
    def versions_of_published_events_strictly_grow(self) -> None:
        for subject in (*REQUESTS, *PEOPLE):
            versions = [event.version for event in self.world.events if event.subject == subject and hasattr(event, "version")]
            assert versions == sorted(set(versions))

    @invariant()
    def what_was_published_of_a_practitioner_is_what_holds(self) -> None:
        for id, practitioner in self.world.people.items():
            published = [e for e in self.world.events if isinstance(e, PractitionerChanged) and e.practitioner_id == id]
            assert not published or published[-1].state == practitioner.public_state


Matching.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestMatching = Matching.TestCase


def test_nobody_is_matched_through_an_offer_that_was_not_accepted() -> None:
    request, practitioner = a_request(), a_practitioner()
    offer = an_offer(request, practitioner)
    request.ask(offer, LINKS, None)
    with pytest.raises(InvalidTransition):
        request.match(offer, "m1", MONDAY)


def test_nobody_is_matched_through_an_offer_about_somebody_else() -> None:
    request, practitioner = a_request(), a_practitioner()
    request.ask(an_offer(request, practitioner), LINKS, None)
    other = an_offer(a_request(id="r2"), practitioner)
    other.accept(MONDAY)
    with pytest.raises(InvalidTransition):
        request.match(other, "m1", MONDAY)


def test_an_offer_that_is_open_keeps_its_request_asking() -> None:
    request = a_request(encrypted=LINKS)
    offer = an_offer(request, a_practitioner())
    request.ask(offer, LINKS, None)
    for change in (lambda: request.close_offer(offer), lambda: request.withdraw(MONDAY), request.wait_for_choice):
        with pytest.raises(InvalidTransition):
            change()
    assert (request.state, request.encrypted) == ("asking", LINKS)


def test_nobody_withdraws_twice() -> None:
    request = a_request()
    request.withdraw(MONDAY)
    with pytest.raises(InvalidTransition):
        request.withdraw(MONDAY)


def test_a_place_beyond_those_they_have_cannot_be_held() -> None:
    practitioner = a_practitioner(places=1)
    practitioner.hold_place(MONDAY)
    with pytest.raises(InvalidTransition):
        practitioner.hold_place(MONDAY)


def test_a_place_nobody_holds_cannot_be_freed() -> None:
    with pytest.raises(InvalidTransition):
        a_practitioner().free_place(0, "A2")


@settings(deadline=None)
@given(st.integers(1, 10), st.randoms(use_true_random=False))
def test_a_code_comes_again_only_after_all_others_that_are_not_in_use(offers_at_once: int, random: Random) -> None:
    practitioner = a_practitioner(places=50, offers_at_once=offers_at_once)
    codes, ends_at = list[str](), dict[str, int]()
    for number in range(3 * len(CODES)):
        for code in [code for code, end in ends_at.items() if end <= number]:
            practitioner.free_place(practitioner.occupied_slots[0], code)
            del ends_at[code]
        if not practitioner.has_room:
            continue
        practitioner.hold_place(MONDAY)
        code = practitioner.pending_codes[-1]
        since = codes[len(codes) - codes[::-1].index(code) :] if code in codes else CODES
        assert {*since, *ends_at, code} == set(CODES)
        assert code not in ends_at
        codes.append(code)
        ends_at[code] = number + (400 if random.random() < 0.02 else random.randint(1, offers_at_once))


def test_codes_come_in_another_order_for_another_practitioner_and_in_the_same_for_the_same() -> None:
    def first_codes(id: str) -> tuple[str, ...]:
        practitioner = a_practitioner(id, places=20, offers_at_once=20)
        for _ in range(20):
            practitioner.hold_place(MONDAY)
        return practitioner.pending_codes

    assert first_codes("ana") == first_codes("ana") != first_codes("kai")


def test_an_offer_is_answered_once() -> None:
    offer = an_offer(a_request(), a_practitioner())
    offer.decline(MONDAY)
    for again in (offer.accept, offer.decline, offer.see, offer.release):
        with pytest.raises(InvalidTransition):
            again(MONDAY)


def test_an_offer_is_reminded_of_once() -> None:
    offer = an_offer(a_request(), a_practitioner())
    assert offer.remind(MONDAY, LINKS)
    with pytest.raises(InvalidTransition):
        offer.remind(MONDAY, LINKS)


def test_being_asked_in_between_does_not_cost_anybody_their_turn() -> None:
    request, practitioner = a_request(mode="anyone"), a_practitioner()
    request.wait_for_place(())
    offer = an_offer(request, practitioner)
    request.ask(offer, LINKS, None)
    offer.decline(MONDAY)
    request.close_offer(offer)
    request.wait_for_place(())
    assert request.submitted_at == MONDAY


def test_a_task_that_is_resolved_stays_so() -> None:
    task = CoordinatorTask(id="t1", reason="wrote", since=MONDAY, due_at=MONDAY)
    task.resolve(MONDAY, "ro")
    for change in (lambda: task.take("ro"), lambda: task.resolve(MONDAY, "ro")):
        with pytest.raises(InvalidTransition):
            change()


def test_a_task_that_was_not_done_after_all_is_open_again_and_keeps_its_holder() -> None:
    task = CoordinatorTask(id="t1", reason="wrote", since=MONDAY, due_at=MONDAY, holder="ro")
    with pytest.raises(InvalidTransition):
        task.reopen()
    task.resolve(MONDAY, "ro")
    task.reopen()
    assert (task.is_open, task.holder, task.resolved_by) == (True, "ro", None)


def test_whoever_stepped_back_is_open_again_only_by_coming_back() -> None:
    practitioner = a_practitioner()
    practitioner.step_back()
    changes = (
        lambda: practitioner.rest(None),
        practitioner.end_pause,
        lambda: practitioner.set_availability("open", None, 1, 1),
        practitioner.step_back,
    )
    for change in changes:
        with pytest.raises(InvalidTransition):
            change()
    practitioner.come_back()
    assert practitioner.state == "open"


def test_a_pause_ends_only_while_it_lasts() -> None:
    with pytest.raises(InvalidTransition):
        a_practitioner(state="full").end_pause()
