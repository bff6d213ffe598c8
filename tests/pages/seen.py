"""What a person sees of a page: its words, without what is folded away, heard only, or waits in a list."""

from html.parser import HTMLParser

UNSEEN = {"select", "svg", "textarea"}
WITHOUT_AN_END = {"input", "br", "hr", "img", "wbr"}


class _Words(HTMLParser):
    """`_open`: the elements that are open, each with whether it is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        folded = bool(self._open) and self._open[-1][0] == "folded" and tag != "summary"
        heard_only = "vh" in (given.get("class") or "").split()
        if tag not in WITHOUT_AN_END:
            name = "folded" if tag == "details" and "open" not in given else tag
            self._open.append((name, tag not in UNSEEN and not folded and not heard_only))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """<path/> and the like hold no words."""

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] not in (tag, "folded" if tag == "details" else tag):
            pass

    def handle_data(self, data: str) -> None:
        if all(seen for _, seen in self._open):
            self.words += data.split()


def words_seen(html: str) -> list[str]:
    """Of the page itself, with what stands beside it; not of what every page has around it."""
    reader = _Words()
    reader.feed(html.split("<main", 1)[1].split(">", 1)[1].split("</main>")[0])
    return [word for word in reader.words if any(sign.isalnum() for sign in word)]
