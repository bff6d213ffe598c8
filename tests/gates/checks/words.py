"""The words that nobody is called, on everything that can be seen or heard of a page."""

from collections.abc import Iterator
from html.parser import HTMLParser

from tests.gates.page_state import PageState
from tests.vocabulary import NOT_FOR_PEOPLE, forbidden_in

HEARD = {"alt", "aria-label", "aria-description", "placeholder", "title"}
SILENT = {"script", "style"}
WITHOUT_AN_END = {"input", "br", "hr", "img", "wbr", "meta", "link", "path", "base"}


class _Reader(HTMLParser):
    """What people themselves wrote (`voice`) and drawn words (`translate=no`) are not ours to choose."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.parts += [value for name, value in attrs if name in HEARD and value]
        if tag not in WITHOUT_AN_END:
            ours = "voice" not in (given.get("class") or "").split() and given.get("translate") != "no"
            self._open.append((tag, tag not in SILENT and ours))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if all(ours for _, ours in self._open):
            self.parts.append(data)


def text_of(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    return " ".join(" ".join(reader.parts).split())


def check(state: PageState) -> Iterator[str]:
    languages = list(NOT_FOR_PEOPLE) if state.kind == "plain" else [state.language]
    for language in languages:
        for word in forbidden_in(text_of(state.html), language):
            yield f"says “{word}”"
