"""What went wrong, said kindly. The last stage: it uses up what one address may try."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.gates.page_state import PageState
from tests.gates.visitor import Visitor
from tests.gates.walk import Walk
from tests.journeys.stack import Stack

A_LOT = "a" * 40_000
TRIES = 30


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    for path, name in (
        ("/nothing-here", "404"),
        ("/people/nobody-is-called-this", "404/no such person"),
        ("/o/not-a-link", "410"),
    ):
        visitor.go(path)
        yield visitor.look(f"error {name}")
    visitor.go("/s/in/not-a-link").press("main form button")
    yield visitor.look("error 410/a link that has ended")
    yield from _posted(walk)
    yield _once_more(walk)
    yield _too_many_tries(walk)
    yield PageState(
        "away for a moment", walk.language, f"{walk.stack.url}/away.html", Path("deploy/away.html").read_text(), "plain"
    )


def _posted(walk: Walk) -> Iterator[PageState]:
    elsewhere = {"Origin": "https://elsewhere.example"}
    for name, headers, typed in (("413", {}, A_LOT), ("403", elsewhere, "Sam")):
        visitor = walk.visitor().go("/ask/2")
        answer = visitor.context.request.post(f"{walk.stack.url}/ask/2", headers=headers, form={"name": typed})
        assert str(answer.status) == name
        yield replace(visitor.look(f"error {name}"), html=answer.text())


def _once_more(walk: Walk) -> PageState:
    """The browser forgot what makes the form ours."""
    visitor = walk.visitor().go("/ask/1?mode=suggest")
    visitor.press()
    visitor.fill(name="<Sam> 李雷")
    visitor.context.clear_cookies()
    visitor.press()
    return visitor.look("once more")


def _too_many_tries(walk: Walk) -> PageState:
    visitor = walk.visitor()
    for _ in range(TRIES):
        if not _try(visitor):
            break
    return visitor.look("error 429")


def _try(visitor: Visitor) -> bool:
    visitor.go("/me").press()
    return visitor.see("[name=email]").count() > 0
