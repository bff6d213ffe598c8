"""Whoever reads Spanish pages is taken to speak Spanish, unless they say otherwise."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import save_directory_entry
from services.matching import rules
from services.matching.domain import Request
from shared.contracts import RequestSubmitted
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, document, submit
from tests.pages.intake_site import make_site, post, published
from tests.people import MONDAY, a_practitioner, a_request, an_entry_seen


@pytest.fixture
def visitor(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        for name, languages in (("ana", ("es",)), ("kai", ("en", "es"))):
            intake.run(save_directory_entry, an_entry_seen(intake, name, version=2, languages=languages))
        yield client


def checked(html: str) -> list[str]:
    return re.findall(r'name="language" value="(\w+)" checked', html) or re.findall(
        r'<input[^>]*name="language"[^>]*value="(\w+)"[^>]*checked', html
    )


def ask(visitor: FlaskClient, *, seen_question_6: bool = True, **answers: object) -> None:
    visitor.get("/?lang=es")
    post(visitor, "/ask/1", mode="suggest")
    post(visitor, "/ask/2", name="Luz")
    post(visitor, "/ask/4", reach="page")
    if seen_question_6:
        post(visitor, "/ask/6", **answers)
    post(visitor, "/ask/7")


def submitted(visitor: FlaskClient, intake: Service) -> RequestSubmitted:
    post(visitor, "/ask/check")
    found = published(intake, "request.submitted.v1")[0]
    assert isinstance(found, RequestSubmitted)
    return found


def test_question_six_stands_at_the_language_of_the_page(visitor: FlaskClient) -> None:
    ask(visitor, seen_question_6=False)
    assert checked(visitor.get("/ask/6").text) == ["es"]
    assert checked(visitor.get("/ask/6?lang=en").text) == ["en"]
    post(visitor, "/ask/6", language="both")
    assert checked(visitor.get("/ask/6?lang=es").text) == ["both"]


def test_what_they_chose_is_a_limit(visitor: FlaskClient, intake: Service) -> None:
    ask(visitor, language="es")
    assert submitted(visitor, intake).languages == ("es",)


def test_what_they_never_said_is_a_preference(visitor: FlaskClient, intake: Service) -> None:
    ask(visitor, seen_question_6=False)
    sent = submitted(visitor, intake)
    assert sent.languages == ()
    assert sent.page_language == "es"


def test_suggestions_begin_with_those_who_speak_it_and_leave_nobody_out(matching: Service) -> None:
    for name, language in (("juniper", "en"), ("sky", "en"), ("ana", "es")):
        add_practitioners(matching, name, languages=(language,))
    submit(matching, mode="suggest", page_language="es")
    suggested = document(matching, "requests", "r1")["suggested"]
    assert suggested[0] == "ana"
    assert len(suggested) == 3


def first_of(request: Request) -> str:
    people = [a_practitioner("juniper", languages=("en",), help=("listening",)), a_practitioner("ana", languages=("es",))]
    return rules.in_order(request, people, MONDAY.date())[0].id


def test_a_language_they_chose_counts_alone() -> None:
    assert first_of(a_request(help=("listening",), page_language="es")) == "ana"
    assert first_of(a_request(help=("listening",), page_language="es", languages=("en", "es"))) == "juniper"
    assert first_of(a_request(help=("listening",))) == "juniper"


def test_the_directory_says_that_those_who_speak_it_come_first(visitor: FlaskClient) -> None:
    html = visitor.get("/people?lang=es").text
    assert "Primero están quienes hablan el idioma de esta página." in html
    assert re.findall(r'href="/people/(\w+)"', html)[-1] == "juniper"
    assert "Those who speak the language of this page come first." in visitor.get("/people?lang=en").text
    assert "come first" not in visitor.get("/people?lang=en&languages=en").text


def test_whoever_chose_somebody_who_does_not_speak_it_reads_that_before_sending(visitor: FlaskClient) -> None:
    ask(visitor, language="es")
    post(visitor, "/ask/1", mode="chosen", choice=["juniper", "ana"], if_not=["next_choice", "ask_me"])
    html = visitor.get("/ask/check?lang=en").text
    assert "Juniper does not speak the language you chose, so Juniper would not be asked." in html
    assert "Ana does not speak" not in html
    post(visitor, "/ask/6", language="both")
    assert "does not speak the language" not in visitor.get("/ask/check").text
