"""The Enter key on question 1, in a browser: it goes on, in each of its forms. It adds, moves and takes out nobody."""

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request
from werkzeug.serving import make_server

from services.intake.handlers.broker_events import save_directory_entry
from services.intake.web import make_app
from shared.service import Service
from tests.browser import a_browser
from tests.people import an_entry_seen
from tests.web_settings import settings_for_pages


class Visit:
    """`sent`: what each form sent."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.sent, self._site = page, list[dict[str, list[str]]](), site
        page.on("request", self._remember)

    def _remember(self, request: Request) -> None:
        if request.post_data:
            self.sent.append(parse_qs(request.post_data))

    def open(self, path: str) -> None:
        self.page.goto(self._site + path)

    def press_enter_on(self, field: str) -> str:
        """Where it leads."""
        self.page.locator(field).focus()
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        return urlsplit(self.page.url).path


@pytest.fixture
def visit(intake: Service, keys: Path) -> Iterator[Visit]:
    for id in ("juniper", "kai", "noor"):
        intake.run(save_directory_entry, an_entry_seen(intake, id))
    server = make_server("127.0.0.1", 0, make_app(settings_for_pages(keys)), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with a_browser() as browser:
        yield Visit(browser.new_page(), f"http://127.0.0.1:{server.server_port}")
    server.shutdown()


def test_enter_goes_on_in_each_form_of_question_one(visit: Visit) -> None:
    visit.open("/ask/1")
    visit.page.locator("[value=suggest]").check()
    assert visit.press_enter_on("[value=suggest]") == "/ask/2"
    visit.open("/ask/1?with=juniper")
    visit.page.locator("[name=if_not][value=wait]").check()
    assert visit.press_enter_on("[name=if_not][value=wait]") == "/ask/2"
    assert visit.sent[-1]["choice"] == ["juniper"]
    assert "go" not in visit.sent[-1]


def test_enter_where_people_are_ranked_looks_for_a_typed_name_and_else_goes_on(visit: Visit) -> None:
    visit.open("/ask/1?with=kai")
    visit.page.get_by_role("button", name="Name a second choice").click()
    visit.page.locator("[name=find]").fill("juni")
    assert visit.press_enter_on("[name=find]") == "/ask/1"
    visit.page.get_by_role("button", name="Choose juniper").click()
    assert visit.page.locator("[name=choice]").count() == 2
    assert visit.press_enter_on("[name=find]") == "/ask/2"
    assert len(visit.sent[-1]["choice"]) == 2
