"""Somebody writes down a little for somebody else, who decides."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tests.gates.page_state import PageState
from tests.gates.walk import NAMES_OF_ALL_KINDS, Walk
from tests.journeys.stack import Stack

WORDS = {"en": "Company on hard mornings.\nSomebody who knows voices.", "es": "Compañía.\nAlguien que conozca las voces."}


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Nothing is needed."""


def states(walk: Walk) -> Iterator[PageState]:
    friend = walk.visitor().go("/for-someone")
    yield friend.look("for somebody else")
    friend.fill(name=NAMES_OF_ALL_KINDS["arabic"])
    friend.press()
    yield friend.look("for somebody else/nothing written")
    friend.fill(words=WORDS[walk.language])
    friend.press()
    # Every link is another one.
    yield friend.look("for somebody else/the link", pictured=False)
    link = urlsplit(friend.see("main code").inner_text()).path
    person = walk.visitor().go(link)
    yield person.look("written down for you")
    person.press("main form button[value=no]")
    yield person.look("written down for you/thrown away")
    person.go(link)
    yield person.look("written down for you/over", pictured=False)
