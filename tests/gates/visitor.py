"""Somebody on the website: Chromium without JavaScript, and what every answer was."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, ViewportSize

from tests.gates.page_state import Kind, PageState
from tests.journeys.stack import soon

PLACES = count(1)
MAIN_BUTTON = "main form button.btn:not(.soft):not(.quietly):visible"
PATIENCE_MS = 30_000
NOT_FOUND_IS_MEANT = "Failed to load resource"


@dataclass
class Noticed:
    """What no page may do, as it happened on the way: `problems`; every host that was asked; and the paths that were read: of
    pages that are looked at, and of those that only send on."""

    hosts: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


class Visitor:
    def __init__(self, browser: Browser, url: str, language: str, noticed: Noticed) -> None:
        self.language, self._noticed, self._answer = language, noticed, None
        # As a proxy would say it: each comes from a place of their own, since one place may do only so much.
        place = {"X-Forwarded-For": f"192.0.2.{next(PLACES)}"}
        context = browser.new_context(
            java_script_enabled=False,
            base_url=url,
            reduced_motion="reduce",
            locale=f"{language}-US",
            viewport=SIZE,
            extra_http_headers=place,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", self._note_request)
        context.on("response", self._note_answer)
        context.on("console", self._note_console)
        self.context = context
        self.page: Page = context.new_page()
        self.go(f"/help?lang={language}")

    _answer: Response | None

    def go(self, path: str) -> "Visitor":
        self.page.goto(path)
        return self

    def press(self, button: str | Locator = MAIN_BUTTON) -> None:
        (self.page.locator(button).first if isinstance(button, str) else button.first).click()

    def fill(self, **typed: str) -> None:
        for name, value in typed.items():
            self.page.locator(f"[name={name}]:visible").first.fill(value)

    def tick(self, name: str, value: str) -> None:
        self.page.locator(f"[name={name}][value='{value}']").first.check()

    def see(self, selector: str, has_text: str = "") -> Locator:
        found = self.page.locator(selector)
        return found.filter(has_text=has_text) if has_text else found

    def wait_for(self, path: str, seen: Callable[[], object], what: str) -> None:
        """Load a page until it shows what events have to bring first."""
        soon(lambda: self.go(path) and seen(), lambda: f"{what} on {path} ({self.page.locator('h1').all_inner_texts()})")

    def look(self, name: str, *, kind: Kind = "page", pictured: bool = True) -> PageState:
        assert self._answer, "nothing was answered yet"
        self._note_as_read(self._answer)
        return PageState(name, self.language, self.page.url, self._answer.text(), kind, pictured)

    def _note_request(self, request: Request) -> None:
        self._noticed.hosts.add(urlsplit(request.url).netloc)

    def _note_answer(self, response: Response) -> None:
        is_page = response.request.is_navigation_request() and response.frame == self.page.main_frame
        if is_page and not 300 <= response.status < 400:
            self._answer = response
        elif is_page:
            self._note_as_read(response)
        if response.status >= 500:
            self._noticed.problems.append(f"{urlsplit(response.url).path}: answered {response.status}")

    def _note_as_read(self, response: Response) -> None:
        if response.request.method == "GET":
            self._noticed.read.add(urlsplit(response.url).path)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and NOT_FOUND_IS_MEANT not in message.text:
            self._noticed.problems.append(f"{urlsplit(self.page.url).path}: the browser says {message.text}")


SIZE = ViewportSize(width=1280, height=900)
