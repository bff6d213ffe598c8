"""Chromium as the machine has it, kept from speaking to anybody but us."""

import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, Playwright

from deploy.demo import debian
from deploy.demo.processes import CannotStart

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def a_browser(playwright: Playwright) -> Iterator[Browser]:
    if not find_program() and debian.may_install():
        debian.install("chromium", "fonts-dejavu-core")
    program = find_program()
    if not program:
        raise CannotStart("These tests need Chromium: apt-get install chromium")
    browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
    yield browser
    browser.close()


def find_program() -> str | None:
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
