"""What somebody can read before they ask."""

from collections.abc import Iterator, Sequence

from tests.gates.page_state import PageState
from tests.gates.walk import NAMES_OF_ALL_KINDS, Walk
from tests.journeys.stack import Stack

PAGES = {
    "/": "welcome",
    "/expect": "expect",
    "/help": "help",
    "/keep": "keep",
    "/comfort": "comfort",
    "/leave": "away",
    "/people": "people",
    "/people?page=2": "people/second page",
    "/people?text=rivers": "people/narrowed",
    "/people?text=rivers&meeting_types=phone&languages=es&when=weekend_morning": "people/nobody matches, and what to drop",
    "/people?lived=prison&zone=Europe/London&when=weekday_evening": "people/nobody has lived it",
    "/people?text=nobody-says-this": "people/nobody matches",
}
WHO_STANDS_WHERE_IS_CHANCE = ("people", "people/second page")
A_WORD_OF_EIGHTY = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenfabrikantenwitwenrente"
FULL_PROFILE = {
    "pronouns": "she/they", "words": "I keep bees, and I have been in the place where words stop. We can sit beside it.",
    "can_sit_with": "grief, voices, nothing at all", "first_meeting": "Tea, twenty minutes, and you may leave at any point.",
    "not_offered": "Advice.", "access": "captions, camera off, breaks", "languages": "en es", "meeting_types": "video phone text",
    "parts": "weekday_evening weekend_morning", "help": "listening planning", "doings": "walk paperwork",
    "lived": "grief extreme_states", "lived_words": "The winter when I heard more than was said.",
}  # fmt: skip


def prepare(stack: Stack, languages: Sequence[str]) -> None:
    """Two people of each language who are asked and answer, one of each kind of name, and enough others for a second page."""
    people: list[dict[str, object]] = []
    for language in languages:
        people.append({"name": f"Alba {language.title()}", "language": language, "words": "I listen.", "places": 9})
        people.append(
            {"name": f"Paz {language.title()}", "language": language, "places": 20, "offers_at_once": 10, **FULL_PROFILE}
        )
    for kind, name in NAMES_OF_ALL_KINDS.items():
        words = {"words": f"{A_WORD_OF_EIGHTY} {name}", "pronouns": A_WORD_OF_EIGHTY[:60]}
        people.append({"name": name, "email": f"{kind}@people.example", "places": 3, **words})
    for number in range(1, 26):
        noor = {"name": f"Noor {number}", "email": f"noor{number}@people.example"}
        people.append({**noor, "words": f"Number {number} of many.", "languages": "en"})
    stack.welcome_all(*people)


def states(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor()
    visitor.wait_for(
        "/people?page=2", lambda: visitor.see("[rel=prev]").count() and visitor.see(".card").count() > 9, "everybody"
    )
    for path, name in PAGES.items():
        yield visitor.go(path).look(name, pictured=name not in WHO_STANDS_WHERE_IS_CHANCE)
    yield from _display_preferences(walk)
    visitor.go("/people?text=bees")
    visitor.press(visitor.see("main .card a", walk.practitioner))
    yield visitor.look("profile/open")
    for kind, name in NAMES_OF_ALL_KINDS.items():
        visitor.go(f"/people?text={name}")
        visitor.press(visitor.see("main .card a", name))
        yield visitor.look(f"profile/{kind} name")


def _display_preferences(walk: Walk) -> Iterator[PageState]:
    visitor = walk.visitor().go("/comfort")
    for name, value in (("theme", "quiet-dark"), ("text", "larger"), ("space", "airy"), ("font", "plain")):
        visitor.tick(name, value)
    visitor.press()
    yield visitor.look("comfort/saved, with larger text")
    visitor.go("/people?text=bees")
    yield visitor.look("people/with larger text")
