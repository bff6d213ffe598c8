"""Two who have met some times are asked to look back."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.states.long_silence import SECONDS_UNTIL_A_WORKER_LOOKS
from tests.gates.visitor import Visitor
from tests.gates.walk import Walk
from tests.journeys.stack import Stack, soon

ASKED = {"en": "two questions wait on your page", "es": "en tu página hay dos preguntas"}
GOOD = {"en": "Nobody hurried me.", "es": "Nadie me apuró."}
OTHER = {"en": "Less video, more walks.", "es": "Menos video, más paseos."}


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """They meet each week since states/together.py, and enough weeks have passed."""
    names = [f"sol {language}" for language in languages]
    soon(lambda: all(_is_asked(stack, name) for name in names), "that both are asked", SECONDS_UNTIL_A_WORKER_LOOKS)


def _is_asked(stack: Stack, name: str) -> bool:
    return any(words in " ".join(one.text.split()) for one in stack.emails_to(name) for words in ASKED.values())


def states(walk: Walk) -> Iterator[PageState]:
    supportee = walk.visitor().go(walk.link_to(f"sol {walk.language}", "/s/in/"))
    supportee.press("main form button")
    practitioner = walk.visitor().go(walk.link_to(walk.another, "/o/"))
    practitioner.press("main form button")
    yield supportee.go("/s").look("status/asked to look back", pictured=False)
    yield practitioner.go("/o").look("offer/yes, asked to look back", pictured=False)
    yield supportee.go("/s/look-back").look("look back/two questions")
    supportee.press("main form[action='/s/look-back'] button")
    yield supportee.look("look back/nothing written")
    _answer(supportee, "/s/look-back", GOOD[walk.language], OTHER[walk.language])
    yield supportee.look("look back/answered")
    yield practitioner.go("/o/look-back").look("my look back/two questions")
    _answer(practitioner, "/o/look-back", OTHER[walk.language], GOOD[walk.language])
    yield practitioner.look("my look back/both answered")
    supportee.wait_for("/s/look-back", lambda: supportee.see("#theirs").count(), "both answers")
    yield supportee.look("look back/both answered")


def _answer(visitor: Visitor, path: str, good: str, change: str) -> None:
    visitor.go(path).fill(good=good, change=change)
    visitor.press(f"main form[action='{path}'] button")
