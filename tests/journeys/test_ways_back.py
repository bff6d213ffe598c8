"""A wrong address or number is corrected, and code words get lost: as the person lives it."""

import re
from datetime import timedelta

from playwright.sync_api import Page

from tests.journeys.stack import Stack, code_in, link_in, soon
from tests.journeys.website import Practitioner, Supportee, Website

ASKED = "would like to meet you"


def press(someone: Supportee, name: str) -> None:
    someone.page.get_by_role("button", name=name).click()


def ask(website: Website, who: str, email: str = "", phone: str = "", *, codes: bool = False) -> Supportee:
    """Texts come at any hour, and with `codes` a code to come in may be texted."""
    wren = Supportee(website.visitor())
    wren.choose([who], "chosen")
    wren.fill_in({"name": "Wren"})
    wren.fill_in({"words": "I would like company on hard mornings"})
    wren.page.locator("details summary").click()
    for name in ("quiet_from", "quiet_until"):
        wren.page.locator(f"[name={name}]").select_option("0")
    if codes:
        wren.page.locator("[name=safely][value=texts_safe]").check()
    wren.say_how_to_reach(email, phone)
    for _ in (5, 6, 7):
        wren.go_on()
    wren.send()
    wren.status(f"We have asked {who}")
    return wren


def correct(wren: Supportee, field: str, value: str) -> None:
    wren.page.goto("/s/change/4")
    wren.page.locator(f"[name={field}]").fill(value)
    press(wren, "Save")
    assert "Saved" in wren.page.get_by_role("main").inner_text()


def lost(website: Website, address: str) -> Supportee:
    """Another browser, without code words: it asks to be let in."""
    wren = Supportee(website.visitor())
    wren.page.goto("/s")
    wren.page.locator("[name=address]").fill(address)
    press(wren, "Send me a link")
    return wren


def says_yes(stack: Stack, number: str) -> None:
    stack.kannel.phone.write(number, f"{code_in(stack.text_to(number, ASKED))} 1")


def figures(stack: Stack, number: str) -> str:
    return soon(lambda: next(iter(re.findall(r"\b\d{6}\b", " ".join(stack.kannel.phone.to(number)))), None), "six figures")


def is_let_in(page: Page) -> bool:
    return page.goto("/s") is not None and page.locator("[name=address]").count() == 0


def test_after_a_corrected_email_address_the_old_mailbox_opens_nothing_and_hears_nothing(stack: Stack, website: Website) -> None:
    number = stack.welcome("Sabela")
    wren = ask(website, "Sabela", email="old.mailbox@people.example")
    link = link_in(stack.email_to("old.mailbox", "Your request has arrived").text)
    stranger = Practitioner(website.visitor()).open(link)
    assert is_let_in(stranger.page)
    correct(wren, "email", "new.mailbox@people.example")
    assert not is_let_in(stranger.page), "whom the old link let in is let in no more"
    stranger.open(link)
    assert "This link no longer works" in stranger.page.locator("h1").inner_text()
    lost(website, "old.mailbox@people.example")

    says_yes(stack, number)
    assert "/s/in/" in stack.email_to("new.mailbox", "says yes").text
    wren.status("You and Sabela: find a first time")
    newest = Practitioner(website.visitor()).open(link_in(stack.email_to("new.mailbox", "says yes").text))
    assert "You and Sabela" in newest.page.locator("h1").inner_text()
    assert len(stack.emails_to("old.mailbox")) == 1, "nothing came there but what came before it was corrected"


def test_after_a_corrected_number_the_old_phone_opens_nothing_and_hears_nothing(stack: Stack, website: Website) -> None:
    old, new = "+12025550871", "+12025550872"
    number = stack.welcome("Tiago")
    wren = ask(website, "Tiago", phone=old, codes=True)
    stranger = lost(website, old)
    code = figures(stack, old)
    before = len(stack.kannel.phone.to(old))
    correct(wren, "phone", "202 555 0872")
    stranger.page.locator("[name=figures]").fill(code)
    press(stranger, "Show my request")
    assert not is_let_in(stranger.page)
    lost(website, old)

    says_yes(stack, number)
    wren.status("You and Tiago: find a first time")
    stack.move_clock(timedelta(hours=2))  # nobody gets two texts within an hour
    assert "http" in stack.text_to(new, "news for you")
    assert len(stack.kannel.phone.to(old)) == before, "nothing came there but what came before it was corrected"


def test_who_lost_their_words_comes_back_by_email_and_the_old_words_open_nothing(stack: Stack, website: Website) -> None:
    stack.welcome("Ulla")
    before = ask(website, "Ulla", email="lost.words@people.example")
    wren = lost(website, "lost.words@people.example")
    assert "A link is on its way" in wren.page.locator("h1").inner_text()
    wren.page.goto(link_in(stack.email_to("lost.words", "the link you asked for").text))
    press(wren, "Show my request")
    _the_old_words_open_nothing(wren, before, "We have asked Ulla")


def test_who_lost_their_words_comes_back_by_text_and_the_old_words_open_nothing(stack: Stack, website: Website) -> None:
    number = "+12025550873"
    stack.welcome("Viggo")
    before = ask(website, "Viggo", phone=number, codes=True)
    wren = lost(website, number)
    wren.page.locator("[name=figures]").fill(figures(stack, number))
    press(wren, "Show my request")
    _the_old_words_open_nothing(wren, before, "We have asked Viggo")


def _the_old_words_open_nothing(wren: Supportee, before: Supportee, state: str) -> None:
    wren.status(state)
    assert not wren.page.get_by_role("link", name="Read or change what I wrote").count(), "the own copy takes the words"
    wren.page.get_by_text("Lost them, or somebody else has them?").click()
    press(wren, "Let my old words open nothing")
    wren.status(state)
    assert not is_let_in(before.page), "who came by the words is let in no more"
    before.come_back()
    assert "We cannot find these words" in before.page.get_by_role("main").inner_text()
