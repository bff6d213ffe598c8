"""After a whole journey, nothing that a person wrote stands anywhere in clear: not in a database, a queue or a log. Once they
left, no key opens anything of theirs.
"""

import re
from contextlib import suppress
from dataclasses import dataclass

import pika
import pytest

from services.intake.code_words import WORDS_IN_A_CODE
from shared import vault
from shared.vault import DecryptionError
from tests.journeys.stack import SERVICES, Stack, code_in, link_in, soon
from tests.journeys.website import Practitioner, Supportee, Website

NAME, WORDS = "Zephyrine", "the marmalade week"
QUESTION, ANSWER = "which quincewood bench", "the one by the gooseberries"
EMAIL, PHONE = "zephyrine.quill@people.example", "+12025550987"


@dataclass
class Walked:
    asking: Supportee
    secrets: list[str]


@pytest.fixture
def walked(stack: Stack, website: Website) -> Walked:
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
    practitioner.page.locator("[name=answer][value=ask_first]").check()
    practitioner.page.locator("[name=answer][value=ask_first]").check()
    practitioner.page.locator("[name=question]").fill(QUESTION)
    practitioner.answer("ask_first")
    stack.email_to("zephyrine quill", "wrote to you")
    asking.page.goto("/s")
    assert QUESTION in asking.page.content()
    asking.write_back(ANSWER)
    stack.email_to("Xiomara", "a note for you")
    practitioner.page.goto("/o")
    assert ANSWER in practitioner.page.content()
    practitioner.answer("yes")
    asking.status("You and Xiomara: find a first time")
    tokens = [address.rsplit("/", 1)[1] for address in (link, short)]
    assert len(asking.code_words.split()) == WORDS_IN_A_CODE
    addresses = [EMAIL, EMAIL.split("@")[0], PHONE, PHONE.lstrip("+"), number.lstrip("+")]
    return Walked(asking, [NAME, WORDS, QUESTION, ANSWER, *addresses, asking.code_words, *tokens])


def test_nothing_that_a_person_wrote_is_in_clear_anywhere_and_nothing_opens_once_they_left(stack: Stack, walked: Walked) -> None:
    """One journey for both: to walk it takes longest."""
    places = everything(stack)
    assert sum(map(len, places.values())) > 10_000
    assert found_in(places, walked.secrets) == []
    sent = max(stack.rows("intake", "requests"), key=lambda row: row["sent_at"])  # other journeys were here before
    person_id, request_id = sent["person_id"], sent["_id"]
    assert opened(stack, person_id) == {("matching", "words"), ("notify", "contact")}
    walked.asking.leave()
    assert walked.asking.page.url.endswith("/s/left")
    soon(lambda: answered(stack, request_id)[1:], "both answers", seconds=60)
    soon(lambda: opened(stack, person_id) == set(), "erased outboxes", seconds=60)
    assert found_in(everything(stack), walked.secrets) == []
    assert [row["state"] for row in stack.rows("matching", "requests") if row["_id"] == request_id] == ["withdrawn"]
    for database, collection in (("intake", "requests"), ("intake", "links"), ("matching", "notes"), ("matching", "matches")):
        assert not [row for row in stack.rows(database, collection) if {request_id, person_id} & set(map(str, row.values()))]


def answered(stack: Stack, request_id: str) -> list[str]:
    """Which services have said that everything of this request is gone."""
    return next((row["answered"] for row in stack.rows("intake", "erasures") if row["_id"] == request_id), [])


def opened(stack: Stack, person_id: str) -> set[tuple[str, str]]:
    """Whose private key opens a wrap of this person anywhere, and what for: as their first outbox rows say."""
    found = set()
    for name in vault.RECEIVERS:
        holder = vault.load_vault(stack.local.folder / "keys", name)
        texts = {text for place in everything(stack).values() for text in re.findall(r"A[A-Za-z0-9_-]{90,}", place)}
        for text in texts:
            with suppress(DecryptionError):
                holder.unwrap(text, person_id)
                found.add((name, {"matching": "words", "notify": "contact"}[name]))
    return found


def everything(stack: Stack) -> dict[str, str]:
    return {
        **{f"database {name}": stack.database_as_text(name) for name in SERVICES},
        **{f"queue {name}": text for name, text in waiting_messages(stack).items()},
        **{f"log {file.name}": file.read_text(errors="replace") for file in (stack.local.folder / "log").glob("*.log")},
    }


def found_in(places: dict[str, str], secrets: list[str]) -> list[tuple[str, str]]:
    return [(place, secret[:3] + "...") for place, text in places.items() for secret in secrets if words_in(secret, text)]


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
