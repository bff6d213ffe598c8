from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser

from tests import kannel
from tests.browser import a_browser
from tests.journeys.stack import Stack
from tests.journeys.website import Website


@pytest.fixture(scope="session")
def stack(mongodb_uri: str, broker: tuple[str, psutil.Popen | None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    kannel.ensure()
    folder: Path = tmp_path_factory.mktemp("stack")
    made = Stack(folder, mongodb_uri, *broker)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with a_browser() as opened:
        yield opened


@pytest.fixture
def website(stack: Stack, browser: Browser) -> Iterator[Website]:
    """No journey is over before everybody who asked, and gave an address, has the e-mail that says so."""
    opened = Website(browser, stack.url)
    yield opened
    for email in opened.asked_with:
        assert stack.email_to(email, "Your request has arrived"), "no e-mail says that the request has come"
        assert sum("Your request has arrived" in one.text for one in stack.emails_to(email)) == 1
