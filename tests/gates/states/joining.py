"""/join, and the way from there to a page of one's own, as the applicant and the coordinators see it."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.visitor import Visitor
from tests.gates.walk import Walk, ask, slug_of
from tests.journeys.stack import Stack, address, soon

SAVE = "main form[action='/join'] button"
WORDS = {"en": "I sat with my brother for years.", "es": "Acompañé a mi hermano durante años."}
ANSWER = {
    "en": "Our training is full until May. Would June be good for you?",
    "es": "La formación está llena hasta mayo. ¿Te va en junio?",
}


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Another coordinator, since two have to say yes."""
    stack.welcome_coordinator("Kim Two")


def states(walk: Walk) -> Iterator[PageState]:
    stranger, name = walk.visitor().go("/join"), f"Sol {walk.language.title()}"
    yield stranger.look("join")
    stranger.press(SAVE)
    yield stranger.look("join/nothing written")
    stranger.fill(name=name, email=address(name), words=WORDS[walk.language], access="Breaks.", times="Evenings.")
    stranger.press(SAVE)
    yield stranger.look("join/sent")
    coordinator = walk.signed_in_as(walk.coordinator, "c")
    coordinator.wait_for("/c/welcome", lambda: coordinator.see("main th a", name).count(), "the application")
    yield coordinator.look("welcome/the list")
    soon(lambda: walk.stack.emails_to(name) or None, "the e-mail that it has arrived")
    applicant = walk.signed_in_as(name, "me")
    yield applicant.look("my application/came in")
    yield from _not_now(walk, name, coordinator, applicant)
    yield from _on_the_way(walk, name, coordinator, applicant)


def _open(walk: Walk, name: str, coordinator: Visitor) -> Visitor:
    coordinator.go("/c/welcome").press(coordinator.see("main th a", name))
    return coordinator


def _not_now(walk: Walk, name: str, coordinator: Visitor, applicant: Visitor) -> Iterator[PageState]:
    yield _open(walk, name, coordinator).look("welcome/an application")
    coordinator.press("main button[formaction]")
    yield coordinator.look("welcome/not now, without a word")
    coordinator.fill(words=ANSWER[walk.language])
    coordinator.press("main button[formaction]")
    yield coordinator.look("welcome/not now")
    yield applicant.go("/me").look("my application/not now")
    applicant.press("form[action='/me/application/write'] button")
    yield applicant.look("my application/no answer written")
    applicant.fill(words=ANSWER[walk.language])
    applicant.press("form[action='/me/application/write'] button")
    yield applicant.look("my application/answered", pictured=False)


def _on_the_way(walk: Walk, name: str, coordinator: Visitor, applicant: Visitor) -> Iterator[PageState]:
    _open(walk, name, coordinator).press("form[action$='/talk'] button")
    coordinator.press("form[action$='/yes/conversation'] button")
    yield coordinator.look("welcome/on the way")
    coordinator.press("form[action$='/yes/training'] button")
    coordinator.press("form[action$='/yes/two_say_yes'] button")
    applicant.go("/me").press("form[action$='/yes/promise'] button")
    yield applicant.look("my application/one of two said yes")
    other = walk.signed_in_as("Kim Two", "c")
    _open(walk, name, other).press("form[action$='/yes/two_say_yes'] button")
    yield other.look("welcome/everybody said yes")
    yield applicant.go("/me").look("my application/everybody said yes")
    applicant.press("form[action='/me/application/begin'] button")
    yield applicant.look("my page/just begun")
    stranger = walk.visitor()
    stranger.wait_for(f"/people/{slug_of(name)}", lambda: stranger.see("h1", name).count(), "their page on the website")
    ask(walk.stack.url, walk.language, "Wren", f"with={slug_of(name)}")
    applicant.wait_for("/me", lambda: applicant.see("form[action^='/me/offers/']").count(), "the first offer")
    yield applicant.look("my page/the first offer", pictured=False)
