"""A picture of a page is the same in two runs, and tells when something moved, went or changed its colour."""

from collections.abc import Iterator

import pytest

from tests.browser import a_steady_browser
from tests.gates import pictures
from tests.gates.page_state import PageState
from tests.gates.viewer import Viewer, a_viewer

DRAWING = (
    '<svg class="draw" viewBox="0 0 64 64" aria-hidden="true" width="96" fill="none" stroke="currentColor" stroke-width="2">'
    '<path d="M10 20h40v20a10 10 0 0 1-10 10H20a10 10 0 0 1-10-10zM4 56h56M20 12v-8M30 12v-8"/></svg>'
)
PAGE = (
    '<!doctype html><html lang="en"><head><title>A page</title><link rel="stylesheet" href="/static/kt.css"></head><body>'
    '<header class="top"><div class="wrap"><a class="name" href="/">Table</a></div></header><div class="wrap page"><main>'
    f"{DRAWING}<h1>Request 0a1b2c3d</h1><p>It came at 12:34 PM. Write to 127.0.0.1:4711.</p>"
    '<ol class="words"><li>river</li><li>oak</li></ol>'
    '<ul class="cards"><li class="card">Ana <svg class="cup" viewBox="5 4 54 54"><path d="M8 8h40"/></svg></li>'
    '<li class="card">Kai</li></ul><p class="row"><button class="btn">Send my request</button></p></main></div></body></html>'
)


@pytest.fixture(scope="module")
def viewer() -> Iterator[Viewer]:
    with a_steady_browser() as browser, a_viewer(browser) as opened:
        yield opened


def picture(viewer: Viewer, *changes: tuple[str, str], width: int = 390) -> bytes:
    content = PAGE
    for before, after in changes:
        assert before in content
        content = content.replace(before, after, 1)
    page = viewer.show(PageState("a page", "en", "http://127.0.0.1:8000/page", content), width)
    pictures.make_the_same(page)
    return pictures.small(pictures.photograph(page), width)


def differs(viewer: Viewer, *changes: tuple[str, str], width: int = 390) -> str:
    found = pictures.difference(picture(viewer, width=width), picture(viewer, *changes, width=width), width)
    return found.where if found else ""


@pytest.mark.parametrize("width", [390, 1280])
def test_what_differs_between_two_runs_is_not_a_difference(viewer: Viewer, width: int) -> None:
    another_run = [
        ("0a1b2c3d", "890b40c4"), ("12:34 PM", "9:07 AM"), (":4711", ":61234"), ("M8 8h40", "M20 20v30"),
        ("<li>river</li><li>oak</li>", "<li>a</li><li>b</li>"),
        ('<li class="card">Kai</li>', ""), ('<ul class="cards">', '<ul class="cards"><li class="card">Kai</li>'),
    ]  # fmt: skip
    assert differs(viewer, *another_run, width=width) == ""


CHANGES = {
    "a button that moved": ('<p class="row">', '<p class="row" style="justify-content: flex-end; padding-inline-start: 24px">'),
    "a drawing that is missing": (DRAWING, '<svg class="draw" viewBox="0 0 64 64" width="96"></svg>'),
    "a button in another colour": ('class="btn"', 'class="btn" style="background: #1f557a"'),
    "another sentence": ("It came at", "Nobody looked since"),
    "a heading in another size": ("<h1>", '<h1 style="font-size: 1.2em">'),
    "a card without its border": ('<li class="card">Kai', "<li>Kai"),
    "a row more": ("<h1>", "<p>One more.</p><h1>"),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_change_is_seen_and_said_where(viewer: Viewer, what: str, width: int) -> None:
    assert "px" in differs(viewer, CHANGES[what], width=width)


def test_letters_that_are_drawn_a_little_differently_are_no_difference(viewer: Viewer) -> None:
    assert differs(viewer, ("<main>", '<main style="transform: translate(0.5px, 0.5px)">')) == ""


def test_a_picture_takes_a_few_kilobytes(viewer: Viewer) -> None:
    assert len(picture(viewer)) < 6_000
