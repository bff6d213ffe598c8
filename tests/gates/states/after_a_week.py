"""The time to answer has passed; and somebody no longer offers meetings."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from tests.gates.page_state import PageState
from tests.gates.states.practitioners import SAVE, find
from tests.gates.walk import Walk, ask, slug_of
from tests.journeys.stack import Stack, address, soon

WHO_LEFT = {"en": "Mara", "es": "Ilse"}
SECONDS_UNTIL_A_WORKER_LOOKS = 40.0
CODE_WORDS: dict[str, str] = {}
"""Of those of whom nothing is heard after this week, by language."""


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    asked = {language: f"Alba {language.title()}" for language in languages}
    before = {name: len(stack.emails_to(name)) for name in asked.values()}
    for language, name in asked.items():
        ask(stack.url, language, "Sam", f"with={slug_of(name)}", reach="email", email=address(f"sam {language}"))
        reach = {"reach": "email", "email": address(f"tess {language}")}
        CODE_WORDS[language] = ask(stack.url, language, "Tess", "mode=reach_out", **reach)
    soon(lambda: all(len(stack.emails_to(name)) > count for name, count in before.items()), "the offers")
    stack.move_clock(timedelta(days=8))
    soon(lambda: not _open_offers(stack), "their end", SECONDS_UNTIL_A_WORKER_LOOKS)


def _open_offers(stack: Stack) -> list[str]:
    return [str(row["_id"]) for row in stack.rows("matching", "offers") if row["state"] in ("sent", "seen")]


def states(walk: Walk) -> Iterator[PageState]:
    practitioner = walk.visitor().go(walk.link_to(walk.another, "/o/"))
    yield practitioner.look("offer/by link, the time to answer has passed")
    practitioner.press("main form button")
    yield practitioner.look("offer/the time to answer has passed")
    supportee = walk.visitor().go(walk.link_to(f"sam {walk.language}", "/s/in/"))
    supportee.press("main form button")
    supportee.wait_for("/s", lambda: supportee.see("form[action='/s/next']").count(), "what next")
    yield supportee.look("status/nobody answered in time")
    yield from _somebody_left(walk)


def _somebody_left(walk: Walk) -> Iterator[PageState]:
    name = WHO_LEFT[walk.language]
    coordinator = walk.signed_in_as(walk.coordinator, "c")
    yield coordinator.look("desk/after a week", pictured=False)
    find(coordinator, address(name))
    coordinator.tick("state", "stepped_back")
    coordinator.press(SAVE)
    yield coordinator.look("practitioner/no longer here")
    yield coordinator.go("/c/people?state=stepped_back").look("practitioners/no longer here")
    visitor = walk.visitor()
    visitor.wait_for(f"/people/{slug_of(name)}", lambda: visitor.see("main a[href='/people']").count(), "that they left")
    yield visitor.look("profile/no longer here")
