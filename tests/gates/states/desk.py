"""/c: what needs a person, in few and in many lines; a request closed, opened, and with what goes wrong in its forms."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from playwright.sync_api import Locator

from services.matching.labels import TASK_REASONS
from shared.i18n import translator
from tests.gates.page_state import PageState
from tests.gates.visitor import Visitor
from tests.gates.walk import LONG_NAME, NAMES_OF_ALL_KINDS, Walk, ask
from tests.journeys.stack import FROM_ONE_PLACE, Stack

MANY = 30
HELD = 3


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Enough who ask that a person writes to them for a second page of the desk."""
    for _ in range(MANY):
        ask(stack.url, "en", LONG_NAME, "mode=reach_out")
    reach = {"reach": "email", "email": "sky@people.example", "before_we_write": "Someone else reads my phone."}
    ask(stack.url, "en", NAMES_OF_ALL_KINDS["arabic"], "mode=suggest", **reach)
    for number in range(FROM_ONE_PLACE + HELD):
        ask(stack.url, "en", f"Ash {number}", "mode=suggest", place="127.0.2.1")


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/c")
    yield visitor.look("sign in/coordinator")
    visitor = walk.signed_in_as(walk.coordinator, "c")
    visitor.wait_for("/c", lambda: visitor.see("main [rel=next]").count(), "many tasks")
    yield visitor.look("desk/many")
    visitor.press("main [rel=next]")
    yield visitor.look("desk/second page")
    yield from _lists_of_requests(visitor)
    yield from _one_task(walk, visitor)
    yield from _to_be_read_first(walk, visitor)
    yield from _held(visitor)
    yield visitor.go("/c/texts").look("texts to be written")


def _held(visitor: Visitor) -> Iterator[PageState]:
    """What came with many others from one place."""
    visitor.go("/c/held").press("main details summary")
    yield visitor.look("held/some")
    visitor.press("main th a")
    yield visitor.look("a request/held, closed")
    visitor.press("form[action$='/open'] button")
    yield visitor.look("a request/held, opened")


def _to_be_read_first(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    """Nobody is written to before a coordinator has read what they want us to know."""
    row = visitor.go("/c").see("main tr", translator(walk.language)(TASK_REASONS["read_first"]))
    while not row.count():
        visitor.press("main [rel=next]")
    if row.locator("form[action*='/take']").count():
        visitor.press(row.locator("form[action*='/take'] button"))
    while not row.count():
        visitor.press("main [rel=next]")
    visitor.press(row.locator("a.btn"))
    yield visitor.look("a request/to be read first, closed")
    visitor.press("form[action$='/open'] button")
    yield visitor.look("a request/to be read first, opened")


def _lists_of_requests(visitor: Visitor) -> Iterator[PageState]:
    for state in ("asking", "waiting", "reaching_out", "matched", "withdrawn", "lapsed"):
        visitor.go(f"/c/requests?state={state}")
        yield visitor.look(f"requests/{state}")
    visitor.press("form[action='/c/requests/find'] button")
    yield visitor.look("requests/no number to find")
    visitor.fill(number="00000000")
    visitor.press("form[action='/c/requests/find'] button")
    yield visitor.look("requests/no such number")


def _one_task(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    opens = _take(walk, visitor)
    yield visitor.look("desk/one taken")
    visitor.press(opens)
    yield from _a_request(visitor, visitor.page.url)
    yield from _a_new_way_in(walk, visitor)
    visitor.press(_take(walk, visitor))
    visitor.press("main form[action^='/c/tasks/'][action*='/done'] button")
    yield visitor.look("desk/one done, and may be taken back")


def _take(walk: Walk, visitor: Visitor) -> Locator:
    """One of those who asked that a person writes to them. Returns what then leads to their request."""
    rows = visitor.go("/c").see("main tr", translator(walk.language)(TASK_REASONS["reach_out"]))
    visitor.press(rows.locator("form[action*='/take'] button"))
    return rows.locator("a.btn")


def _a_request(visitor: Visitor, url: str) -> Iterator[PageState]:
    path = urlsplit(url).path
    yield visitor.look("a request/closed")
    visitor.press(f"form[action='{path}/open'] button")
    yield visitor.look("a request/opened")
    for action, name in (("write", "no note"), ("ask", "nobody chosen"), ("suggest", "nobody to suggest")):
        visitor.go(path).press(f"form[action='{path}/{action}'] button")
        yield visitor.look(f"a request/{name}")
    visitor.go(path).fill(words=f"Hello. {LONG_NAME}")
    visitor.press(f"form[action='{path}/write'] button")
    yield visitor.look("a request/a note sent")
    visitor.tick("people", str(visitor.see("[name=people]").first.get_attribute("value")))
    visitor.press(f"form[action='{path}/suggest'] button")
    yield visitor.look("a request/suggested")


def _a_new_way_in(walk: Walk, coordinator: Visitor) -> Iterator[PageState]:
    """Of the request that the coordinator reads."""
    coordinator.press("form[action$='/way-in'] button")
    yield coordinator.look("a request/a new way in", pictured=False)
    supportee = walk.visitor().go(coordinator.see("main code", "/s/in/").inner_text())
    supportee.press("main form button")
    yield supportee.look("status/opened by a coordinator's link", pictured=False)
