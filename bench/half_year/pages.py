"""A page as somebody without a plan sees it: every form with its buttons, every link, and what was typed into it so far."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from random import Random
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

OVER_AND_OVER = "Something that I wrote on a long evening."


@dataclass
class Field:
    """One name of a form. `values`: those to choose from; `chosen`: those that are chosen already, or what is written."""

    name: str
    type: str
    values: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)


@dataclass
class PageForm:
    action: str
    fields: dict[str, Field] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)  # (name, value); ("", "") for one without a name

    def filled_in(self, random: Random, wanted: dict[str, list[str]], button: tuple[str, str]) -> list[tuple[str, str]]:
        """What a browser would send, with `wanted` typed, an answer chosen at random where one is asked for, some words where
        there is room for them."""
        body = [(one.name, value) for one in self.fields.values() for value in wanted.get(one.name, _answers(one, random))]
        return [*body, button] if button[0] else body


def _answers(one: Field, random: Random) -> list[str]:
    if one.type == "radio" and not one.chosen:
        return [random.choice(one.values)]
    if one.type == "textarea" and not one.chosen:
        return [OVER_AND_OVER]
    return one.chosen


class Page(HTMLParser):
    """The parts of `main` that can be pressed or followed."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url, self.html = url, html
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self._in_main = self._in_form = False
        self._select: Field | None = None
        self._area: Field | None = None
        self.feed(html)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def form(self, action: str = "", *, with_field: str = "") -> PageForm | None:
        """The first form that goes there, or that has this field."""
        fitting = [form for form in self.forms if (not action or urlsplit(urljoin(self.url, form.action)).path == action)]
        return next((form for form in fitting if not with_field or with_field in form.fields), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "main":
            self._in_main = True
        if not self._in_main:
            return
        if tag == "a" and has.get("href"):
            self.links.append(has["href"])
        elif tag == "form" and has.get("method", "").lower() == "post":
            self.forms.append(PageForm(has.get("action", "") or self.url))
            self._in_form = True
        elif self._in_form:
            self._take(tag, has)

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._in_main = False
        elif tag == "form":
            self._in_form = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None and data.strip():
            self._area.chosen = [data]

    def _take(self, tag: str, has: dict[str, str]) -> None:
        form, name = self.forms[-1], has.get("name", "")
        if tag == "button" or (tag == "input" and has.get("type") == "submit"):
            form.buttons.append((name, has.get("value", "")))
        elif tag == "input" and name:
            self._take_input(form.fields.setdefault(name, Field(name, has.get("type", "text"))), has)
        elif tag == "select":
            self._select = form.fields.setdefault(name, Field(name, "select"))
        elif tag == "option" and self._select is not None:
            self._select.values.append(has.get("value", ""))
            if "selected" in has or not self._select.chosen:
                self._select.chosen = [has.get("value", "")]
        elif tag == "textarea":
            self._area = form.fields.setdefault(name, Field(name, "textarea"))

    def _take_input(self, one: Field, has: dict[str, str]) -> None:
        value = has.get("value", "")
        if one.type in ("radio", "checkbox"):
            one.values.append(value)
            if "checked" in has:
                one.chosen.append(value)
        else:
            one.chosen.append(value)


class Browser:
    """Keeps cookies, follows redirects, runs no script. `source`: the address of this machine to connect from, as a site limits
    what one address may do. `trouble`: answers that nobody should ever get."""

    def __init__(self, base: str, source: str, trouble: list[str]) -> None:
        self._base, self._trouble = base, trouble
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"  # a kept one may be closed in the moment when a form is sent
        self.session.mount(base, FromAddress(source))

    def open(self, url: str) -> Page:
        return self._page(self.session.get(urljoin(self._base, url), timeout=30))

    def press(self, page: Page, form: PageForm, random: Random, button: tuple[str, str] | None = None, **wanted: Any) -> Page:
        typed = {name: [value] if isinstance(value, str) else list(value) for name, value in wanted.items()}
        pressed = button or next(iter(form.buttons), ("", ""))
        body = form.filled_in(random, typed, pressed)
        return self._page(self.session.post(urljoin(page.url, form.action), data=body, timeout=30))

    def forget(self) -> None:
        """The browser was closed, or the telephone lost."""
        self.session.cookies.clear()

    def _page(self, answer: requests.Response) -> Page:
        if answer.status_code >= 500 or answer.status_code in (400, 403, 405):
            self._trouble.append(f"{answer.status_code} at {urlsplit(answer.url).path}")
        return Page(answer.url, answer.text)


class FromAddress(HTTPAdapter):
    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._source, 0), **more)
