"""The seven questions with what can go wrong in each, the check page, saving and coming back."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.states.reading import A_WORD_OF_EIGHTY
from tests.gates.visitor import Visitor
from tests.gates.walk import LONG_NAME, WORDS, Walk
from tests.journeys.stack import Stack, address

TOO_LONG = "a" * 81


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Those who are here suffice."""


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/ask")
    yield visitor.look("question 1")
    visitor.press()
    yield visitor.look("question 1/nothing chosen")
    yield from _choosing_people(walk, visitor)
    visitor.press()
    yield from _the_other_questions(walk, visitor)
    yield from _before_send(visitor)
    yield from _saving(walk)
    yield from _somebody_is_full(walk)


def _choosing_people(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    visitor.tick("mode", "chosen")
    visitor.press()
    yield visitor.look("question 1/whom")
    visitor.press()
    yield visitor.look("question 1/whom, nobody chosen")
    for name, state in (
        ("", "no name to look for"),
        ("nobody is called this", "nobody found"),
        ("Noor", "more found than shown"),
    ):
        _find(visitor, "find", name)
        yield visitor.look(f"question 1/{state}")
    yield from _ranking(walk, visitor)


def _ranking(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    for name in (LONG_NAME, walk.another, walk.practitioner):
        _find(visitor, "find", name)
        visitor.press(visitor.see("[name=go][value^='add/']", name))
        if name == LONG_NAME:
            yield visitor.look("question 1/one chosen, long name")
            visitor.press("[name=go][value=more]")
    yield visitor.look("question 1/three chosen")
    visitor.press("[name=go][value^='drop/']")
    visitor.press("[name=go][value^='up/']")
    visitor.press("details summary")
    _find(visitor, "find_avoid", "Noor 2")
    yield visitor.look("question 1/others found to be avoided")
    visitor.press("[name=avoid]")
    _find(visitor, "find_avoid", walk.practitioner)
    visitor.press(visitor.see("fieldset label", walk.practitioner))
    visitor.press()
    yield visitor.look("question 1/somebody both chosen and avoided")
    visitor.press(visitor.see("fieldset label", walk.practitioner))
    visitor.fill(find_avoid="")


def _find(visitor: Visitor, field: str, name: str) -> None:
    visitor.fill(**{field: name})
    visitor.press(f"[name=go][value={field}]")


def _the_other_questions(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    yield visitor.look("question 2")
    visitor.press()
    yield visitor.look("question 2/no name")
    visitor.fill(name=TOO_LONG)
    visitor.press()
    yield visitor.look("question 2/a name that is too long")
    visitor.fill(name="Wren", pronouns="they/them")
    visitor.press()
    yield visitor.look("question 3")
    visitor.fill(words=f"{WORDS[walk.language]}\n{A_WORD_OF_EIGHTY}")
    visitor.press()
    yield from _ways_to_reach(walk, visitor)
    visitor.press()
    yield visitor.look("question 5")
    visitor.press()
    yield visitor.look("question 6")
    visitor.tick("language", "other")
    visitor.press()
    yield visitor.look("question 6/which other language")
    visitor.tick("language", walk.language)
    visitor.press()
    yield visitor.look("question 7")
    visitor.press()


def _ways_to_reach(walk: Walk, visitor: Visitor) -> Iterator[PageState]:
    yield visitor.look("question 4")
    visitor.press()
    yield visitor.look("question 4/no way chosen")
    visitor.tick("reach", "email")
    visitor.tick("reach", "text")
    visitor.fill(email="wren at home", phone="12")
    visitor.press()
    yield visitor.look("question 4/an address and a number that cannot be")
    visitor.fill(email=address(f"wren {walk.language}"), phone="+1 202 555 0123")


def _before_send(visitor: Visitor) -> Iterator[PageState]:
    yield visitor.look("check")
    visitor.go("/ask/2?then=check")
    yield visitor.look("question 2/changed from the check page")


def _saving(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/ask/1?mode=suggest")
    visitor.press()
    visitor.fill(name="محمد")
    visitor.press("[name=go][value=save]")
    yield visitor.look("saved, with code words")
    words = " ".join(visitor.see(".words li").all_inner_texts())
    stranger = walk.visitor().go("/ask/return")
    yield stranger.look("return")
    stranger.fill(code="river cedar button lamp otter moss")
    stranger.press()
    yield stranger.look("return/words that open nothing")
    stranger.fill(code=words)
    stranger.press()
    yield stranger.look("return/where the answers end")
    stranger.go("/ask/erase")
    yield stranger.look("erase")
    stranger.press("main form[action='/ask/erase'] button")
    yield stranger.look("erased")
    visitor.go("/ask/3")
    yield visitor.look("question 3/the answers are gone")


def _somebody_is_full(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/ask/1?with=otis")
    visitor.press()
    visitor.fill(name="李雷")
    visitor.press()
    visitor.press()
    visitor.tick("reach", "page")
    for _ in range(4):
        visitor.press()
    yield visitor.look("check/the person chosen is full, nearly nothing answered")
