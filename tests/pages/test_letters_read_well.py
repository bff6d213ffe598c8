"""Every letter that is shipped, in every language, as its receiver gets it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notify import gsm
from services.notify.letters import FOLDER, House, Reader, greeting, write_letter, write_text
from services.notify.rules import KINDS
from shared.i18n import LANGUAGES

HOUSE = House("Kitchen Table", "Kitchen Table", "hello@kitchen-table.example", "https://ktable.example")
MOMENT = datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
FACTS: dict[str, Any] = {"answer_by": MOMENT, "hear_by": MOMENT, "code": "A7"}
VARIANTS: dict[str, list[dict[str, str]]] = {
    "not_this_time": [{"then": then} for then in ("next_choice", "ask_me", "suggest", "wait", "person")],
    "waiting": [{"waiting_for": "place"}, {"waiting_for": "choice"}],
}
RECEIVED_BY = {
    "practitioner": {
        "offer", "nudge", "offer_gone", "sign_in", "note_for_you",
        "answer_noted", "answer_already_yes", "answer_already_not_this_time", "answer_too_late",
    },
    "coordinator": {"reach_out", "sign_in"},
}  # fmt: skip
BY_ANYBODY = {"sign_in", "not_understood", "texts_stopped", "texts_started", "help"}
SAID_OF_NOBODY = re.compile(
    r"patient|client|\bcase|service|provider|triage|screening|eligib|\brisk|diagnos|symptom|treatment|intervention|escalat|"
    r"supervisor|reject|den(y|ied)|terminat|unmatch|no-show|unresponsive|mentor|mentee|rating|score|only 1|ticket|mental|"
    r"suicid|crisis|therap|psych|\bill\b|illness|disab|grief|trauma|paciente|\bcaso|servicio|riesgo|diagn[oó]|s[ií]ntoma|"
    r"tratamiento|rechaz|terap|psic|enferm|discapac|duelo|salud|apoyo|supportee|practitioner",
    re.IGNORECASE,
)
ENGLISH = re.compile(r"\b(the|you|your|would|someone|there|nothing|reply|until)\b", re.IGNORECASE)


def readers_of(name: str) -> list[str]:
    roles = [role for role, names in RECEIVED_BY.items() if name in names]
    return ["supportee", "practitioner"] if name in BY_ANYBODY else roles or ["supportee"]


def link_for(role: str, *, text: bool) -> str:
    if role == "supportee":
        return HOUSE.public_url + ("/s" if text else "/s/in/" + "x" * 43)
    return HOUSE.public_url + ("/o/k7QmX2RtZ9pLw4Hd" if text else "/o/" + "x" * 43)


EVERY = [
    (name, role, language, more)
    for name in KINDS
    for role in readers_of(name)
    for language in LANGUAGES
    for more in VARIANTS.get(name, [{}])
]
EVERY_MAIL = [one for one in EVERY if "email" in KINDS[one[0]].by]


def a_text(name: str, role: str, language: str, more: dict[str, str], **facts: Any) -> str:
    link = link_for(role, text=True)
    return write_text(name, {**FACTS, "link": link, **more, **facts}, Reader(language, "America/New_York", role), HOUSE)


def a_letter(name: str, role: str, language: str, more: dict[str, str], known_as: str = "") -> Any:
    reader = Reader(language, "America/New_York", role, known_as)
    return write_letter(name, {**FACTS, "link": link_for(role, text=False), **more}, reader, HOUSE)


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY)
def test_a_text_is_one_gsm_segment_and_says_nothing_of_anybody(name: str, role: str, language: str, more: dict[str, str]) -> None:
    said = a_text(name, role, language, more)
    assert len(HOUSE.public_url) >= 20
    assert gsm.is_gsm(said), [sign for sign in said if not gsm.is_gsm(sign)]
    assert gsm.length(said) <= 160, f"{gsm.length(said)}: {said}"
    assert not SAID_OF_NOBODY.search(said)
    assert all(link.startswith(HOUSE.public_url) for link in re.findall(r"https?://\S+", said))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_day_of_the_year_takes_a_text_out_of_its_alphabet(language: str) -> None:
    for day in range(366):
        said = a_text("offer", "practitioner", language, {}, answer_by=MOMENT + timedelta(days=day))
        assert gsm.segments(said) == 1, said


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_MAIL)
def test_a_letter_is_neutral_short_and_has_one_action(name: str, role: str, language: str, more: dict[str, str]) -> None:
    letter = a_letter(name, role, language, more)
    assert not SAID_OF_NOBODY.search(letter.subject + letter.text.replace(HOUSE.public_url, ""))
    assert len(letter.subject) <= 50
    assert len(letter.text.split()) <= 80
    assert len(re.findall(r"https?://", letter.text)) <= 1


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_MAIL)
def test_the_html_is_the_shadow_of_the_text_and_loads_nothing(name: str, role: str, language: str, more: dict[str, str]) -> None:
    letter = a_letter(name, role, language, more)
    assert f'<html lang="{language}"' in letter.html
    for part in ("<img", "<link", "<script", "<style", "url(", "@import"):
        assert part not in letter.html
    for word in re.findall(r"\w{4,}", letter.text):
        assert word in letter.html
    assert letter.html.count("<a class=") == letter.text.count("https://")


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY)
def test_the_spanish_one_has_no_english_left(name: str, role: str, language: str, more: dict[str, str]) -> None:
    if language == "en":
        return
    words = a_text(name, role, language, more)
    if "email" in KINDS[name].by:
        letter = a_letter(name, role, language, more)
        words = f"{words} {letter.subject} {letter.text}"
    assert not ENGLISH.search(re.sub(r"https?://\S+", "", words)), words


def test_the_offer_text_says_all_that_is_needed_to_answer() -> None:
    assert a_text("offer", "practitioner", "en", {}) == (
        "Kitchen Table: someone would like to meet you. By Thu 26 Nov: https://ktable.example/o/k7QmX2RtZ9pLw4Hd"
        " or reply A7 1 yes, A7 2 not this time. STOP ends texts"
    )


def test_a_letter_says_the_day_in_the_zone_and_language_of_its_reader() -> None:
    late = {"answer_by": datetime(2026, 11, 27, 3, 0, tzinfo=UTC), "code": "A7", "link": "https://kt.example/o/x"}
    assert (
        "Thursday 26 November, 10:00 PM"
        in write_letter("offer", late, Reader("en", "America/New_York", "practitioner"), HOUSE).text
    )
    assert (
        "viernes 27 de noviembre, 04:00" in write_letter("offer", late, Reader("es", "Europe/Madrid", "practitioner"), HOUSE).text
    )


def test_a_letter_greets_by_the_name_that_the_person_chose() -> None:
    assert a_letter("waiting", "supportee", "en", {"waiting_for": "place"}, known_as="Wren").text.startswith("Hello Wren,")


@pytest.mark.parametrize("name", ["win at http://evil.example", "evil.example", "a@b", "x" * 41, "go/now", "<b>"])
def test_a_name_that_could_lure_is_left_out(name: str) -> None:
    assert greeting(name) == ""


def test_every_letter_has_its_templates_and_every_template_its_letter() -> None:
    folders = {folder.name for folder in Path(FOLDER).iterdir() if folder.is_dir()}
    assert folders == set(KINDS)
    for name, kind in KINDS.items():
        wanted = {"sms.txt"} | ({"subject.txt", "body.txt"} if "email" in kind.by else set())
        assert {file.name for file in (FOLDER / name).iterdir()} == wanted


def test_length_counts_signs_that_take_two_places_and_segments_that_carry_a_header() -> None:
    assert gsm.length("€[]") == 6
    assert [gsm.segments("a" * n) for n in (160, 161, 306, 307)] == [1, 2, 2, 3]
    assert [gsm.segments("á" * n) for n in (70, 71, 134, 135)] == [1, 2, 2, 3]
