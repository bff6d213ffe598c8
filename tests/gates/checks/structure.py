"""One heading of the first rank, the right language, a title that says what the page is; titles that tell pages apart."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

from tests.gates.page_state import PageState

ERROR = {"en": "Error: ", "es": "Error: "}
HEADING = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.S)


@dataclass(frozen=True)
class Outline:
    title: str
    headings: tuple[str, ...]
    language: str
    has_errors: bool


def outline(html: str) -> Outline:
    title = re.search(r"<title>(.*?)</title>", html, re.S)
    language = re.search(r'<html[^>]* lang="([^"]+)"', html)
    headings = tuple(_text(one) for one in HEADING.findall(html))
    return Outline(_text(title[1]) if title else "", headings, language[1] if language else "", 'class="errsum"' in html)


def _text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def check(state: PageState) -> Iterator[str]:
    found = outline(state.html)
    if state.kind != "letter" and len(found.headings) != 1:
        yield f"{len(found.headings)} headings of the first rank"
    if not found.title:
        yield "no title"
    if state.kind != "plain" and found.language != state.language:
        yield f"its language is {found.language or 'not said'}"
    if found.has_errors != found.title.startswith(ERROR[state.language]):
        yield (
            f"something is wrong on it, and its title does not begin so: {found.title}"
            if found.has_errors
            else "its title says Error"
        )


def check_titles(states: Iterable[PageState]) -> Iterator[tuple[PageState, str]]:
    """Two pages, at different addresses and with different headings, have different titles."""
    first: dict[tuple[str, str], PageState] = {}
    for state in states:
        found = outline(state.html)
        other = first.setdefault((state.language, found.title), state)
        if state.kind != "letter" and found.headings != outline(other.html).headings and _path(state) != _path(other):
            yield state, f"has the title of another page, {other.name}: {found.title}"


def _path(state: PageState) -> str:
    return urlsplit(state.url).path
