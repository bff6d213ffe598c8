"""How meetings end, as the two people live it."""

from datetime import timedelta

from tests.journeys.stack import Stack, code_in, link_in
from tests.journeys.website import Practitioner, Website

ASKED = "would like to meet you"
SETTLED = timedelta(minutes=16)  # who takes an end back within a quarter of an hour made no news
NOTHING_WRONG = "Your meetings with someone have come to an end. You did nothing wrong."


def press(someone: Practitioner | Website, name: str) -> None:
    someone.page.get_by_role("button", name=name).click()


def test_a_practitioner_ends_a_pair_and_takes_it_back(stack: Stack, website: Website) -> None:
    stack.welcome("Imani")
    wren = website.ask("Imani", email="imaniswren@people.example")
    imani = Practitioner(website.visitor()).open(link_in(stack.email_to("Imani", "/o/").text))
    imani.answer("yes")
    wren.status("You and Imani: find a first time")
    press(imani, "End our meetings")
    assert imani.page.locator("h1").inner_text() == "Your meetings have come to an end"
    wren.status("Your meetings with Imani have come to an end")
    stack.move_clock(SETTLED)
    told = stack.email_to("imaniswren", NOTHING_WRONG)
    assert "Imani" not in told.subject + told.text
    press(imani, "Take it back and go on meeting")
    wren.status("You and Imani: find a first time")
    stack.move_clock(SETTLED)
    assert stack.email_to("imaniswren", "they go on as before")


def test_a_supportee_ends_a_pair_and_asks_for_somebody_else(stack: Stack, website: Website) -> None:
    first, second = stack.welcome("Oriol"), stack.welcome("Petra")
    wren = website.ask("Oriol", email="oriolswren@people.example")
    stack.kannel.phone.write(first, f"{code_in(stack.text_to(first, ASKED))} 1")
    wren.status("You and Oriol: find a first time")
    wren.page.get_by_role("link", name="Meet someone else, or end our meetings").click()
    wren.page.locator("[name=then][value=someone_else]").check()
    press(wren, "End our meetings")
    wren.status("could meet")
    stack.move_clock(SETTLED)
    assert stack.email_to("Oriol", NOTHING_WRONG)
    wren.page.get_by_role("link", name="Ask to meet someone else").click()
    if wren.page.locator("[name=find]").count():
        wren.page.locator("[name=find]").fill("Petra")
        press(wren, "Find")
    wren.page.get_by_role("radio", name="Petra").check()
    press(wren, "Ask this person")
    wren.status("We have asked Petra")
    assert stack.text_to(second, ASKED)


def test_a_yes_by_text_is_taken_back_by_text_with_help(stack: Stack, website: Website) -> None:
    number = stack.welcome("Quim")
    wren = website.ask("Quim", email="quimswren@people.example")
    code = code_in(stack.text_to(number, ASKED))
    stack.kannel.phone.write(number, f"{code} 1")
    assert "they know now. Find a first time: http" in stack.text_to(number, "you said yes")
    stack.kannel.phone.write(number, f"{code} 2")
    text = stack.text_to(number, "A coordinator will help")
    wren.status("You and Quim: find a first time")
    quim = Practitioner(website.visitor()).open(link_in(text))
    press(quim, "End our meetings")
    wren.status("Your meetings with Quim have come to an end")
    assert "A coordinator knows of it" in wren.page.get_by_role("main").inner_text()
    stack.move_clock(SETTLED)
    assert stack.email_to("quimswren", NOTHING_WRONG)


def test_a_wrong_number_is_corrected_and_the_news_reaches_the_right_one(stack: Stack, website: Website) -> None:
    number = stack.welcome("Rosa")
    wren = website.ask("Rosa", phone="202 555 0850")
    wren.status("We have asked Rosa")
    wren.page.get_by_role("link", name="Read or change what I wrote").click()
    wren.page.goto("/s/change/4")
    assert wren.page.locator("[name=phone]").input_value() == "202 555 0850"
    wren.page.locator("[name=phone]").fill("202 555 0851")
    press(wren, "Save")
    assert "+1 202 555 0851 (United States)" in wren.page.get_by_role("main").inner_text()
    stack.kannel.phone.write(number, f"{code_in(stack.text_to(number, ASKED))} 1")
    wren.status("You and Rosa: find a first time")
    stack.move_clock(timedelta(hours=12))  # out of the supportee's quiet hours, if it is night there now
    assert stack.text_to("+12025550851", "http")
    stack.move_clock(timedelta(hours=12))  # it is day again for those who come next
