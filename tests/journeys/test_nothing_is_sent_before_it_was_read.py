"""The husband's sentence, on every real part: nothing leaves before a coordinator has read it."""

from playwright.sync_api import Page

from tests.journeys.stack import Stack, address, code_in, link_in, soon
from tests.journeys.website import Supportee, Website

HUSBAND = "My husband reads this mailbox. Please write only when I say so."
EMAIL, NUMBER = "shared@people.example", "+12025550961"


def test_the_husbands_sentence_sends_nothing_until_a_coordinator_has_read_it(stack: Stack, website: Website) -> None:
    practitioner = stack.welcome("Marlo")
    stack.welcome_coordinator("iris")
    wren = Supportee(website.visitor())
    wren.choose([("Marlo", "ask_me")], "chosen")
    wren.fill_in({"name": "Wren"})
    wren.go_on()
    page = wren.page
    page.locator("details summary").click()
    page.locator("[name=before_we_write]").fill(HUSBAND)
    page.locator("[name=quiet_from]").select_option("0")
    page.locator("[name=quiet_until]").select_option("0")
    wren.say_how_to_reach(EMAIL, NUMBER)
    for _ in (5, 6, 7):
        wren.go_on()
    wren.send()
    stack.kannel.phone.write(practitioner, f"{code_in(stack.text_to(practitioner, 'would like to meet'))} 2")
    wren.status("What would you like to happen next?")
    assert "We send you no email and no text before a person has read" in page.locator("main").inner_text()

    desk = signed_in(stack, website, "iris")
    soon(lambda: desk.goto("/c") and desk.get_by_text("Read first: nothing is sent").count(), "the task on the desk")
    someone_else_is_told(stack, website)
    assert stack.emails_to("shared") == []
    assert stack.kannel.phone.to(NUMBER) == []

    desk.get_by_role("row", name="Read first").get_by_role("button", name="Take it").click()
    desk.get_by_role("row", name="Read first").get_by_role("link", name="Open").click()
    desk.get_by_role("button", name="Open this request").click()
    assert HUSBAND in desk.locator("main").inner_text()
    desk.get_by_role("button", name="I read it: write only on their page").click()
    soon(lambda: page.goto("/s") and page.get_by_role("button", name="You may write to me now").count(), "their own button")
    someone_else_is_told(stack, website)
    assert stack.emails_to("shared") == []
    assert stack.kannel.phone.to(NUMBER) == []

    page.get_by_role("button", name="You may write to me now").click()
    assert stack.email_to("shared", "You have a message").subject == "You have a message"
    assert stack.text_to(NUMBER, "You have a message")
    assert len(stack.emails_to("shared")) == len(stack.kannel.phone.to(NUMBER)) == 1


def someone_else_is_told(stack: Stack, website: Website) -> None:
    """Whatever was to be sent before them would have been."""
    email = f"later{len(website.asked_with)}@people.example"
    website.ask(mode="reach_out", email=email)
    assert stack.email_to(email, "Your request has arrived")


def signed_in(stack: Stack, website: Website, name: str) -> Page:
    page = website.visitor()
    page.goto("/c")
    page.locator("[name=email]").fill(address(name))
    page.get_by_role("main").get_by_role("button").last.click()
    page.goto(link_in(stack.email_to(name, "/c/in/").text))
    page.get_by_role("main").get_by_role("button").first.click()
    return page
