"""Two weeks later those requests have ended by themselves."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tests.gates.page_state import PageState
from tests.gates.states.after_a_week import CODE_WORDS
from tests.gates.states.long_silence import wait_for_letters
from tests.gates.walk import Walk
from tests.journeys.stack import Stack


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    wait_for_letters(stack, [f"tess {language}" for language in languages], timedelta(days=15))


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go(walk.link_to(f"tess {walk.language}", "/s/in/"))
    visitor.press("main form button")
    yield visitor.look("error 410/a link of a request that has ended")
    visitor.go("/s").fill(code=CODE_WORDS[walk.language])
    visitor.press("main form[action='/s'] button")
    yield visitor.look("status/ended after a long silence")
    coordinator = walk.signed_in_as(walk.coordinator, "c").go("/c/requests?state=lapsed")
    yield coordinator.look("requests/ended after a long silence", pictured=False)
    coordinator.press(coordinator.see("main a[href^='/c/requests/']"))
    yield coordinator.look("a request/ended after a long silence", pictured=False)
