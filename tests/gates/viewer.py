"""Shows a page state as it was answered: its HTML with the stylesheet of this tree, from nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python import sync_playwright as axe_package
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize

from tests.gates.page_state import PageState

AXE = (Path(axe_package.__file__).parent / "axe.min.js").read_text()
STATIC = {"/static/": Path("shared/web/static"), "/demo/static/": Path("deploy/demo/static")}
TRIES, MS_BETWEEN_TRIES = 150, 10
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Viewer:
    """One window. `asked`: the addresses that the shown page asked for, itself included. `sent`: the bodies of forms that were
    sent, which go nowhere."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.asked: list[str] = []
        self.sent: list[str] = []
        self._shown: PageState | None = None
        context.route("**/*", self._answer)

    def show(self, state: PageState, width: int = 390, *, as_new: bool = False) -> Page:
        """`as_new`: without what moves the focus away from the beginning."""
        state = _begun_anew(state) if as_new else state
        self._shown = state
        self.asked, self.sent = [], []
        self.set_width(width)
        self.page.emulate_media(color_scheme="light")
        # Away first: to an address that differs in what follows # alone, a browser would only scroll.
        self.page.goto("about:blank")
        self.page.goto(state.url)
        return self.page

    def set_width(self, width: int) -> None:
        size = self.page.viewport_size
        if size is None or size["width"] != width:
            self.page.set_viewport_size(ViewportSize(width=width, height=HEIGHTS.get(width, 900)))

    def set_theme(self, theme: str) -> None:
        """As its reader chose it on the site; a letter, and what the proxy shows, know only what the device says."""
        if self._shown and self._shown.kind in ("letter", "plain"):
            self.page.emulate_media(color_scheme="dark" if "dark" in theme else "light")
        else:
            self.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)

    def wait_until_sent(self) -> None:
        for _ in range(TRIES):
            if self.sent:
                return
            self.page.wait_for_timeout(MS_BETWEEN_TRIES)

    def _answer(self, route: Route) -> None:
        request = route.request
        self.asked.append(request.url)
        shown = self._shown.url.partition("#")[0] if self._shown else ""
        if not request.is_navigation_request() or not self._shown:
            self._answer_with_a_file(route, urlsplit(request.url).path)
        elif request.method == "GET" and request.url.partition("#")[0] == shown:
            route.fulfill(body=self._shown.html, content_type="text/html; charset=utf-8")
        else:
            self.sent.append(request.post_data or urlsplit(request.url).query)
            route.fulfill(status=204)

    def _answer_with_a_file(self, route: Route, path: str) -> None:
        file = next((folder / path.removeprefix(begin) for begin, folder in STATIC.items() if path.startswith(begin)), None)
        if file and file.is_file():
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        else:
            route.fulfill(status=404)


HEIGHTS = {320: 568, 390: 844, 1280: 900}


def _begun_anew(state: PageState) -> PageState:
    return replace(state, url=state.url.partition("#")[0], html=state.html.replace(" autofocus", ""))


@contextmanager
def a_viewer(browser: Browser) -> Iterator[Viewer]:
    # Our policy allows no script but our own, and the checker is one.
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce", color_scheme="light", locale="en-US")
    yield Viewer(context)
    context.close()
