"""How two people write down what they agree on, as they live it, in both languages."""

import pytest
from playwright.sync_api import Page

from tests.journeys.stack import Stack, link_in, soon
from tests.journeys.website import Practitioner, Supportee, Website

SAYS = {
    "en": {
        "hers": "Not before ten. Elderberry tea.", "his": "Not before eleven. Elderberry tea.", "missing": "Your yes is missing.",
        "agreed": "Both of you said yes to this.", "changed": "Changed", "deleted": "one of you deleted it for both",
        "yes": "Yes, I agree to this", "before": "ten.", "after": "eleven.",
    },
    "es": {
        "hers": "No antes de las diez. Té de sauco.", "his": "No antes de las once. Té de sauco.", "missing": "Falta tu sí.",
        "agreed": "Las dos personas dijeron que sí a esto.", "changed": "Cambió", "deleted": "lo borró para ambas",
        "yes": "Sí, estoy de acuerdo", "before": "diez.", "after": "once.",
    },
}  # fmt: skip


def reads(page: Page, path: str, words: str) -> None:
    """The page is asked again until it says so: news is on its way."""
    soon(lambda: page.goto(path) and words in page.locator("main").inner_text(), f"“{words}” on {path}")


def write(page: Page, path: str, words: str) -> None:
    page.goto(f"{path}/write")
    page.locator("[name=helps]").fill(words)
    page.locator(f"main form[action='{path}/write'] button").click()


def press(page: Page, path: str, name: str) -> None:
    page.goto(path)
    page.locator(f"main form[action='{name}'] button").click()


@pytest.mark.parametrize("language", ["en", "es"])
def test_two_people_agree_on_something_change_it_and_one_deletes_it(stack: Stack, website: Website, language: str) -> None:
    says, name = SAYS[language], {"en": "Saffron", "es": "Salvia"}[language]
    stack.welcome(name)
    wren = website.ask(name, email=f"{name.lower()}swren@people.example")
    practitioner = Practitioner(website.visitor()).open(link_in(stack.email_to(name, "/o/").text))
    practitioner.answer("yes")
    hers, his = _read_in(language, wren, practitioner)

    soon(lambda: hers.goto("/s") and hers.locator("a[href='/s/agreement']").count(), "the match")
    write(hers, "/s/agreement", says["hers"])
    reads(his, "/o/agreement", says["missing"])
    assert says["hers"] in his.locator("main").inner_text()
    assert his.get_by_role("button", name=says["yes"]).count() == 1
    told = stack.email_to(name, "what you and the person you meet agree on")
    assert not [word for word in ("Wren", "ten", "diez", "sauco", "Elderberry") if word in told.subject + told.text]
    press(his, "/o/agreement", "/o/agreement/yes")
    reads(hers, "/s/agreement", says["agreed"])

    write(his, "/o/agreement", says["his"])
    reads(hers, "/s/agreement", says["changed"])
    assert says["after"] in hers.locator("ins").inner_text()
    assert says["before"] in hers.locator("del").inner_text()
    assert not [word for word in ("auco", "lderberry") if word in hers.locator("ins").inner_text()]
    press(hers, "/s/agreement", "/s/agreement/yes")
    reads(his, "/o/agreement", says["agreed"])

    press(his, "/o/agreement/delete", "/o/agreement/delete")
    reads(hers, "/s/agreement", says["deleted"])
    kept = "".join(stack.database_as_text(each) for each in ("intake", "matching", "notify"))
    assert "lderberry" not in kept
    assert "sauco" not in kept


def _read_in(language: str, wren: Supportee, practitioner: Practitioner) -> tuple[Page, Page]:
    wren.page.goto(f"/s?lang={language}")
    practitioner.page.goto(f"/o?lang={language}")
    return wren.page, practitioner.page
