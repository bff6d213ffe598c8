"""Fair by construction: shown on many small worlds, and by trying every lie in them."""

from datetime import timedelta
from itertools import permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.rules import Waiting, stable_match
from tests.people import MONDAY
from tests.rules.deferred_acceptance import deferred_acceptance

PRACTITIONERS = ("ana", "kai", "mo")
RANKINGS = [ranking for size in range(4) for ranking in permutations(PRACTITIONERS, size)]
World = tuple[list[Waiting], dict[str, int]]


def a_person(number: int, ranking: tuple[str, ...], named: bool = True) -> Waiting:
    return Waiting(request_id=f"r{number}", since=MONDAY + timedelta(hours=number), ranking=ranking, named=named)


@st.composite
def worlds(draw: st.DrawFn, only_choosers: bool = False) -> World:
    rankings = draw(st.lists(st.sampled_from(RANKINGS), min_size=1, max_size=5))
    named = [only_choosers or draw(st.booleans()) for _ in rankings]
    places = {p: draw(st.integers(0, 2)) for p in PRACTITIONERS}
    return [a_person(n, ranking, named[n]) for n, ranking in enumerate(rankings)], places


def rank(person: Waiting, practitioner_id: str | None) -> int:
    """0 is their most preferred."""
    return person.ranking.index(practitioner_id) if practitioner_id in person.ranking else len(person.ranking)


def test_whoever_waited_longest_is_next() -> None:
    assert stable_match([a_person(2, ("ana",)), a_person(1, ("ana",))], {"ana": 1}) == {"r1": "ana"}


def test_those_who_chose_this_person_come_before_those_who_would_meet_anyone() -> None:
    assert stable_match([a_person(1, ("ana",), named=False), a_person(2, ("ana",))], {"ana": 1}) == {"r2": "ana"}


def test_whoever_is_passed_by_turns_to_their_next_choice() -> None:
    waiting = [a_person(2, ("ana", "kai")), a_person(1, ("ana",))]
    assert stable_match(waiting, {"ana": 1, "kai": 1}) == {"r1": "ana", "r2": "kai"}


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_never_above_places_and_only_to_people_they_named(world: World) -> None:
    waiting, places = world
    offered = stable_match(waiting, places)
    assert all(list(offered.values()).count(p) <= places[p] for p in PRACTITIONERS)
    assert all(offered[w.request_id] in w.ranking for w in waiting if w.request_id in offered)


@settings(max_examples=80, deadline=None)
@given(worlds())
def test_nobody_waiting_longer_is_passed_over_by_someone_the_same_place_suits(world: World) -> None:
    """Among those of the same standing; those who chose the person stand before those who would meet anyone."""
    waiting, places = world
    offered = stable_match(waiting, places)
    for person in waiting:
        for place in person.ranking[: rank(person, offered.get(person.request_id))]:
            holders = [other for other in waiting if offered.get(other.request_id) == place]
            assert len(holders) == places[place]
            assert all((not o.named, o.since) < (not person.named, person.since) for o in holders)


@settings(max_examples=40, deadline=None)
@given(worlds(only_choosers=True), st.data())
def test_nobody_gains_by_misreporting_their_ranking(world: World, data: st.DataObject) -> None:
    waiting, places = world
    person = data.draw(st.sampled_from(waiting))
    others = [w for w in waiting if w is not person]
    truth = rank(person, stable_match(waiting, places).get(person.request_id))
    for lie in RANKINGS:
        liar = Waiting(request_id=person.request_id, since=person.since, ranking=lie, named=True)
        assert rank(person, stable_match([*others, liar], places).get(person.request_id)) >= truth


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_the_order_of_the_list_does_not_matter(world: World) -> None:
    waiting, places = world
    assert stable_match(waiting, places) == stable_match(waiting[::-1], places)


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_choosing_in_turn_is_what_deferred_acceptance_comes_to(world: World) -> None:
    waiting, places = world
    assert stable_match(waiting, places) == deferred_acceptance(waiting, places)


@settings(max_examples=80, deadline=None)
@given(worlds(), st.integers(1, 4))
def test_the_list_may_be_worked_off_in_batches(world: World, size: int) -> None:
    waiting, places = world
    in_order, left = sorted(waiting, key=lambda person: person.priority), dict(places)
    matched: dict[str, str] = {}
    for start in range(0, len(in_order), size):
        batch = stable_match(in_order[start : start + size], left)
        matched |= batch
        for practitioner_id in batch.values():
            left[practitioner_id] -= 1
    assert matched == stable_match(waiting, places)


# At size


def a_crowd(people: int, practitioners: int, random: Random) -> World:
    """Half of them name up to five, the others would meet anyone who suits: a third of all."""
    ids = [f"p{number}" for number in range(practitioners)]
    waiting = []
    for number in range(people):
        named = random.random() < 0.5
        ranking = tuple(random.sample(ids, random.randint(1, 5) if named else practitioners // 3))
        since = MONDAY + timedelta(minutes=random.randrange(people))
        waiting.append(Waiting(request_id=f"r{number:05}", since=since, ranking=ranking, named=named))
    return waiting, {id: random.randint(0, 3) for id in ids}


def test_thousands_get_what_deferred_acceptance_gives_them() -> None:
    waiting, places = a_crowd(5000, 100, Random(1))
    matched = stable_match(waiting, places)
    assert matched == deferred_acceptance(waiting, places)
    assert len(matched) == sum(places.values())


def test_among_thousands_nobody_with_more_priority_is_passed_over() -> None:
    waiting, places = a_crowd(3000, 60, Random(2))
    matched = stable_match(waiting, places)
    holders: dict[str, list[Waiting]] = {id: [] for id in places}
    for person in waiting:
        if person.request_id in matched:
            holders[matched[person.request_id]].append(person)
    for person in waiting:
        for preferred in person.ranking[: rank(person, matched.get(person.request_id))]:
            assert len(holders[preferred]) == places[preferred]
            assert all(holder.priority < person.priority for holder in holders[preferred])


def test_among_thousands_naming_people_in_another_order_gains_nothing() -> None:
    random = Random(3)
    waiting, places = a_crowd(2000, 40, random)
    for person in random.sample([person for person in waiting if person.named], 40):
        others = [other for other in waiting if other is not person]
        truth = rank(person, stable_match(waiting, places).get(person.request_id))
        for _ in range(5):
            lie = tuple(random.sample(person.ranking, len(person.ranking)))
            liar = Waiting(request_id=person.request_id, since=person.since, ranking=lie, named=True)
            assert rank(person, stable_match([*others, liar], places).get(person.request_id)) >= truth
