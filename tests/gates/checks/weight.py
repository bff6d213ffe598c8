"""What a first view costs: compressed bytes and requests; and whom it asks."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from tests.gates.page_state import PageState
from tests.gates.viewer import STATIC

MOST_BYTES = 30 * 1024
MOST_REQUESTS = 4
# What a browser fetches by itself. Links are pressed by people.
FETCHED = re.compile(r"<(?:link|script|img|iframe|source|audio|video|embed|object)\b[^>]*?\s(?:href|src|data)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"url\(|@import|\bsrcset=|<meta[^>]+http-equiv=\"refresh\"", re.I)


def check(state: PageState) -> Iterator[str]:
    fetched = [urljoin(state.url, address) for address in dict.fromkeys(FETCHED.findall(state.html))]
    for address in fetched:
        if urlsplit(address).netloc != urlsplit(state.url).netloc:
            yield f"asks another host: {address}"
    if found := ELSEWHERE.search(state.html):
        yield f"may fetch something by {found[0]}"
    if state.kind == "page":
        yield from _of_a_first_view(state, fetched)


def _of_a_first_view(state: PageState, fetched: list[str]) -> Iterator[str]:
    size = compressed(state.html.encode()) + sum(compressed(_content(address)) for address in fetched)
    if size > MOST_BYTES:
        yield f"a first view is {size / 1024:.1f} KB compressed, more than {MOST_BYTES // 1024}"
    if len(fetched) + 1 > MOST_REQUESTS:
        yield f"a first view takes {len(fetched) + 1} requests, more than {MOST_REQUESTS}"


def compressed(content: bytes) -> int:
    return len(gzip.compress(content, 6))


def _content(address: str) -> bytes:
    path = urlsplit(address).path
    files = [folder / path.removeprefix(begin) for begin, folder in STATIC.items() if path.startswith(begin)]
    return next((Path(file).read_bytes() for file in files if file.is_file()), b"")
