"""A sound page passes every check; one with a fault is found out, and told what is wrong."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from deploy.servers.processes import CannotStart
from tests.browser import a_steady_browser
from tests.gates.checks import accessibility, html, keyboard, layout, structure, weight, words
from tests.gates.page_state import Kind, PageState
from tests.gates.viewer import Viewer, a_viewer

URL = "http://127.0.0.1:8000/page"
HEAD = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A page - Table</title>'
FORM = (
    '<form method="post"><p><label for="f-name">Name</label><input id="f-name" name="name"></p>'
    '<p><button class="btn">Continue</button> <button class="btn quietly" name="go" value="save">Save</button></p></form>'
)
SOUND = (
    f'<!doctype html><html lang="en"><head>{HEAD}<link rel="stylesheet" href="/static/kt.css"></head>'
    '<body><a class="skip" href="#main">Skip to the page</a><header><a href="/">Table</a></header>'
    f'<main id="main" tabindex="-1"><h1>A page</h1><p>Words.</p>{FORM}</main></body></html>'
)


@pytest.fixture(scope="module")
def steady_browser() -> Iterator[Browser]:
    with a_steady_browser() as opened:
        yield opened


@pytest.fixture
def viewer(steady_browser: Browser) -> Iterator[Viewer]:
    with a_viewer(steady_browser) as opened:
        yield opened


def page(*faults: tuple[str, str], kind: Kind = "page") -> PageState:
    """The sound page with some of it replaced."""
    content = SOUND
    for before, after in faults:
        assert before in content
        content = content.replace(before, after, 1)
    return PageState("a page", "en", URL, content, kind)


def all_that_a_browser_finds(viewer: Viewer, state: PageState) -> list[str]:
    viewer.show(state)
    found = [*layout.check(viewer, (320, 390, 1280)), *accessibility.check(viewer, state, ("light", "dark"), (390,))]
    return [*found, *layout.check_mirrored(viewer, state), *keyboard.check(viewer, state)]


def all_that_text_tells(state: PageState) -> list[str]:
    return [*structure.check(state), *weight.check(state), *words.check(state)]


def test_a_sound_page_passes_every_check(viewer: Viewer) -> None:
    assert all_that_text_tells(page()) == []
    assert all_that_a_browser_finds(viewer, page()) == []


WIDE = '<p style="inline-size: 500px">Words.</p>'
COLOURS = "<style>main p { color: #bbb }</style></head>"
ONE_THEME = '<style>[data-theme="dark"] main p { color: #000 }</style></head>'
NO_RING = "<style>#f-name:focus { outline: 0 } p { outline: 0 }</style></head>"
COVERED = '<div style="position: fixed; inset-block-end: 0; block-size: 100vh; inset-inline: 0; background: white"></div></body>'
EMPTIED = '<button class="btn quietly" name="go" value="drop">Take out</button><p><label for="f-name">'
AT_THE_LEFT = "<style>main p { text-align: left }</style></head>"
TALL_WORD = (
    "<h1>Donaudampfschifffahrtsgesellschaft</h1><style>h1 { overflow-wrap: normal !important; hyphens: none !important }</style>"
)
FAULTS_IN_A_BROWSER = {
    "axe label": ('<label for="f-name">Name</label>', "Name"),
    "axe color-contrast": ("</head>", COLOURS),
    "axe color-contrast (3 times, first #main > p), dark": ("</head>", ONE_THEME),
    "scrolls sideways at 320 px": ("<p>Words.</p>", WIDE),
    "scrolls sideways at 320 px with text twice as large": ("<h1>A page</h1>", TALL_WORD),
    "begins at the left": ("</head>", AT_THE_LEFT),
    "the first Tab does not reach a link that skips": ('<a class="skip" href="#main">Skip to the page</a>', ""),
    "Tab reaches": ('name="name"', 'name="name" tabindex="1"'),
    "the focus cannot be seen on input[name=name]": ("</head>", NO_RING),
    "the focus is covered": ("</body>", COVERED),
    "Enter presses [['go', 'drop']]": ('<p><label for="f-name">', EMPTIED),
    "Enter does not send the form": ('<button class="btn">', '<button class="btn" disabled>'),
    "a form has 2 loud buttons": ('class="btn quietly"', 'class="btn"'),
    "does not have the focus": ("<p>Words.</p>", '<div class="errsum" autofocus>Wrong</div>'),
}


@pytest.mark.parametrize(("says", "fault"), FAULTS_IN_A_BROWSER.items())
def test_a_fault_that_shows_in_a_browser_is_found(viewer: Viewer, says: str, fault: tuple[str, str]) -> None:
    found = all_that_a_browser_finds(viewer, page(fault))
    assert any(says in problem for problem in found), found


FAULTS_IN_TEXT = {
    "2 headings of the first rank": ("<p>Words.</p>", "<h1>Another</h1>"),
    "0 headings of the first rank": ("<h1>A page</h1>", ""),
    "no title": ("<title>A page - Table</title>", ""),
    "its language is es": ('lang="en"', 'lang="es"'),
    "its title does not begin so": ("<p>Words.</p>", '<div class="errsum">Wrong</div>'),
    "its title says Error": ("<title>A page", "<title>Error: A page"),
    "asks another host": ("</head>", '<link rel="stylesheet" href="https://fonts.example/a.css"></head>'),
    "may fetch something by url(": ("</head>", "<style>p { background: url(a.png) }</style></head>"),
    "more than 30": ("Words.", "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(20_000))),
    "takes 6 requests": ("</head>", "".join(f'<script src="/static/{n}.js"></script>' for n in range(4)) + "</head>"),
    "says “patient”": ("Words.", "Each patient waits."),
    "says “services”": ('<input id="f-name"', '<input id="f-name" placeholder="our services"'),
}


@pytest.mark.parametrize(("says", "fault"), FAULTS_IN_TEXT.items())
def test_a_fault_in_the_text_of_a_page_is_found(says: str, fault: tuple[str, str]) -> None:
    found = all_that_text_tells(page(fault))
    assert any(says in problem for problem in found), found


def test_words_that_people_wrote_or_that_were_drawn_are_not_ours() -> None:
    assert (
        list(words.check(page(("<p>Words.</p>", '<p class="voice">I was a patient.</p><ol translate="no"><li>user</li></ol>'))))
        == []
    )
    assert list(words.check(page(("Words.", "In some cases. No diagnosis, not a service. What it is not Not treatment.")))) == []


def test_two_pages_with_one_title_are_found() -> None:
    another = replace(page(("<h1>A page</h1>", "<h1>Another page</h1>")), url=f"{URL}/another")
    assert [problem for _, problem in structure.check_titles([page(), another])] == [
        "has the title of another page, a page: A page - Table"
    ]
    assert list(structure.check_titles([page(), page()])) == []


def test_html_that_is_not_valid_is_found() -> None:
    try:
        jar = html.ensure()
    except CannotStart as why:
        if shutil.which("java"):
            raise
        pytest.skip(str(why))
    wrong = page(("<p>Words.</p>", "<p><div>Words.</div></p>"))
    found = list(html.check([page(), wrong], jar))
    assert {state for state, _ in found} == {wrong}
    assert all(problem.startswith("HTML: line 1: ") for _, problem in found)
