"""Nobody heard of those who wait for eleven weeks: their requests are about to end."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tests.gates.page_state import PageState
from tests.gates.walk import Walk
from tests.journeys.stack import Stack, soon

SECONDS_UNTIL_A_WORKER_LOOKS = 100.0


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    wait_for_letters(stack, [f"{name} {language}" for name in ("sam", "tess") for language in languages], timedelta(days=77))


def wait_for_letters(stack: Stack, names: Sequence[str], days: timedelta) -> None:
    """Each of them gets one because so many days pass."""
    before = {name: len(stack.emails_to(name)) for name in names}
    stack.move_clock(days)
    soon(lambda: all(len(stack.emails_to(name)) > before[name] for name in names), "the letters", SECONDS_UNTIL_A_WORKER_LOOKS)


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go(walk.link_to(f"sam {walk.language}", "/s/in/"))
    visitor.press("main form button")
    yield visitor.look("status/it ends soon unless it is kept")
    visitor.press("form[action='/s/keep'] button")
    yield visitor.look("status/kept")
