"""Nothing is wider than the window: at every width, at 320 px with text twice as large and with letters, words and lines wide
apart (WCAG 1.4.12), and mirrored, in a made-up language that is written from right to left."""

from collections.abc import Iterator, Sequence
from typing import Any

from playwright.sync_api import Page

from tests.gates.page_state import PageState
from tests.gates.viewer import Viewer

NARROW = 320
TEXT_TWICE = "html { font-size: 200% !important }"
WIDE_APART = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    "p { margin-block-end: 2em !important }"
)
# The widest thing that sticks out, when the page can be scrolled sideways or hides that it could be.
STICKS_OUT = """() => {
  const root = document.documentElement, room = root.clientWidth;
  const hides = [root, document.body].some(e => ["hidden", "clip"].includes(getComputedStyle(e).overflowX));
  if (root.scrollWidth <= room && !hides) return null;
  const beyond = box => !box.width ? 0 : root.dir === "rtl" ? -box.left : box.right - room;
  const out = [...document.body.querySelectorAll("*")].map(e => [beyond(e.getBoundingClientRect()), e])
    .filter(([by]) => by > 0.5).sort(([a], [b]) => b - a)[0];
  if (!out && root.scrollWidth <= room) return null;
  const [by, e] = out || [root.scrollWidth - room, root];
  const named = [e.tagName.toLowerCase(), ...e.classList].join(".");
  return `${named}, ${Math.ceil(by)} px: ${e.textContent.trim().slice(0, 30)}`; }"""
# Each letter becomes one of the Hebrew block, so that a browser sets the line from right to left; digits and marks stay.
MIRRORED = """() => {
  const root = document.documentElement; root.dir = "rtl"; root.lang = "he";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    node.data = node.data.replace(/[a-z]/gi, sign => String.fromCharCode(0x5d0 + sign.toLowerCase().charCodeAt(0) % 27)); }"""
# What begins a line must begin it at the right: headings, paragraphs and labels of the page.
AT_THE_WRONG_SIDE = """() => [...document.querySelectorAll("main h1, main h2, main p, main label, main legend")].filter(e => {
  if (!e.getClientRects().length || !e.textContent.trim() || e.closest("[dir=ltr], .vh")) return false;
  const align = getComputedStyle(e).textAlign;
  return align === "left" || getComputedStyle(e).direction !== "rtl" && !e.closest("[dir]:not(html)");
}).map(e => e.tagName.toLowerCase() + " " + e.textContent.trim().slice(0, 30)).slice(0, 1)"""


def check(viewer: Viewer, widths: Sequence[int]) -> Iterator[str]:
    """Of the page that is shown, which stays as it was."""
    page = viewer.page
    for width in widths:
        viewer.set_width(width)
        yield from _sticking_out(page, f"at {width} px")
    viewer.set_width(NARROW)
    for what, css in (("with text twice as large", TEXT_TWICE), ("with letters and lines wide apart", WIDE_APART)):
        style: Any = page.add_style_tag(content=css)
        yield from _sticking_out(page, f"at {NARROW} px {what}")
        style.evaluate("style => style.remove()")


def check_mirrored(viewer: Viewer, state: PageState) -> Iterator[str]:
    page = viewer.show(state, 390)
    page.evaluate(MIRRORED)
    yield from _sticking_out(page, "from right to left at 390 px")
    for where in page.evaluate(AT_THE_WRONG_SIDE):
        yield f"from right to left, this begins at the left: {where}"


def _sticking_out(page: Page, when: str) -> Iterator[str]:
    found = page.evaluate(STICKS_OUT)
    if found:
        yield f"scrolls sideways {when}: {found}"
