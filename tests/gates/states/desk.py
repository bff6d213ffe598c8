"""/c: what needs a person, in few and in many lines; a request closed, opened, and with what goes wrong in its forms."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.visitor import Visitor
from tests.gates.walk import LONG_NAME, NAMES_OF_ALL_KINDS, Walk
from tests.journeys.stack import Stack, address

MANY = 30


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Enough who ask that a person writes to them for a second page of the desk."""
    walk = Walk(stack, None, "en")  # type: ignore[arg-type]  it asks without a browser
    for number in range(MANY):
        walk.ask([*NAMES_OF_ALL_KINDS.values(), "Robin"][number % 4], "mode=reach_out")


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/c")
    yield visitor.look("sign in/coordinator")
    visitor = walk.signed_in_as(walk.coordinator, "c")
    visitor.wait_for("/c", lambda: visitor.see("main [rel=next]").count(), "many tasks")
    yield visitor.look("desk/many", pictured=False)
    visitor.press("main [rel=next]")
    yield visitor.look("desk/second page", pictured=False)
    yield from _a_request(visitor.go("/c"))


def _a_request(visitor: Visitor) -> Iterator[PageState]:
    form = visitor.see("form[action^='/c/requests/'][action$='/open']").first
    address_of_request = str(form.get_attribute("action")).removesuffix("/open")
    visitor.go(address_of_request)
    yield visitor.look("a request/closed", pictured=False)
    visitor.press(f"form[action='{address_of_request}/open'] button")
    yield visitor.look("a request/opened", pictured=False)
    for action, name in (("write", "no note"), ("ask", "nobody chosen"), ("suggest", "nobody to suggest")):
        visitor.go(address_of_request).press(f"form[action='{address_of_request}/{action}'] button")
        yield visitor.look(f"a request/{name}", pictured=False)
    visitor.go(address_of_request).fill(words=f"Hello. {LONG_NAME}")
    visitor.press(f"form[action='{address_of_request}/write'] button")
    yield visitor.look("a request/a note sent", pictured=False)
    visitor.tick("people", str(visitor.see("[name=people]").first.get_attribute("value")))
    visitor.press(f"form[action='{address_of_request}/suggest'] button")
    yield visitor.look("a request/suggested", pictured=False)
