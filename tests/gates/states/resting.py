"""Everybody who is here is full or rests."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tests.gates.page_state import PageState
from tests.gates.walk import TODAY, Walk
from tests.journeys.stack import Stack

LATER = (TODAY + timedelta(days=60)).date().isoformat()
FULL, RESTING = "Otis", "Mara"


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    stack.welcome_all(
        {"name": FULL, "state": "full", "pronouns": "he/him", "words": "I walk slowly and like rivers.", "languages": "en es"},
        {"name": RESTING, "state": "resting", "resting_until": LATER, "words": "Back in spring.", "languages": "en"},
        {"name": "Ilse", "state": "resting"},
    )


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    visitor.wait_for("/people", lambda: visitor.see(".card").count() == 3, "three people who rest")
    yield visitor.look("people/everybody rests")
    visitor.go("/")
    yield visitor.look("welcome/everybody rests")
    for slug, name in (
        ("otis", "profile/full"),
        ("mara", "profile/resting until a day"),
        ("ilse", "profile/resting, nothing said"),
    ):
        visitor.go(f"/people/{slug}")
        yield visitor.look(name)
    visitor.go("/ask/1?with=otis")
    yield visitor.look("question 1/wait for somebody who is full")
