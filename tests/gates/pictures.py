"""A page as a small picture, kept beside this file, so that a change nobody meant is seen.

What differs between two runs is made the same before: which cup somebody has, in which order people stand, code words, ids, the
time of day. What is left is compared with a tolerance, since the next browser draws letters a little differently.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Page

KEPT = Path(__file__).parent / "kept"
# Of the page's pixels: small enough to keep a few hundred of them, large enough for a drawing of a cup.
SCALE = {390: 3, 1280: 5}
QUALITY = 30
TALLEST, TALLEST_KEPT = 6000, 3000
# Both are blurred by this many pixels. Then a pixel counts that differs by so much of 255, and a picture differs when so many do.
# Letters drawn half a pixel away stay below that; a card that lost its border, the least that a test wants to be found, does not.
BLUR, ANOTHER_PIXEL, ANOTHER_PICTURE = 2, 24, 14
SAME_HEIGHT = 2
MADE_THE_SAME = """cup => {
  scrollTo(0, 0);
  for (const one of document.querySelectorAll("svg.cup")) one.innerHTML = cup;
  const words = ["river", "cedar", "button", "lamp", "otter", "moss", "apple", "bread", "window", "spoon"];
  document.querySelectorAll(".words li").forEach((one, number) => { one.textContent = words[number % words.length]; });
  for (const one of document.querySelectorAll("iframe")) one.removeAttribute("src");
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) node.data = node.data
    .replace(/\\b[0-9a-f]{8}\\b/g, "0a1b2c3d").replace(/127\\.0\\.0\\.1:\\d+/g, "127.0.0.1:8000")
    .replace(/\\b\\d{1,2}:\\d\\d(\\s?[AP]M)?/g, "12:00").replace(/\\b[A-Z][2-9] ([12])\\b/g, "A7 $1")
    .replace(/\\b(Noor|Number) \\d+/g, "$1 1");
  const sorted = (list, ones) =>
    [...ones].sort((a, b) => a.textContent.localeCompare(b.textContent)).forEach(one => list.append(one));
  for (const list of document.querySelectorAll("main ul.cards, main ul.places, main tbody")) sorted(list, list.children);
  for (const list of document.querySelectorAll("fieldset:has([name=practitioner], [name=people])"))
    sorted(list, list.querySelectorAll(".pick")); }"""
SAME_CUP = (
    '<path d="M18 25h27v20a7 7 0 0 1-7 7H25a7 7 0 0 1-7-7z" fill="var(--brandtint)" stroke="none" transform="translate(3 3)"/>'
    '<path d="M8 56q24-3 48 0" stroke="var(--edge)"/>'
    '<path d="M18 25h27v20a7 7 0 0 1-7 7H25a7 7 0 0 1-7-7zM45 30c11-3 11 14 0 13"/>'
)


@dataclass(frozen=True)
class Difference:
    """`where`: in words, in pixels of the page. `beside`: how it was, and how it is."""

    where: str
    beside: Image.Image


def make_the_same(page: Page) -> None:
    page.evaluate(MADE_THE_SAME, SAME_CUP)


def photograph(page: Page, *, exact: bool = True) -> Image.Image:
    """Not exact: as JPEG, in half the time, for a sheet to look at."""
    how: dict[str, Any] = {} if exact else {"type": "jpeg", "quality": 80}
    content = page.screenshot(full_page=True, animations="disabled", caret="hide", **how)
    whole = Image.open(io.BytesIO(content)).convert("RGB")
    return whole.crop((0, 0, whole.width, min(whole.height, TALLEST)))


def small(picture: Image.Image, width: int) -> bytes:
    """As it is kept: WebP of a few KB, without what hardly anybody scrolls to."""
    out = io.BytesIO()
    picture.crop((0, 0, picture.width, min(picture.height, TALLEST_KEPT))).reduce(SCALE[width]).save(
        out, "WEBP", quality=QUALITY, method=6
    )
    return out.getvalue()


def difference(before: bytes, after: bytes, width: int) -> Difference | None:
    was, now = (Image.open(io.BytesIO(content)).convert("RGB") for content in (before, after))
    if was.width != now.width or abs(was.height - now.height) > SAME_HEIGHT:
        heights = was.height * SCALE[width], now.height * SCALE[width]
        return Difference(f"it was {heights[0]} px high and is {heights[1]}", _beside(was, now))
    box = (0, 0, was.width, min(was.height, now.height))
    differs = _where_they_differ(was.crop(box), now.crop(box))
    if sum(differs.histogram()[1:]) < ANOTHER_PICTURE:
        return None
    left, top, right, bottom = (edge * SCALE[width] for edge in differs.getbbox() or box)
    return Difference(f"it looks different from {left}, {top} to {right}, {bottom} px", _beside(was, now))


def _where_they_differ(was: Image.Image, now: Image.Image) -> Image.Image:
    blurred = [picture.filter(ImageFilter.BoxBlur(BLUR)) for picture in (was, now)]
    red, green, blue = ImageChops.difference(*blurred).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue).point(lambda by: 255 if by >= ANOTHER_PIXEL else 0)


def _beside(was: Image.Image, now: Image.Image) -> Image.Image:
    both = Image.new("RGB", (was.width + now.width + 10, max(was.height, now.height)), "white")
    both.paste(was, (0, 0))
    both.paste(now, (was.width + 10, 0))
    return both


def kept_file(name: str, width: int, folder: Path = KEPT) -> Path:
    return folder / str(width) / f"{name}.webp"
