"""After a whole journey, nothing that a person wrote stands anywhere in clear: not in a database, a queue or a log."""

import re

import pika
import pytest

from services.intake.code_words import WORDS_IN_A_CODE
from tests.journeys.stack import SERVICES, Stack, code_in, link_in
from tests.journeys.website import Practitioner, Website

NAME, WORDS = "Zephyrine", "the marmalade week"
QUESTION, ANSWER = "which quincewood bench", "the one by the gooseberries"
EMAIL, PHONE = "zephyrine.quill@people.example", "+12025550987"


@pytest.fixture
def secrets(stack: Stack, website: Website) -> list[str]:
    number = stack.welcome("Xiomara", words="I like long walks")
    someone = website.visitor()
    asking = website.write("Xiomara", name=NAME, email=EMAIL, phone=PHONE, words=WORDS)
    asking.send()
    asking.status("We have asked Xiomara")
    email = stack.email_to("Xiomara", "/o/")
    text = stack.text_to(number, "would like to meet you")
    link, short = link_in(email.text), link_in(text)
    practitioner = Practitioner(someone).open(link)
    assert NAME in practitioner.page.content()
    assert WORDS in practitioner.page.content()
    assert code_in(text)
    practitioner.page.locator("[name=question]").fill(QUESTION)
    practitioner.answer("ask_first")
    stack.email_to("zephyrine quill", "wrote to you")
    asking.page.goto("/s")
    assert QUESTION in asking.page.content()
    asking.write_back(ANSWER)
    stack.email_to("Xiomara", "has answered")
    practitioner.page.goto("/o")
    assert ANSWER in practitioner.page.content()
    practitioner.answer("yes")
    asking.status("You and Xiomara: find a first time")
    tokens = [address.rsplit("/", 1)[1] for address in (link, short)]
    assert len(asking.code_words.split()) == WORDS_IN_A_CODE
    addresses = [EMAIL, EMAIL.split("@")[0], PHONE, PHONE.lstrip("+"), number.lstrip("+")]
    return [NAME, WORDS, QUESTION, ANSWER, *addresses, asking.code_words, *tokens]


def test_nothing_that_a_person_wrote_is_in_clear_anywhere(stack: Stack, secrets: list[str]) -> None:
    places = {
        **{f"database {name}": stack.database_as_text(name) for name in SERVICES},
        **{f"queue {name}": text for name, text in waiting_messages(stack).items()},
        **{f"log {file.name}": file.read_text(errors="replace") for file in (stack.local.folder / "log").glob("*.log")},
    }
    assert sum(map(len, places.values())) > 10_000
    found = [(place, secret[:3] + "...") for place, text in places.items() for secret in secrets if words_in(secret, text)]
    assert found == []


def words_in(secret: str, text: str) -> bool:
    return re.search(re.escape(secret), text, re.IGNORECASE) is not None


def waiting_messages(stack: Stack) -> dict[str, str]:
    """What a look at the broker shows: every message still in a queue, put back afterwards by closing the line."""
    connection = pika.BlockingConnection(pika.URLParameters(stack.amqp_url))
    channel, found = connection.channel(), {}
    for name in SERVICES:
        for queue in (name, f"{name}.dead"):
            bodies = []
            while (got := channel.basic_get(queue))[0] is not None:
                bodies.append(got[2].decode() + str(got[1]))
            found[queue] = "\n".join(bodies)
    connection.close()
    return found
