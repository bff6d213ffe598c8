"""The cup that each practitioner brings to the table, drawn from their stored id: the same id always gives the same cup.

It is decoration and says nothing about anybody. Their name stands beside it in words, and takes no part in the drawing.
"""

from hashlib import sha256

from flask import Flask
from markupsafe import Markup

# (body, handle). In a square of 64; the handle of a cup without one is empty.
CUPS = (
    ("M18 25h27v20a7 7 0 0 1-7 7H25a7 7 0 0 1-7-7z", "M45 30c11-3 11 14 0 13"),  # mug
    ("M15 28h33c0 14-6 22-10 24H25c-4-2-10-10-10-24z", ""),  # bowl
    ("M19 22h26l-3 28q0 2-3 2H25q-3 0-3-2z", ""),  # beaker
    ("M16 28h31c0 11-6 19-15 19S16 39 16 28zM13 52h38", "M46 31c10-3 9 9-1 9"),  # cup and saucer
    ("M20 19h23v28a5 5 0 0 1-5 5H25a5 5 0 0 1-5-5z", "M43 26c11-2 11 16 0 15"),  # tall mug
    ("M18 36c0-9 6-14 14-14s14 5 14 14v8a8 8 0 0 1-8 8H26a8 8 0 0 1-8-8zM25 24h14", "M46 35l7-6 3 2M18 34c-8-2-8 12 0 10"),  # pot
)
PATTERNS = (
    "M24 36h.1M32 36h.1M40 36h.1M28 42h.1M36 42h.1",  # dots
    "M23 38q4.5-5 9 0t9 0",  # wave
    "M24 35h16M24 41h16",  # stripes
    "M32 45V33M32 40c-6 0-7-4-7-6 4 0 7 2 7 6c0-5 3-8 7-8 0 5-3 7-7 8",  # leaf
    "M23 41l4.5-6 4.5 6 4.5-6 4.5 6",  # zigzag
    "M26 34l5 5m0-5-5 5M35 38l5 5m0-5-5 5",  # cross stitch
    "M36 33a6 6 0 1 0 2 9 6 6 0 0 1-2-9z",  # moon
    "M32 33v10M27 38h10M28.5 34.5l7 7m0-7-7 7",  # star
)
COLOURS = ("brand", "ok", "info", "warn", "bad")  # tokens of the theme
STEAM = ("", "M32 16c-3-4 3-6 0-10", "M28 16c-3-4 3-6 0-10M36 16c-3-4 3-6 0-10")
TURNED = ' transform="matrix(-1 0 0 1 64 0)"'


def cup(practitioner_id: str, size: str = "") -> Markup:
    """Inline SVG of less than 1 KB. `size`: big, tiny, or neither."""
    shape, colour_at, pattern, steam, turned = sha256(b"cup/" + practitioner_id.encode()).digest()[:5]
    body, handle = CUPS[shape % len(CUPS)]
    colour = COLOURS[colour_at % len(COLOURS)]
    return Markup(  # noqa: S704  nothing but the constants above is put in
        f'<svg class="cup{" " * bool(size) + size}" viewBox="5 4 54 54" aria-hidden="true"'
        ' fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
        f'<g{TURNED if turned % 2 else ""}><path d="{body}" fill="var(--{colour}tint)" stroke="none" transform="translate(3 3)"/>'
        f'<path d="M8 56q24-3 48 0" stroke="var(--edge)"/><path d="{body}{handle}"/>'
        f'<path d="{PATTERNS[pattern % len(PATTERNS)]}{STEAM[steam % len(STEAM)]}" stroke="var(--{colour})"/></g></svg>'
    )


def add_to(app: Flask) -> None:
    app.add_template_global(cup)
