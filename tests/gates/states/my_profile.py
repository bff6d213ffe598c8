"""/me/words, /me/ways, /me/hours, /me/letters: what a practitioner says of themselves. Stepping back, as far as it asks."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.states.practitioners import find
from tests.gates.walk import Walk
from tests.journeys.stack import Stack, address

SAVE = "main form button.btn:not(.quietly)"


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.signed_in_as(walk.practitioner, "me")
    for topic in ("words", "ways", "hours", "letters"):
        visitor.go(f"/me/{topic}")
        yield visitor.look(f"my page/{topic}")
    visitor.go("/me/words").fill(name="", words="x" * 601)
    visitor.press(SAVE)
    yield visitor.look("my page/words, no name")
    visitor.go("/me/hours")
    visitor.page.locator("[name=day]").last.select_option("tue")
    visitor.press(SAVE)
    yield visitor.look("my page/hours, half a row")
    visitor.go("/me/letters").fill(phone="12")
    visitor.press(SAVE)
    yield visitor.look("my page/letters, no number for anybody")
    visitor.go("/me/beside")
    yield visitor.look("my page/somebody beside me")
    visitor.fill(name="nobody-is-called-this")
    visitor.press("main form[action='/me/beside/name'] button")
    yield visitor.look("my page/no buddy of that name")
    visitor.fill(name=walk.another)
    visitor.press("main form[action='/me/beside/name'] button")
    yield visitor.look("my page/a buddy is asked")
    other = walk.signed_in_as(walk.another, "me").go("/me/beside")
    yield other.look("my page/somebody asks to be a buddy")
    other.press("main form[action='/me/beside/yes'] button")
    yield other.look("my page/a buddy")
    yield from _both_at_once(walk)
    visitor.go("/me/step-back")
    yield visitor.look("step back")
    visitor.press(SAVE)
    yield visitor.look("step back/nothing chosen")


def _both_at_once(walk: Walk) -> Iterator[PageState]:
    """A coordinator and the practitioner write into the same field."""
    visitor, coordinator = walk.signed_in_as(walk.practitioner, "me").go("/me/words"), walk.signed_in_as(walk.coordinator, "c")
    find(coordinator, address(walk.practitioner))
    coordinator.fill(can_sit_with="Long silences.")
    coordinator.press("main form[action^='/c/people/']:not([action$='/find']) button.btn:not(.soft)")
    visitor.fill(can_sit_with="Not knowing.")
    visitor.press(SAVE)
    yield visitor.look("my page/words, changed by both")
    visitor.press(SAVE)
    yield visitor.look("my page/words saved", pictured=False)
    find(coordinator, address(walk.practitioner))
    yield coordinator.look("practitioner/changed by themselves")
