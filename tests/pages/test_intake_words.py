"""How much there is to read before Send."""

from pathlib import Path

import pytest

from services.intake.web import make_app
from shared.service import Service
from tests.pages.seen import words_seen
from tests.web_settings import settings_for_pages


@pytest.mark.parametrize(("language", "most"), [("en", 350), ("es", 380)])
def test_the_seven_questions_have_few_words(intake: Service, keys: Path, language: str, most: int) -> None:
    visitor = make_app(settings_for_pages(keys)).test_client()
    visitor.get(f"/help?lang={language}")
    token = {"csrf_token": _token(visitor.get("/ask/1").text)}
    visitor.post("/ask/1", data={**token, "mode": "suggest"})
    words = {question: len(words_seen(visitor.get(f"/ask/{question}").text)) for question in range(1, 8)}
    assert all(count > 15 for count in words.values()), words
    assert sum(words.values()) <= most, words


def _token(html: str) -> str:
    return html.split('name="csrf_token" value="')[1].split('"')[0]


def test_what_is_folded_away_or_only_heard_is_not_counted() -> None:
    html = (
        "<header>One</header><main><h1>Two words<span class='vh'> unseen</span></h1><details><summary>One</summary>"
        "<p>No <b>no</b></p></details><details open><summary>Open</summary>"
        "<p>seen<br>too</p></details><select><option>x</select></main>"
    )
    assert words_seen(html) == ["Two", "words", "One", "Open", "seen", "too"]
