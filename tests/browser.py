"""Chromium as the machine has it, kept from speaking to anybody but us."""

import atexit
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

from deploy.servers import debian
from deploy.servers.processes import CannotStart

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
STEADY = ("--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb", "--hide-scrollbars")
FONTS = Path(__file__).parent / "gates" / "fonts.conf"


def ensure() -> str:
    """Chromium is on this machine afterwards, and where; or the reason is said. Call it before Playwright starts: its driver
    wants libraries that come with the browser."""
    if not find_program() and debian.may_install():
        debian.install("chromium", "fonts-dejavu-core")
    program = find_program()
    if not program:
        raise CannotStart("These tests need Chromium: apt-get install chromium")
    return program


def find_program() -> str | None:
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


@contextmanager
def a_browser() -> Iterator[Browser]:
    with _launched(QUIET, {}) as browser:
        yield browser


@contextmanager
def a_steady_browser() -> Iterator[Browser]:
    """Draws a page alike on every machine: with the same few fonts, and without what depends on a screen."""
    with _launched([*QUIET, *STEADY], {"FONTCONFIG_FILE": str(FONTS)}) as browser:
        yield browser


@contextmanager
def _launched(options: Sequence[str], environment: dict[str, str]) -> Iterator[Browser]:
    program = ensure()
    browser = _playwright().chromium.launch(executable_path=program, args=list(options), env={**os.environ, **environment})
    try:
        yield browser
    finally:
        browser.close()


@cache
def _playwright() -> Playwright:
    """One for the process, whoever opens a browser: Playwright cannot be started a second time while it runs."""
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    return playwright
