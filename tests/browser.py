"""Chromium as the machine has it, kept from speaking to anybody but us."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from deploy.servers import debian
from deploy.servers.processes import CannotStart

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


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
    program = ensure()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield browser
        browser.close()
