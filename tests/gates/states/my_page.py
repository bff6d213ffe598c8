"""/me: signing in, offers open and not, open, full or resting."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.states.answering import calendar
from tests.gates.walk import NAMES_OF_ALL_KINDS, Walk, ask, slug_of
from tests.journeys.stack import Stack, address


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/me")
    yield visitor.look("sign in/practitioner")
    visitor.press()
    yield visitor.look("sign in/no address")
    visitor.fill(email=address(walk.practitioner))
    visitor.press()
    yield visitor.look("sign in/a link is on its way")
    visitor.go(walk.link_to(walk.practitioner, "/me/in/"))
    yield visitor.look("sign in/by link")
    for name in NAMES_OF_ALL_KINDS.values():
        ask(walk.stack.url, walk.language, name, f"with={slug_of(walk.practitioner)}")
    visitor.press("main form button")
    visitor.wait_for("/me", lambda: visitor.see("form[action^='/me/offers/']").count() > 3, "four offers")
    yield visitor.look("my page/four offers, names of all kinds")
    visitor.press(visitor.see("form[action^='/me/offers/'] button").last)
    yield visitor.look("offer/from my page")
    visitor.go("/me").fill(places="200")
    visitor.press("main form[action='/me/availability'] button")
    yield visitor.look("my page/a number that makes no sense")
    visitor.go("/me").press("main form[action='/me/availability'] button")
    yield visitor.look("my page/saved")
    visitor.go("/me").fill(name="Zebedee Quill")
    visitor.press("main form[action='/me/list'] button")
    yield visitor.look("my page/a name on the own list")
    yield from _without_offers(walk)


def _without_offers(walk: Walk) -> Iterator[PageState]:
    visitor = walk.signed_in_as(walk.another, "me")
    yield visitor.look("my page/nobody waits, somebody said yes to")
    yield from calendar(visitor, "/me/calendar")
