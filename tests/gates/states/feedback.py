"""What was good and what should change; and the coordinators who read it."""

from collections.abc import Iterator, Sequence

from services.matching.domain.feedback import SHOWN_FROM
from tests.gates.page_state import PageState
from tests.gates.walk import Walk
from tests.journeys.stack import Stack


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Nothing is needed."""


def states(walk: Walk) -> Iterator[PageState]:
    coordinator = walk.signed_in_as(walk.coordinator, "c").go("/c/feedback?state=site")
    if not coordinator.see("main ul.cards").count():
        yield coordinator.look("what people said/nothing yet")
    someone = walk.visitor().go("/feedback")
    yield someone.look("feedback")
    someone.press()
    yield someone.look("feedback/nothing written")
    for _ in range(SHOWN_FROM):
        someone.go("/feedback")
        someone.tick("about", "site")
        someone.fill(good="One thing at a time.", change="<b>Bigger</b> letters, please.\n谢谢")
        someone.press()
    yield someone.look("feedback/thanks")
    coordinator.wait_for("/c/feedback?state=site", coordinator.see("main ul.cards").count, "what was said")
    yield coordinator.look("what people said", pictured=False)
