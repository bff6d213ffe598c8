""" "Leave this page" stays under the thumb: at the end of a long page, on a phone, without a keyboard."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from werkzeug.serving import make_server

from services.intake.handlers.broker_events import save_directory_entry
from services.intake.web import make_app
from shared.service import Service
from tests.browser import a_browser
from tests.people import an_entry_seen
from tests.web_settings import settings_for_pages

ON_TOP = """() => {
  const box = document.querySelector("a.leave").getBoundingClientRect();
  const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return Boolean(seen && seen.closest("a.leave")) && box.top >= 0 && box.bottom <= innerHeight;
}"""


@pytest.fixture
def site(intake: Service, keys: Path) -> Iterator[str]:
    for number in range(24):
        intake.run(save_directory_entry, an_entry_seen(intake, f"person-{number}"))
    server = make_server("127.0.0.1", 0, make_app(settings_for_pages(keys)), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def phone() -> Iterator[Page]:
    with a_browser() as browser:
        yield browser.new_page(viewport={"width": 320, "height": 640}, java_script_enabled=True, has_touch=True)


@pytest.mark.parametrize("language", ["en", "es"])
def test_at_the_end_of_every_long_page_it_can_be_pressed(site: str, phone: Page, language: str) -> None:
    for path in ("/", "/people", "/expect", "/keep", "/ask/1", "/ask/5"):
        phone.goto(f"{site}{path}?lang={language}")
        phone.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        assert phone.evaluate("scrollY") > 0, f"{path} is not longer than a phone: it shows nothing"
        assert phone.evaluate(ON_TOP), path
