"""What must be true at any time of places, requests and notes, and what is found where it is not."""

from datetime import timedelta
from typing import Any

import pytest

from services.matching.domain import Offer
from services.matching.invariants import Known, findings, is_held_for_somebody
from shared.contracts import HeldRequest
from tests.people import MONDAY, a_request

LATER = MONDAY + timedelta(days=1)


def held(standing: Any = "open", **facts: Any) -> HeldRequest:
    return HeldRequest(request_id="r1", standing=standing, **facts)


def known(**facts: Any) -> Known:
    return Known(**{"has_open_offer": False, "has_match": False, "notes": frozenset(), **facts})


@pytest.mark.parametrize(
    ("state", "standing"),
    [("waiting", "open"), ("reaching_out", "open"), ("waiting", "sent"), ("withdrawn", "ended"), ("lapsed", "ended")],
)
def test_nothing_is_found_where_both_hold_the_same(state: str, standing: str) -> None:
    assert findings(a_request(state=state), held(standing), known(), LATER) == []


@pytest.mark.parametrize(
    ("state", "standing", "found"),
    [
        ("waiting", "asking", "differs"),
        ("waiting", "matched", "differs"),
        ("waiting", "ended", "left"),
        ("withdrawn", "open", "ended"),
        ("lapsed", "sent", "ended"),
        ("asking", "asking", "asked_without_offer"),
        ("matched", "matched", "matched_without_match"),
        ("received", "open", "undecided"),
    ],
)
def test_what_does_not_fit_is_named(state: str, standing: str, found: str) -> None:
    assert findings(a_request(state=state), held(standing), known(), LATER) == [found]


def test_who_waits_to_be_read_about_is_not_undecided() -> None:
    assert findings(a_request(state="received", held_until=LATER), held(), known(), LATER) == []


def test_what_came_in_a_flood_is_not_undecided() -> None:
    assert findings(a_request(state="received", flood="held"), held(), known(), LATER) == []


def test_notes_are_compared_by_how_their_ids_begin() -> None:
    request, both = a_request(state="waiting"), known(notes=frozenset({"aaaaaaaa-1", "bbbbbbbb-2"}))
    assert findings(request, held(notes=("aaaaaaaa", "bbbbbbbb")), both, LATER) == []
    assert findings(request, held(notes=("aaaaaaaa",)), both, LATER) == ["differs"]
    assert both.alone(held(notes=("aaaaaaaa",))) == {"bbbbbbbb-2"}
    assert both.lacks(held(notes=("aaaaaaaa", "cccccccc"))) == {"cccccccc"}


def test_what_was_just_said_is_not_compared_but_what_is_missing_here_is_found() -> None:
    assert findings(a_request(state="waiting"), held("asking"), known(moving=True), LATER) == []
    assert findings(a_request(state="waiting"), held("moving"), known(), LATER) == []
    assert findings(a_request(state="asking"), held("moving"), known(), LATER) == ["asked_without_offer"]
    assert findings(a_request(state="waiting"), held("ended"), known(moving=True), LATER) == ["left"]


def test_a_request_that_has_just_come_may_be_unknown_to_intakes_list() -> None:
    assert findings(a_request(state="waiting"), None, known(), MONDAY + timedelta(hours=1)) == []
    assert findings(a_request(state="waiting"), None, known(), LATER) == ["unknown_to_intake"]
    assert findings(a_request(state="withdrawn"), None, known(), LATER) == []


def test_several_things_are_found_at_once() -> None:
    found = findings(a_request(state="waiting"), held("asking", opens=False, late=True), known(), LATER)
    assert found == ["no_way_in", "waits_unseen", "differs"]


@pytest.mark.parametrize(
    ("offer_is", "request_is", "right"),
    [
        ("sent", "asking", True),
        ("seen", "waiting", False),
        ("accepted", "matched", True),
        ("accepted", "waiting", False),
        ("ended", "waiting", True),
        ("ended", None, False),
    ],
)
def test_a_place_is_held_for_somebody_or_not(offer_is: Any, request_is: Any, right: bool) -> None:
    offer = Offer(
        id="o1", request_id="r1", supportee_id="s1", practitioner_id="kai", slot=0, code="A2", state=offer_is,
        made_at=MONDAY, answer_by=LATER, remind_at=LATER,
    )  # fmt: skip
    assert is_held_for_somebody(offer, request_is) is right
