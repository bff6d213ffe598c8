"""The page "What we keep and delete" against the table by which things are deleted: one source, both languages, both lengths."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from services.intake.lifetimes import ENDS_AFTER
from shared.retention import DAYS
from shared.service import Service
from tests.pages.test_intake_pages import visitor

__all__ = ["visitor"]
SAID = {
    "draft": "What you typed is kept for {days} days",
    "words": "What you wrote about yourself: {days} days after a practitioner said yes",
    "pair": "that you met: {days} days after your meetings ended",
    "contact": "how to reach you and that there was a request: {days} days after that",
    "events": "What the parts of our system tell each other, locked: {days} days",
    "audit": "That a coordinator opened your request, without your name: {days} days",
}


@pytest.mark.parametrize(("name", "sentence"), SAID.items())
def test_each_sentence_says_the_number_of_the_table_and_the_programme_s_own_where_it_is_shorter(
    visitor: FlaskClient, intake: Service, name: str, sentence: str
) -> None:
    shipped = intake.programme
    assert sentence.format(days=f"{DAYS[name]:g}") in visitor.get("/keep").text
    intake.programme = replace(shipped, retention={name: 2.0})
    try:
        assert sentence.format(days=2) in visitor.get("/keep").text
    finally:
        intake.programme = shipped


def test_the_page_says_when_a_request_ends_and_for_how_long_a_message_is_kept(visitor: FlaskClient) -> None:
    html = visitor.get("/keep").text
    assert f"it ends after {ENDS_AFTER.days} days in which we hear nothing from you" in html
    assert "Our messages to you: 1 day after they left" in html


def test_in_spanish_too(visitor: FlaskClient) -> None:
    html = visitor.get("/keep?lang=es").text
    assert f"{DAYS['words']:g} días después de que alguien dijo que sí" in html
    assert "Nuestros mensajes para ti: 1 día después de salir" in html
