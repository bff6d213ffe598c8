"""The demo's own pages: what stands for the world outside."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.walk import Walk
from tests.journeys.stack import Stack


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    for path, name in (("/demo/", "demo"), ("/demo/inbox", "demo inbox"), ("/demo/clock", "demo clock")):
        visitor.go(path)
        yield visitor.look(name, kind="demo", pictured=path == "/demo/")
    visitor.go("/demo/inbox").press("main a[href^='/demo/inbox/']")
    yield visitor.look("demo inbox/an e-mail", kind="demo", pictured=False)
