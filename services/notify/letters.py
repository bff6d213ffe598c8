"""From a letter's name, its facts and a language to what its receiver reads. Pure: no address, no clock, no I/O.

Each letter is a folder in templates/: subject.txt, body.txt, sms.txt. The HTML is the shadow of the text: one layout draws it
from the same paragraphs, and a paragraph that is a label and an address under it becomes a button.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from shared.i18n import day, short_day, time_of_day, translator

FOLDER = Path(__file__).parent / "templates"
LABEL_AND_ADDRESS = re.compile(r"(?P<label>[^\n]+):\n(?P<url>https?://\S+)")
LOOKS_LIKE_AN_ADDRESS = re.compile(r"[/@:<>]|\.\w|www|http", re.IGNORECASE)
LONGEST_GREETING = 40
WITHOUT_ACCENT = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")  # "sáb" would cost a text half of its room

ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(["html"]), undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True, auto_reload=False,
)  # fmt: skip
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


@dataclass(frozen=True)
class House:
    """Who writes."""

    name: str
    sender_name: str
    write_to: str
    public_url: str


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Reader:
    language: str
    time_zone: str
    role: str
    known_as: str = ""


@dataclass(frozen=True)
class Paragraph:
    """In the HTML: words, or a button when it has a url."""

    words: str
    url: str = ""


def write_letter(name: str, facts: Mapping[str, Any], reader: Reader, house: House) -> Letter:
    context = _context(facts, reader, house)
    subject = _render(f"{name}/subject.txt", context)
    text = _render("layout.txt", {**context, "body": _render(f"{name}/body.txt", context)})
    page = _render("layout.html", {**context, "subject": subject, "paragraphs": _paragraphs(text)})
    return Letter(subject, text + "\n", INLINER.inline(page))


def write_text(name: str, facts: Mapping[str, Any], reader: Reader, house: House) -> str:
    return " ".join(_render(f"{name}/sms.txt", _context(facts, reader, house)).split())


def greeting(known_as: str) -> str:
    """How to greet, or nothing: anybody can type any name beside anybody's address, so a name that could lure is left out."""
    name = " ".join(known_as.split())
    return "" if len(name) > LONGEST_GREETING or LOOKS_LIKE_AN_ADDRESS.search(name) else name


def _context(facts: Mapping[str, Any], reader: Reader, house: House) -> dict[str, Any]:
    return {
        "_": _sentence_in(reader.language),
        "house": house,
        "lang": reader.language,
        "role": reader.role,
        "known_as": greeting(reader.known_as),
        "day": lambda moment: day(moment, reader.time_zone, reader.language),
        "short_day": lambda moment: short_day(moment, reader.time_zone, reader.language).translate(WITHOUT_ACCENT),
        "hour": lambda moment: _hour(moment, reader),
        **facts,
    }


def _hour(moment: datetime, reader: Reader) -> str:
    return " ".join(time_of_day(moment, reader.time_zone, reader.language).split())


@cache
def _sentence_in(language: str) -> Callable[..., str]:
    gettext = translator(language)

    def sentence(words: str, **values: object) -> str:
        said = gettext(words)
        return said % values if values else said

    return sentence


def _render(template: str, context: Mapping[str, Any]) -> str:
    return ENVIRONMENT.get_template(template).render(context).strip()


def _paragraphs(text: str) -> list[Paragraph]:
    return [_paragraph(part.strip()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _paragraph(part: str) -> Paragraph:
    found = LABEL_AND_ADDRESS.fullmatch(part)
    return Paragraph(found["label"], found["url"]) if found else Paragraph(part)
