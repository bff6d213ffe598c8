"""Back to a request without its code words, by a code in a text. An e-mail's link is in status.py, a coordinator's in desk.py."""

import re
from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.walk import Walk, ask
from tests.journeys.stack import Stack, soon

NUMBERS = {"en": "+12025550131", "es": "+12025550132"}
LINK = "main form[action='/s/link'] button"


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who said that a code may be texted to them, in case they lose their words."""
    for language in languages:
        ask(stack.url, language, "Kim", "mode=reach_out", reach="text", phone=NUMBERS[language], safely="texts_safe")


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/s")
    visitor.fill(address=NUMBERS[walk.language])
    visitor.press(LINK)
    yield visitor.look("my request/a code by text")
    visitor.fill(figures="12")
    visitor.press("main form[action='/s/code'] button")
    yield visitor.look("my request/a code that is not right")
    visitor.fill(figures=_texted(walk))
    visitor.press("main form[action='/s/code'] button")
    yield visitor.look("status/opened by a code", pictured=False)
    visitor.press("main details:has(form[action='/s/words-lost']) > summary")
    visitor.press("main form[action='/s/words-lost'] button")
    yield visitor.look("status/lost words open nothing", pictured=False)


def _texted(walk: Walk) -> str:
    """The six figures."""
    phone, number = walk.stack.kannel.phone, NUMBERS[walk.language]
    return str(soon(lambda: next(iter(re.findall(r"\b\d{6}\b", " ".join(phone.to(number)))), None), "a code by text"))
