"""From a template's name, its context and a language to what its receiver reads. Pure: no address, no clock, no I/O.

Each template is a folder in templates/: subject.txt, body.txt, sms.txt. The HTML is drawn from the paragraphs of the body by one
layout, under the subject as its heading; a paragraph that is a label and an address under it becomes a button.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from shared.i18n import day, short_day, time_of_day, translator, zone_city

TEMPLATES_DIR = Path(__file__).parent / "templates"
LABEL_AND_ADDRESS = re.compile(r"(?P<label>[^\n]+):\n(?P<url>https?://\S+)")
MARKS_IN_NAMES = frozenset(" '’-.")
DOT_INSIDE_A_WORD = re.compile(r"\.\S")
LONGEST_GREETING = 40
PAGES = {"supportee": "/s", "practitioner": "/me", "coordinator": "/c"}
WITHOUT_ACCENT = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")  # "sáb" would cost a text half of its room

ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES_DIR), autoescape=select_autoescape(["html"]), undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True, auto_reload=False,
)  # fmt: skip
# What depends on the reader's screen cannot be inlined; it outweighs what is inlined by "!important".
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)
# Once, around the template's own marks: for each e-mail it would cost more than all the rest.
HTML_LAYOUT = ENVIRONMENT.from_string(INLINER.inline((TEMPLATES_DIR / "layout.html").read_text()))


@dataclass(frozen=True)
class Brand:
    """Who writes: the programme. `write_to`: a mailbox that a person reads."""

    name: str
    from_name: str
    write_to: str
    public_url: str


@dataclass(frozen=True)
class RenderedEmail:
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Recipient:
    language: str
    time_zone: str
    role: str
    known_as: str = ""


@dataclass(frozen=True)
class Paragraph:
    """In the HTML: words, or a button when it has a url."""

    words: str
    url: str = ""


def render_email(name: str, values: Mapping[str, Any], recipient: Recipient, brand: Brand) -> RenderedEmail:
    context = {**_context(values, recipient, brand), "template": name}
    subject, body = _render(f"{name}/subject.txt", context), _render(f"{name}/body.txt", context)
    parts = {**context, "subject": subject, "body": body, "greeting": _render("greeting.txt", context)}
    text = _render("layout.txt", {**parts, "closing": _closing(context, as_html=False)})
    html = HTML_LAYOUT.render({**parts, "closing": _closing(context, as_html=True), "paragraphs": _paragraphs(body)})
    return RenderedEmail(subject, text + "\n", html)


def render_sms(name: str, values: Mapping[str, Any], recipient: Recipient, brand: Brand) -> str:
    return " ".join(_render(f"{name}/sms.txt", _context(values, recipient, brand)).split())


def greeting(known_as: str) -> str:
    """How to greet, or nothing: anybody can type any name beside anybody's address, so a name that could lure is left out.

    A name has letters, marks, spaces, apostrophes, hyphens, and dots at the end of a word.
    """
    name = " ".join(unicodedata.normalize("NFKC", known_as).split())
    plain = all(sign in MARKS_IN_NAMES or unicodedata.category(sign)[0] in "LM" for sign in name)
    return name if plain and len(name) <= LONGEST_GREETING and not DOT_INSIDE_A_WORD.search(name) else ""


def _context(values: Mapping[str, Any], recipient: Recipient, brand: Brand) -> dict[str, Any]:
    return {
        "_": translator(recipient.language),
        "brand": brand,
        "lang": recipient.language,
        "role": recipient.role,
        "known_as": greeting(recipient.known_as),
        "day": lambda moment: day(moment, recipient.time_zone, recipient.language),
        "short_day": lambda moment: short_day(moment, recipient.time_zone, recipient.language).translate(WITHOUT_ACCENT),
        "hour": lambda moment: _hour(moment, recipient),
        "city": zone_city(recipient.time_zone, recipient.language),
        **values,
    }


def _hour(moment: datetime, recipient: Recipient) -> str:
    return " ".join(time_of_day(moment, recipient.time_zone, recipient.language).split())


def _render(template: str, context: Mapping[str, Any]) -> str:
    return ENVIRONMENT.get_template(template).render(context).strip()


def _closing(context: Mapping[str, Any], *, as_html: bool) -> list[str]:
    return _render("closing.txt", {**context, "as_html": as_html}).splitlines()


def _paragraphs(text: str) -> list[Paragraph]:
    return [_paragraph(part.strip()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _paragraph(part: str) -> Paragraph:
    found = LABEL_AND_ADDRESS.fullmatch(part)
    return Paragraph(found["label"], found["url"]) if found else Paragraph(part)
