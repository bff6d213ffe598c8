"""An HTTP client that works as a browser without JavaScript: keeps cookies, fills in the form of a page, follows redirects."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter


class FormOnPage(HTMLParser):
    """The last form of a page that is sent by POST, with everything that is already filled in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.fields, self._select, self._in_form = "", list[tuple[str, str]](), "", False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form" and has.get("method", "").lower() == "post":
            self.action, self.fields, self._in_form = has["action"], [], True
        elif self._in_form and tag == "input" and has.get("name"):
            if has.get("type") not in {"radio", "checkbox"} or "checked" in has:
                self.fields.append((has["name"], has.get("value", "")))
        elif self._in_form and tag == "select":
            self._select = has.get("name", "")
        elif self._in_form and tag == "option" and "selected" in has:
            self.fields.append((self._select, has["value"]))
        elif self._in_form and tag == "textarea":
            self.fields.append((has["name"], ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_form = self._in_form and tag != "form"


class FormClient:
    """`source`: the address to connect from, for a server that limits what one address may do."""

    def __init__(self, base: str, verify: str | bool = True, source: str = "") -> None:
        self._base, self._session = base, requests.Session()
        if source:
            self._session.mount(base, _FromAddress(source))
        self._session.verify, self._session.trust_env = verify, False
        self.page, self.url = "", ""

    @property
    def cookies(self) -> dict[str, str]:
        return self._session.cookies.get_dict()

    def open(self, path: str) -> None:
        self._take(self._session.get(urljoin(self._base, path), timeout=30))

    def send(self, **typed: str | list[str]) -> None:
        """Fill in what is given and press the form's first button. Everything else stays as the page has it."""
        form = FormOnPage(self.page)
        body: list[tuple[str, Any]] = [(name, value) for name, value in form.fields if name not in typed]
        for name, value in typed.items():
            body += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        self._take(self._session.post(urljoin(self.url, form.action), data=body, timeout=30))

    def _take(self, answer: requests.Response) -> None:
        answer.raise_for_status()
        self.page, self.url = answer.text, answer.url


class _FromAddress(HTTPAdapter):
    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._source, 0), **more)
