"""The day before anybody is here: no practitioner, no request, one coordinator."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.walk import Walk
from tests.journeys.stack import Stack


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    for language in languages:
        stack.welcome_coordinator(f"Ro {language.title()}")


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    for path, name in (
        ("/", "welcome/nobody is open"),
        ("/people", "people/nobody is listed"),
        ("/demo/inbox", "demo inbox/empty"),
        ("/demo/phone", "demo phone/empty"),
    ):
        visitor.go(path)
        yield visitor.look(name, kind="demo" if "demo" in path else "page", pictured="demo inbox" not in name)
    coordinator = walk.signed_in_as(walk.coordinator, "c")
    yield coordinator.look("desk/empty")
    coordinator.go("/c/people")
    yield coordinator.look("practitioners/nobody")
