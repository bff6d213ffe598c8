"""/c/people: everybody, one of them, somebody new."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.visitor import Visitor
from tests.gates.walk import Walk
from tests.journeys.stack import Stack, address

SAVE = "main form[action^='/c/people/']:not([action$='/find']) button.btn:not(.quietly):not(.soft)"


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.signed_in_as(walk.coordinator, "c")
    for path, name in (
        ("/c/people", "open"),
        ("/c/people?state=resting", "resting"),
        ("/c/people?state=stepped_back", "none left"),
    ):
        visitor.go(path)
        yield visitor.look(f"practitioners/{name}")
    yield from _finding(walk, visitor)
    yield from _somebody_new(walk, visitor)


def _finding(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    find(visitor, "")
    yield visitor.look("practitioners/nothing to find")
    find(visitor, "nobody-is-called-this")
    yield visitor.look("practitioners/nobody found")
    find(visitor, address(walk.practitioner))
    yield visitor.look("practitioner/everything said")
    find(visitor, "long@people.example")
    yield visitor.look("practitioner/long name")


def find(visitor: Visitor, who: str) -> None:
    visitor.go("/c/people").fill(who=who)
    visitor.press("form[action='/c/people/find'] button")


def _somebody_new(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    visitor.go("/c/people/new")
    yield visitor.look("practitioner/new")
    visitor.press(SAVE)
    yield visitor.look("practitioner/no name, no address")
    visitor.fill(name="محمد", email=address(walk.practitioner), places="500", resting_until="2020-01-01")
    visitor.press(SAVE)
    yield visitor.look("practitioner/numbers and days that cannot be")
    visitor.fill(places="2", resting_until="")
    visitor.press(SAVE)
    yield visitor.look("practitioner/an address that another has")
    visitor.fill(email=f"new.{walk.language}@people.example")
    visitor.press(SAVE)
    yield visitor.look("practitioner/saved")
