"""Where a request stands, for the person who asks, up to the moment when somebody answers."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.visitor import Visitor
from tests.gates.walk import LONG_NAME, WORDS, Walk, slug_of
from tests.journeys.stack import Stack, address

NOTHING_IS_THERE = "river cedar button lamp otter moss"


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    yield from _finding_it(walk)
    visitor = walk.visitor()
    send(walk, visitor, "Wren", f"with={slug_of(walk.practitioner)}", email=address(f"wren {walk.language}"))
    yield visitor.look("sent")
    visitor.press()
    visitor.wait_for("/s", lambda: visitor.see("h1", walk.practitioner).count(), "who is asked")
    yield visitor.look("status/asked")
    yield from _what_can_be_done(visitor)
    yield from _by_link(walk)
    yield from _suggested(walk)
    yield from _waiting(walk)
    yield from _a_coordinator_writes(walk)
    yield from _left(walk)


def send(walk: Walk, visitor: Visitor, name: str, how: str, email: str = "") -> None:
    """All seven questions and Send."""
    visitor.go(f"/ask/1?{how}")
    visitor.press()
    visitor.fill(name=name)
    visitor.press()
    visitor.fill(words=WORDS[walk.language])
    visitor.press()
    visitor.tick("reach", "email" if email else "page")
    if email:
        visitor.fill(email=email)
    for _ in range(5):
        visitor.press()


def _finding_it(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/s")
    yield visitor.look("my request")
    visitor.fill(code=NOTHING_IS_THERE)
    visitor.press("main form[action='/s'] button")
    yield visitor.look("my request/words that open nothing")
    visitor.go("/s").press("main form[action='/s/link'] button")
    yield visitor.look("my request/no address")
    visitor.fill(address="nobody@people.example")
    visitor.press("main form[action='/s/link'] button")
    yield visitor.look("my request/a link is on its way")
    visitor.go("/s/in/not-a-link")
    yield visitor.look("my request/by link")


def _what_can_be_done(visitor: Visitor) -> Iterator[PageState]:
    for path, name in (
        ("/s/answers", "own answers"),
        ("/s/leave", "leave"),
        ("/s/write/coordinators", "write to coordinators"),
        ("/s/write", "write"),
    ):
        visitor.go(path)
        yield visitor.look(f"status/{name}")
    visitor.press("main form[action='/s/write'] button")
    yield visitor.look("status/write, no words")
    for question in (1, 2, 3, 5, 6, 7, 4):
        visitor.go(f"/s/change/{question}")
        yield visitor.look(f"correct/question {question}")
    visitor.fill(email="wren at home")
    visitor.press()
    yield visitor.look("correct/an address that cannot be")
    visitor.go("/s/change/2").press()
    yield visitor.look("status/own answers, corrected")


def _by_link(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go(walk.link_to(f"wren {walk.language}", "/s/in/"))
    visitor.press("main form button")
    yield visitor.look("status/opened by link")


def _suggested(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    send(walk, visitor, "李雷", "mode=suggest")
    visitor.press()
    visitor.wait_for("/s", lambda: visitor.see("main .card, main .person").count(), "suggestions")
    yield visitor.look("status/people suggested", pictured=False)
    visitor.go("/s/someone-else")
    yield visitor.look("someone else/many are open")
    visitor.press("main form[action='/s/someone-else'] button")
    yield visitor.look("someone else/no name to look for")
    visitor.fill(find="nobody is called this")
    visitor.press("main form[action='/s/someone-else'] button")
    yield visitor.look("someone else/nobody found")
    visitor.fill(find=LONG_NAME[:20])
    visitor.press("main form[action='/s/someone-else'] button")
    yield visitor.look("someone else/found")
    visitor.press("main form[action='/s/next'] button")
    yield visitor.look("someone else/nobody chosen")


def _waiting(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/ask/1?with=otis")
    visitor.tick("if_not", "wait")
    visitor.press()
    visitor.fill(name=LONG_NAME)
    visitor.press()
    visitor.press()
    visitor.tick("reach", "page")
    for _ in range(5):
        visitor.press()
    yield visitor.look("sent/to somebody who is full")
    visitor.press()
    visitor.wait_for("/s", lambda: visitor.see("h1", "Otis").count(), "the wait")
    yield visitor.look("status/waiting for one person, long name")


def _a_coordinator_writes(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    send(walk, visitor, "محمد", "mode=reach_out")
    yield visitor.look("sent/a person reaches out")
    visitor.press()
    yield visitor.look("status/a person reaches out", pictured=False)


def _left(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    send(walk, visitor, "Robin", "mode=reach_out")
    visitor.press()
    visitor.go("/s/write/coordinators").fill(words=WORDS[walk.language])
    _leave_in_another_window(visitor)
    visitor.press()
    yield visitor.look("status/a note that nobody gets any more", pictured=False)
    visitor.go("/s/left")
    yield visitor.look("status/left")


def _leave_in_another_window(visitor: Visitor) -> None:
    window = visitor.context.new_page()
    window.goto("/s/leave")
    window.locator("main form[action='/s/leave'] button").click()
    window.close()
