"""Every page in every state, four themes, 320 and 1280 px, both languages: axe, no sideways scroll, nobody else asked."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.journeys.journey_steps import JourneySteps
from tests.journeys.stack import Stack

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
THEMES = ("light", "dark", "quiet", "quiet-dark")
WIDTHS = (320, 1280)
axe = Axe()


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_page_can_be_used(stack: Stack, browser: Browser, language: str) -> None:
    steps = JourneySteps(stack, browser, language)
    problems: list[str] = []
    titles = 0
    for state, page in steps.every_page():
        titles += 1
        problems += [f"{state}: {problem}" for problem in look_at(page, language)]
    assert problems == []
    assert titles > 45
    assert steps.hosts == {stack.url.split("/")[2]}


def look_at(page: Page, language: str) -> list[str]:
    problems = [] if page.locator("html").get_attribute("lang") == language else ["another language"]
    if page.locator("h1").count() != 1:
        problems.append(f"{page.locator('h1').count()} headings of the first rank")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for theme in THEMES:
            # A theme changes colours alone, so one theme gets every rule and the others the rules about colour.
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            found: Any = axe.run(page, options=RULES if theme == "light" else COLOURS)
            problems += [f"{width} {theme} {one['id']} {one['nodes'][0]['target']}" for one in found.response["violations"]]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            problems.append(f"scrolls sideways at {width}")
    return problems
