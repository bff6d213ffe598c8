"""Every pair of colours that pages rely on keeps its WCAG 2 contrast in every theme, read from the stylesheet itself."""

import re
from pathlib import Path

import pytest

CSS = Path("shared/web/static/kt.css").read_text()
THEMES = {
    "light": r":root \{(.*?)\}",
    "dark": r'\[data-theme="dark"\] \{(.*?)\}',
    "dark by device": r":root:not\(\[data-theme\]\) \{(.*?)\}",
    "quiet": r'\[data-theme="quiet"\] \{(.*?)\}',
    "quiet-dark": r'\[data-theme="quiet-dark"\] \{(.*?)\}',
    "high contrast": r"\(prefers-contrast: more\) \{\s*:root:not\(\[data-theme\]\) \{(.*?)\}",
    "high contrast, dark": r"\(prefers-contrast: more\) and [^{]*\{\s*:root:not\(\[data-theme\]\) \{(.*?)\}",
}
TEXT = ["ink paper 7", "ink surface 7", "ink sunken 7"] + [
    f"{front} {ground} 4.5"
    for front, grounds in {
        "ink2": "paper surface sunken brandtint",
        "brand": "paper surface sunken brandtint",
        "onbrand": "brand",
        "onaccent": "accent",
        "ink": "brandtint oktint badtint infotint warntint",
        "ok": "oktint paper",
        "bad": "badtint surface paper",
        "info": "infotint",
        "warn": "warntint",
    }.items()
    for ground in grounds.split()
]
SHAPES = [f"{front} {ground} 3" for front in ("edge", "focus") for ground in ("paper", "surface", "sunken")]


def tokens(theme: str) -> dict[str, str]:
    block = re.search(THEMES[theme], CSS, re.DOTALL)
    assert block, theme
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block[1]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_words_and_shapes_stand_out_from_their_ground(theme: str) -> None:
    colour = tokens(theme)
    pairs = [pair.split() for pair in TEXT + SHAPES]
    faint = [(front, ground) for front, ground, least in pairs if contrast(colour[front], colour[ground]) < float(least)]
    assert faint == []
