"""The main job, as the people in it live it."""

from datetime import timedelta

import pytest

from tests.journeys.stack import Stack, code_in, link_in, only_when_started_here
from tests.journeys.website import Practitioner, Website

ASKED = "would like to meet you"


def test_the_chosen_practitioner_says_yes_by_link(stack: Stack, website: Website) -> None:
    number = stack.welcome("Juniper")
    wren = website.ask("Juniper", email="wren@people.example")
    wren.status("We have asked Juniper")

    email = stack.email_to("Juniper", "/o/")
    assert email.subject == "Someone would like to meet you"
    assert "Wren" not in email.text + email.html
    assert "/o/" in stack.text_to(number, ASKED)

    juniper = Practitioner(website.visitor()).open(link_in(email.text))
    assert "Wren" in juniper.page.get_by_role("main").inner_text()
    juniper.answer("yes")
    wren.status("You and Juniper: find a first time")
    email = stack.email_to("wren", "says yes")
    assert "Juniper" not in email.subject + email.text


def test_the_chosen_practitioner_says_yes_by_text(stack: Stack, website: Website) -> None:
    number = stack.welcome("Kai")
    wren = website.ask("Kai")
    code = code_in(stack.text_to(number, ASKED))
    stack.kannel.phone.write(number, f"{code} 1")
    wren.status("You and Kai: find a first time")


def test_not_this_time_goes_on_to_the_next_choice(stack: Stack, website: Website) -> None:
    first, second = stack.welcome("Ana"), stack.welcome("Mo")
    wren = website.ask("Ana", "Mo")
    code = code_in(stack.text_to(first, ASKED))
    stack.kannel.phone.write(first, f"{code} 2")
    wren.status("We have asked Mo")
    assert stack.text_to(second, ASKED)


def test_a_question_is_answered_before_the_yes(stack: Stack, website: Website) -> None:
    stack.welcome("Tove")
    wren = website.ask("Tove", email="question@people.example")
    wren.status("We have asked Tove")
    tove = Practitioner(website.visitor()).open(link_in(stack.email_to("Tove", "/o/").text))
    tove.page.locator("[name=answer][value=ask_first]").check()
    tove.page.locator("[name=question]").fill("Is text all right at first?")
    tove.answer("ask_first")
    email = stack.email_to("question", "wrote to you")
    wren.page.goto(link_in(email.text))
    wren.page.get_by_role("main").get_by_role("button").first.click()
    assert "Is text all right at first?" in wren.page.get_by_role("main").inner_text()
    wren.write_back("Text is good")
    answered = stack.email_to("Tove", "a note for you")
    assert "Text is good" not in answered.text + answered.html
    again = Practitioner(website.visitor()).open(link_in(answered.text))
    assert "Text is good" in again.page.get_by_role("main").inner_text()
    again.answer("yes")
    wren.status("You and Tove: find a first time")


def test_silence_brings_one_reminder_and_then_the_next_step(stack: Stack, website: Website) -> None:
    stack.welcome("Marisol")
    stack.welcome("Ro")
    wren = website.ask("Marisol", "Ro", email="silence@people.example")
    first = stack.email_to("Marisol", "/o/")
    stack.move_clock(timedelta(days=3))
    stack.email_to("Marisol", "still")
    stack.move_clock(timedelta(days=3))
    stack.email_to("Ro", "/o/")
    wren.come_back()
    wren.status("We have asked Ro")
    page = website.visitor()
    page.goto(link_in(first.text))
    page.get_by_role("main").get_by_role("button").first.click()
    assert not page.locator("[name=answer]").count()


def test_not_sure_becomes_suggestions_a_choice_and_a_yes(stack: Stack, website: Website) -> None:
    number = stack.welcome("Tamsin", languages="en", help="listening")
    wren = website.ask(mode="suggest")
    wren.status("you could meet")
    name = wren.page.locator(".cards h2").first.inner_text()
    wren.pick(name)
    wren.status(f"We have asked {name}")
    email = stack.email_to(name, "/o/")
    Practitioner(website.visitor()).open(link_in(email.text)).answer("yes")
    wren.status(f"You and {name}: find a first time")
    assert number


def test_whoever_waits_is_asked_about_when_a_place_comes_free(stack: Stack, website: Website) -> None:
    stack.welcome("Lupe", places=1)
    first = website.ask("Lupe")
    first.status("We have asked Lupe")
    second = website.write(("Lupe", "wait"), name="Robin", email="robin@people.example")
    second.page.get_by_role("button", name="Send my request").click()
    if second.page.get_by_role("button", name="Send my request").count():  # told that Lupe has no place left: send all the same
        second.send()
    else:
        second.page.goto("/s")
    second.status("You are waiting for Lupe")
    first.leave()
    second.status("We have asked Lupe")
    assert stack.email_to("robin", "asked")


def test_a_double_click_on_send_makes_one_request(stack: Stack, website: Website) -> None:
    stack.welcome("Noor", places=5, offers_at_once=5)
    wren = website.write("Noor")
    wren.page.get_by_role("button", name="Send my request").dblclick()
    wren.page.wait_for_url("**/ask/sent")
    wren.status("We have asked Noor")
    assert len(stack.emails_to("Noor")) == 1


@pytest.mark.skipif(not only_when_started_here(), reason="stops the broker, so it must be one that this run started")
def test_a_request_is_taken_while_the_broker_is_away_and_delivered_when_it_is_back(stack: Stack, website: Website) -> None:
    stack.welcome("Sky")
    wren = website.write("Sky")
    with stack.broker_away():
        wren.send()
        wren.status("Your request is here")
        assert stack.emails_to("Sky") == []
    wren.status("We have asked Sky")
    assert stack.email_to("Sky", "/o/")
