import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import kannel
from tests.browser import a_browser
from tests.journeys.house import House
from tests.journeys.website import Website


@pytest.fixture(scope="session")
def house(
    mongodb_uri: str, broker: tuple[str, subprocess.Popen[bytes] | None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    kannel.ensure()
    folder: Path = tmp_path_factory.mktemp("house")
    made = House(folder, mongodb_uri, *broker)
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
def website(house: House, browser: Browser) -> Website:
    return Website(browser, house.url)
