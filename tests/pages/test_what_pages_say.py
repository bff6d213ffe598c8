"""What pages promise is what is stored: a person who was promised stays promised, no question is skipped, nothing is forgotten
without a word."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

from services.intake import rules
from services.intake.handlers.broker_events import add_to_history
from services.matching.coordinators import add_coordinator
from shared.clock import now
from shared.contracts import (
    AfterNo,
    CoordinatorNeeded,
    EncryptedFields,
    Next,
    OfferDeclined,
    OfferMade,
    RequestWaiting,
    SuggestionsMade,
)
from shared.i18n import day
from shared.service import Service
from tests.pages.intake_site import ask_for, code_words, make_site, post, published
from tests.pages.matching_site import make_site as make_matching_site
from tests.pages.matching_site import signed_in
from tests.people import NEW_YORK
from tests.web_settings import programme_of_a_collective

DAYS = 5
LEAVE = "also forgets answers that you did not save with code words"


@pytest.fixture
def visitor(intake: Service, keys: Path) -> FlaskClient:
    return make_site(intake, keys).test_client()


def heading(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html.split("<h1", 1)[1].split(">", 1)[1].split("</h1>")[0])


def asked_for_a_person(visitor: FlaskClient, intake: Service) -> str:
    """Sent with "please reach out to me"; the day by which a person writes."""
    ask_for(visitor)
    post(visitor, "/ask/1", mode="reach_out", then="check")
    post(visitor, "/ask/check")
    stored = intake.db.requests.find_one({}) or {}
    return day(rules.answer_by(stored["sent_at"], DAYS, NEW_YORK), NEW_YORK, "en")


def about(intake: Service) -> dict[str, str]:
    submitted = published(intake, "request.submitted.v1")[0]
    return {"request_id": submitted.request_id, "supportee_id": submitted.supportee_id}


def test_after_the_day_that_was_said_the_page_says_that_it_has_passed(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor)
    post(visitor, "/ask/check")
    intake.db.requests.update_one({}, {"$set": {"mode": "reach_out", "sent_at": now() - timedelta(days=9)}})
    assert "and nobody has written yet" in visitor.get("/s").text
    intake.run(add_to_history, CoordinatorNeeded(**about(intake), version=1, reason="reach_out", reaching_out=True))
    html = visitor.get("/s").text
    assert heading(html) == "A person is still to write to you"
    assert "and nobody has written yet" in html
    assert "A person will write to you by" not in html


def test_whoever_asked_for_a_person_keeps_that_promise_on_top_of_suggestions(visitor: FlaskClient, intake: Service) -> None:
    by = asked_for_a_person(visitor, intake)
    assert f"Someone from the team writes to you by {by}" in visitor.get("/ask/sent").text
    intake.run(add_to_history, CoordinatorNeeded(**about(intake), version=1, reason="reach_out", reaching_out=True))
    assert heading(visitor.get("/s").text) == f"A person will write to you by {by}"
    intake.run(add_to_history, SuggestionsMade(**about(intake), version=2, practitioner_ids=("juniper", "kai")))
    html = visitor.get("/s").text
    assert heading(html) == f"A person will write to you by {by}"
    assert "If you would rather choose yourself" in html
    assert "Ask Juniper" in html
    assert "Let a coordinator write to me" not in html


def test_whoever_did_not_ask_for_a_person_sees_whom_they_could_meet_on_top(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor)
    post(visitor, "/ask/check")
    intake.run(add_to_history, SuggestionsMade(**about(intake), version=1, practitioner_ids=("juniper", "kai")))
    html = visitor.get("/s").text
    assert heading(html) == "Two people you could meet"
    assert "Let a coordinator write to me" in html


def test_waiting_for_somebody_is_told_without_a_word_of_scarcity(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    waits = RequestWaiting(**about(intake), version=1, waiting_for="place", practitioner_ids=("juniper",))
    intake.run(add_to_history, waits)
    html = visitor.get("/s").text
    assert "Juniper has no free place at this moment." in html
    assert "just before you" not in html


@pytest.mark.parametrize(
    ("typed", "goes_on_with"),
    [
        ({}, 1),
        ({1: {"mode": "suggest"}}, 2),
        ({1: {"mode": "suggest"}, 2: {"name": ""}}, 2),
        ({1: {"mode": "suggest"}, 2: {"name": "Wren"}, 3: {"words": "", "help": []}}, 3),
        ({1: {"mode": "suggest"}, 2: {"name": "Wren"}, 3: {"words": "", "help": []}, 4: {"reach": ["page"]}}, 5),
        ({number: {"x": "y"} for number in range(1, 8)}, None),
    ],
)
def test_who_comes_back_goes_on_where_they_stopped(typed: dict[int, dict[str, object]], goes_on_with: int | None) -> None:
    assert rules.question_to_go_on_with(typed) == goes_on_with


def test_saved_at_question_three_and_come_back_to_every_question_that_is_left(visitor: FlaskClient) -> None:
    post(visitor, "/ask/1", mode="suggest")
    post(visitor, "/ask/2", name="Wren")
    post(visitor, "/ask/3", words="company on hard mornings", go="save")
    words = code_words(visitor.get("/ask/saved").text)
    visitor.delete_cookie("draft")
    post(visitor, "/ask/return", code=words)
    place = visitor.get("/ask/go-on").headers["Location"]
    assert place == "/ask/4?back=1"
    assert "Welcome back. Your answers so far are here." in visitor.get(place).text
    seen = [place]
    for question, typed in ((4, {"reach": "page"}), (5, {}), (6, {}), (7, {})):
        seen.append(post(visitor, f"/ask/{question}", **typed).headers["Location"])
    assert seen == ["/ask/4?back=1", "/ask/5", "/ask/6", "/ask/7", "/ask/check"]


def test_every_page_of_the_form_says_what_leaving_forgets_and_leaving_does(visitor: FlaskClient) -> None:
    ask_for(visitor)
    assert all(LEAVE in visitor.get(f"/ask/{page}").text for page in (*range(1, 8), "check"))
    left = visitor.get("/leave")
    assert "cookies" in left.headers["Clear-Site-Data"]
    for name in ("draft", "__Host-draft"):
        visitor.delete_cookie(name)
    assert 'value="Wren"' not in visitor.get("/ask/2").text


def test_for_anyone_the_check_page_says_that_each_one_asked_reads_it(visitor: FlaskClient) -> None:
    ask_for(visitor)
    post(visitor, "/ask/1", mode="anyone", then="check")
    html = visitor.get("/ask/check").text
    assert "Each one who is asked" in html
    assert "After a no, the next one who is asked reads it too." in html


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_the_collective_holds_to_stands_on_the_page(visitor: FlaskClient, intake: Service, language: str) -> None:
    html = visitor.get(f"/expect?lang={language}").text
    written = intake.programme.words[language].commitments
    assert written.we_hold_to
    assert written.of_each_other
    assert all(line.replace("'", "&#39;") in html for line in (*written.we_hold_to, *written.of_each_other))


def test_coordinators_see_what_is_still_to_be_written_until_it_is(matching: Service, keys: Path) -> None:
    add_coordinator("Ro", "ro@example.org", into=matching)
    desk = signed_in(matching, keys, "coordinator", "ro@example.org")
    assert "6 texts of this site are still to be written" in desk.get("/c").text
    page = desk.get("/c/texts").text
    assert "words.en.promise, line 1" in page
    assert "TEXTO PROVISIONAL" in page
    shipped, matching.programme = matching.programme, programme_of_a_collective()
    try:
        assert "/c/texts" not in desk.get("/c").text
        assert "Every text is yours" in desk.get("/c/texts").text
    finally:
        matching.programme = shipped
    assert "words.en" not in make_matching_site(matching, keys).test_client().get("/c/texts").text


def test_a_day_is_said_no_earlier_than_it_is(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor, "juniper")
    post(visitor, "/ask/check")
    sent_at = (intake.db.requests.find_one({}) or {})["sent_at"]
    said = day(sent_at + timedelta(days=DAYS + 1), NEW_YORK, "en")
    assert f"You hear by {said} at the latest" in visitor.get("/ask/sent").text


def asked(intake: Service, if_not: AfterNo | None, version: int = 1) -> OfferMade:
    encrypted = EncryptedFields(person_id="juniper", wrap="", fields={})
    offer = {"offer_id": "o1", "request_id": about(intake)["request_id"], "practitioner_id": "juniper", "code": "A7"}
    return OfferMade(**offer, version=version, answer_by=now() + timedelta(days=DAYS), encrypted=encrypted, if_not=if_not)


@pytest.mark.parametrize(
    ("if_not", "line"),
    [
        ("next_choice", "If there is no answer by then, we ask the next person you chose."),
        ("ask_me", "If there is no answer by then, you say here what happens next."),
        ("suggest", "If there is no answer by then, we suggest someone else who is free."),
        (None, "If there is no answer by then, this page shows what happens next."),
    ],
)
def test_while_somebody_is_asked_the_page_says_what_follows_silence(
    visitor: FlaskClient, intake: Service, if_not: AfterNo | None, line: str
) -> None:
    ask_for(visitor, "juniper", "kai")
    post(visitor, "/ask/check")
    offer = asked(intake, if_not)
    intake.run(add_to_history, offer)
    html = visitor.get("/s").text
    assert f"Juniper has time to answer until {day(offer.answer_by, NEW_YORK, 'en')}." in html
    assert line in html


def test_whoever_would_meet_anyone_reads_that_someone_else_is_asked(visitor: FlaskClient, intake: Service) -> None:
    ask_for(visitor)
    post(visitor, "/ask/1", mode="anyone", then="check")
    post(visitor, "/ask/check")
    intake.run(add_to_history, asked(intake, "next_choice"))
    assert "If there is no answer by then, we ask someone else." in visitor.get("/s").text
    assert "you chose" not in visitor.get("/s").text


@pytest.mark.parametrize(
    ("then", "line"),
    [
        ("next_choice", "We are asking the next person."),
        ("suggest", "In a moment this page shows who else you could meet."),
        ("wait", "You keep your turn. When a place comes free, we ask for you and tell you."),
        ("person", "A coordinator will write to you about what is possible."),
    ],
)
def test_after_a_no_the_page_says_what_happens_now(visitor: FlaskClient, intake: Service, then: Next, line: str) -> None:
    ask_for(visitor, "juniper", "kai")
    post(visitor, "/ask/check")
    offer = asked(intake, "next_choice")
    intake.run(add_to_history, offer)
    no = {"offer_id": offer.offer_id, "request_id": offer.request_id, "practitioner_id": "juniper"}
    intake.run(add_to_history, OfferDeclined(**no, version=2, then=then))
    assert line in visitor.get("/s").text


def test_how_to_reach_somebody_goes_to_the_part_that_writes_and_to_nobody_who_reads(
    visitor: FlaskClient, intake: Service
) -> None:
    ask_for(visitor, "juniper", reach=["email", "text"], email="wren@example.org", phone="+1 202 555 0133")
    assert "You write to each other on this site." in visitor.get("/ask/check").text
    row = visitor.get("/expect").text.split("Your email address or phone number</th>")[1].split("</tr>")[0]
    assert re.findall(r">([^<>]+)</td>", row) == ["yes", "no: you write to each other on this site", "no", "nobody"]
    post(visitor, "/ask/check")
    for_practitioners = published(intake, "request.submitted.v1")[0].encrypted.fields
    assert {"name", "words"} <= set(for_practitioners)
    assert {"email", "phone", "email_address", "phone_number"}.isdisjoint(for_practitioners)
    assert {"email", "phone"} <= set(published(intake, "contact.shared.v1")[0].encrypted.fields)


def test_what_makes_a_practitioner_is_said_to_be_what_they_lived_and_then_what_they_learned(visitor: FlaskClient) -> None:
    html = visitor.get("/expect").text
    assert html.index("who have lived it themselves") < html.index("they learned together")
    spanish = visitor.get("/expect?lang=es").text
    assert spanish.index("pares que lo han vivido") < spanish.index("aprendieron cómo hacerlo")


@pytest.mark.parametrize(("whom", "ticked"), [("ana", "wait"), ("juniper", "ask_me")])
def test_wait_for_somebody_waits_for_them(visitor: FlaskClient, whom: str, ticked: str) -> None:
    link = re.search(rf'href="(/ask/1\?with={whom})"', visitor.get(f"/people/{whom}").text)
    assert link
    html = visitor.get(link[1]).text
    assert re.findall(r'name="if_not" value="(\w+)" checked', html) == [ticked]
    assert "Wait for Ana" in visitor.get("/people/ana").text
    assert "Wait for" not in visitor.get("/people/juniper").text


def test_without_lines_of_the_collective_no_line_is_promised(visitor: FlaskClient, intake: Service) -> None:
    shipped = intake.programme
    assert "These lines do:" in visitor.get("/").text
    intake.programme = replace(shipped, words={name: replace(words, lines=()) for name, words in shipped.words.items()})
    try:
        assert all("These lines do:" not in visitor.get(page).text for page in ("/", "/help"))
    finally:
        intake.programme = shipped


def test_a_phone_number_that_nobody_can_text_is_answered_with_the_programmes_own_countries(
    visitor: FlaskClient, intake: Service
) -> None:
    shipped = intake.programme
    ask_for(visitor)
    assert "Begin with + and the code of its country" in post(visitor, "/ask/4", reach="text", phone="12").text
    intake.programme = replace(shipped, text_countries=("US", "MX"))
    try:
        assert "We text numbers from United States and Mexico." in post(visitor, "/ask/4", reach="text", phone="12").text
        visitor.get("/ask/4?lang=es")
        assert "a números de Estados Unidos y México" in post(visitor, "/ask/4", reach="text", phone="+44 20 7946 0018").text
    finally:
        intake.programme = shipped


NOT_SAID = {
    "en": re.compile(r"\bletters?\b|\bfinal(ly)?\b|reads? hello@|\blets? .* off\b|\bonly matching\b|US number", re.I),
    "es": re.compile(
        r"\bcartas?\b|\bambas partes\b|antes del|\bremates\b|vigilia|\bpulsa|\bllenar\b|convence|^te fuiste|escritorio|"
        r"(?<!la )(?<!mesa de )\bcoordinación\b|\bespacio por ahora|contactamos con",
        re.I,
    ),
}


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_sentence_has_a_word_that_a_reader_found_wrong(language: str) -> None:
    with Path("shared/translations/es/LC_MESSAGES/messages.po").open("rb") as file:
        said = [text for m in read_po(file) if m.id for text in all_of(m.id if language == "en" else m.string)]
    assert len(said) > 700
    assert [text for text in said if NOT_SAID[language].search(text)] == []


def all_of(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
