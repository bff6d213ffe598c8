"""Every notification that is shipped, in every language, as its receiver gets it."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from services.notify import sms
from services.notify.domain import TEMPLATES
from services.notify.rendering import TEMPLATES_DIR, Brand, Recipient, greeting, render_email, render_sms
from shared.i18n import LANGUAGES
from shared.mime import write_mail
from tests.browser import a_browser
from tests.mailbox import words_of

BRAND = Brand("Kitchen Table", "Kitchen Table", "hello@kitchen-table.example", "https://ktable.example")
MOMENT = datetime(2026, 11, 26, 17, 0, tzinfo=UTC)
CONTEXT: dict[str, Any] = {"answer_by": MOMENT, "hear_by": MOMENT, "since": MOMENT, "ends_at": MOMENT, "code": "A7"}
More = dict[str, Any]
VARIANTS: dict[str, list[More]] = {
    "offer": [{}, {"asked_at": MOMENT}],
    "reminder": [{}, {"asked_at": MOMENT}],
    "offer_gone": [{}, {"asked_at": MOMENT}],
    "reach_out": [{}, {"since": MOMENT}],
    "not_this_time": [{"then": then} for then in ("next_choice", "ask_me", "suggest", "wait", "person")],
    "meeting_reminder": [{"starts_at": MOMENT}],
    "meetings_news": [
        {"change": change}
        for change in (
            "proposed",
            "take_back",
            "set",
            "skip",
            "keep",
            "move",
            "pause",
            "resume",
            "end",
            "place",
            "calls",
            "room_failed",
        )
    ],
    "please_call": [{"who": "Ana"}, {"who": ""}],
    "digest": [
        {"news": "note_for_you"},
        {"news": "agreement_news application_news meetings_ended meetings_go_on meetings_news note_for_you offer_gone"},
    ],
    "request_received": [{}, {"writes": "a person"}],
    "waiting": [{"waiting_for": "place"}, {"waiting_for": "choice"}],
    "still_waiting": [{"waits_for": "place"}, {"waits_for": "choice"}, {"waits_for": "coordinator"}],
}
RECEIVED_BY = {
    "practitioner": {
        "offer", "reminder", "offer_gone", "sign_in", "note_for_you",
        "application_received", "application_news", "application_ending", "digest", "please_call",
        "answer_yes", "answer_not_this_time", "answer_already_yes", "answer_already_not_this_time", "answer_too_late",
        "how_to_answer", "which_code",
    },
    "coordinator": {"reach_out", "sign_in", "please_call"},
}  # fmt: skip
FOR_ANYBODY = {
    "sign_in", "meetings_ended", "meetings_go_on", "meetings_news", "meeting_reminder", "agreement_news", "look_back",
    "not_understood", "too_many_codes", "texts_stopped", "texts_started", "help",
}  # fmt: skip
NOT_SAID = re.compile(
    r"patient|client|\bcase|service|provider|triage|screening|eligib|\brisk|diagnos|symptom|treatment|intervention|escalat|"
    r"supervisor|reject|den(y|ied)|terminat|unmatch|no-show|unresponsive|mentor|mentee|rating|score|only 1|ticket|mental|"
    r"suicid|crisis|therap|psych|\bill\b|illness|disab|grief|trauma|paciente|\bcaso|servicio|riesgo|diagn[oó]|s[ií]ntoma|"
    r"tratamiento|rechaz|terap|psic|enferm|discapac|duelo|salud|apoyo|supportee|practitioner",
    re.IGNORECASE,
)
ENGLISH = re.compile(r"\b(the|you|your|would|someone|there|nothing|reply|until)\b", re.IGNORECASE)


DIFFERENT_CLOSING = {
    "en": (
        "To say yes or no, open the address above. Questions? Reply to this email: a coordinator reads it.",
        "To say yes or no, use the button. Questions? Reply to this email: a coordinator reads it.",
    ),
    "es": (
        "Para decir sí o no, abre la dirección de arriba. ¿Preguntas? Responde a este correo: lo lee la coordinación.",
        "Para decir sí o no, usa el botón. ¿Preguntas? Responde a este correo: lo lee la coordinación.",
    ),
}  # fmt: skip
COLOR = "([where, what]) => getComputedStyle(document.querySelector(where))[what].match(/[0-9.]+/g).slice(0, 3).map(Number)"


def contrast(one: list[float], other: list[float]) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: list[float]) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def recipients_of(name: str) -> list[str]:
    roles = [role for role, names in RECEIVED_BY.items() if name in names]
    return ["supportee", "practitioner"] if name in FOR_ANYBODY else roles or ["supportee"]


def link_for(role: str, *, text: bool) -> str:
    if role == "supportee":
        return BRAND.public_url + ("/s" if text else "/s/in/" + "x" * 43)
    return BRAND.public_url + ("/o/k7QmX2RtZ9pLw4Hd" if text else "/o/" + "x" * 43)


EVERY = [
    (name, role, language, more)
    for name in TEMPLATES
    for role in recipients_of(name)
    for language in LANGUAGES
    for more in VARIANTS.get(name, [{}])
]
EVERY_EMAIL = [one for one in EVERY if "email" in TEMPLATES[one[0]].channels]


def a_text(name: str, role: str, language: str, more: More, **values: Any) -> str:
    link = link_for(role, text=True)
    return render_sms(name, {**CONTEXT, "link": link, **more, **values}, Recipient(language, "America/New_York", role), BRAND)


def an_email(name: str, role: str, language: str, more: More, known_as: str = "") -> Any:
    recipient = Recipient(language, "America/New_York", role, known_as)
    return render_email(name, {**CONTEXT, "link": link_for(role, text=False), **more}, recipient, BRAND)


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY)
def test_a_text_is_one_gsm_segment_and_says_nothing_of_anybody(name: str, role: str, language: str, more: More) -> None:
    text = a_text(name, role, language, more)
    assert len(BRAND.public_url) >= 20
    assert sms.is_gsm(text), [sign for sign in text if not sms.is_gsm(sign)]
    assert sms.gsm_length(text) <= 160, f"{sms.gsm_length(text)}: {text}"
    assert not NOT_SAID.search(text)
    assert all(link.startswith(BRAND.public_url) for link in re.findall(r"https?://\S+", text))


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY)
def test_no_weekday_in_any_month_costs_a_second_segment(name: str, role: str, language: str, more: More) -> None:
    days = [datetime(2026, month, day, 17, tzinfo=UTC) for month in range(1, 13) for day in range(20, 27)]
    assert len({(moment.month, moment.weekday()) for moment in days}) == 7 * 12
    for moment in days:
        text = a_text(
            name, role, language, more, **dict.fromkeys(("answer_by", "hear_by", "asked_at", "since", "ends_at"), moment)
        )
        assert sms.segments(text) == 1, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_says_the_day_without_what_would_take_it_out_of_its_alphabet(language: str) -> None:
    saturday = datetime(2026, 11, 28, 17, tzinfo=UTC)
    said = {"en": "By Sat 28 Nov:", "es": "Hasta sab 28 nov:"}
    assert said[language] in a_text("offer", "practitioner", language, {}, answer_by=saturday)


def test_no_spanish_text_or_email_says_before_where_it_means_by() -> None:
    for name, role, language, more in EVERY:
        if language == "es":
            said = a_text(name, role, language, more)
            said += an_email(name, role, language, more).text if "email" in TEMPLATES[name].channels else ""
            assert "antes del" not in said, said


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_EMAIL)
def test_a_email_is_neutral_short_and_has_one_action(name: str, role: str, language: str, more: More) -> None:
    email = an_email(name, role, language, more)
    assert not NOT_SAID.search(email.subject + email.text.replace(BRAND.public_url, ""))
    assert len(email.subject) <= 50
    assert len(email.text.split()) <= 80
    assert len(re.findall(r"https?://", email.text)) <= 1


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_EMAIL)
def test_the_html_is_the_shadow_of_the_text_and_loads_nothing(name: str, role: str, language: str, more: More) -> None:
    email = an_email(name, role, language, more)
    assert f'<html lang="{language}"' in email.html
    for part in ("<img", "<link", "<script", "url(", "@import"):
        assert part not in email.html
    said = unescape(email.html)
    for line in email.text.replace(DIFFERENT_CLOSING[language][0], DIFFERENT_CLOSING[language][1]).splitlines():
        assert line.removesuffix(":") in said
    assert email.html.count("<a class=") == email.text.count("https://")


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_EMAIL)
def test_an_email_has_its_subject_as_heading_and_its_first_sentence_as_preview(
    name: str, role: str, language: str, more: More
) -> None:
    email = an_email(name, role, language, more, known_as="Ana")
    [heading] = re.findall(r"<h1[^>]*>(.*?)</h1>", email.html)
    [preview] = re.findall(r'<div class="preview" style="display: none[^>]*>(.*?)</div>', email.html)
    greeting, first, *_ = email.text.split("\n\n")
    assert unescape(heading) == email.subject
    assert greeting in ("Hello Ana,", "Hola, Ana:")
    assert unescape(preview) == first


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_EMAIL)
def test_an_email_closes_with_who_reads_an_answer_and_who_wrote_it(name: str, role: str, language: str, more: More) -> None:
    closing = an_email(name, role, language, more).text.rstrip("\n").split("\n\n")[-1].splitlines()
    if role == "coordinator":
        assert closing == [{"en": "This email was sent by Kitchen Table.", "es": "Este correo lo envía Kitchen Table."}[language]]
    elif name in ("offer", "reminder"):
        assert closing == [DIFFERENT_CLOSING[language][0], "Kitchen Table"]
    else:
        reads = {
            "en": "You can reply to this email. A person reads it.",
            "es": "Puedes responder a este correo. Lo lee una persona.",
        }
        assert closing == [reads[language], "Kitchen Table"]


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_EMAIL)
def test_no_email_calls_itself_a_letter(name: str, role: str, language: str, more: More) -> None:
    email = an_email(name, role, language, more)
    assert not re.search(r"\bletter|\bcarta", email.subject + email.text, re.IGNORECASE)


def test_two_offers_are_not_two_identical_emails() -> None:
    first, second = (
        an_email("offer", "practitioner", "en", {"asked_at": MOMENT + timedelta(minutes=minutes)}).text for minutes in (0, 1)
    )
    assert "Their request came to you on Thursday 26 November, 12:00 PM." in first
    assert "Their request came to you on Thursday 26 November, 12:01 PM." in second


def test_colours_for_the_dark_and_for_few_colours_outweigh_what_was_inlined() -> None:
    """The inliner keeps the queries; a style attribute would win over what is in them."""
    html = an_email("offer", "practitioner", "en", {}).html
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert re.findall(r"@media \((.*?)\)", style) == ["prefers-color-scheme: dark", "forced-colors: active"]
    declarations = [one for one in re.findall(r"[^{};]+:[^{};]+(?=[;}])", style.replace("@media", "")) if "(" not in one]
    assert len(declarations) >= 10
    assert all(one.endswith("!important") for one in declarations)
    assert html.index("<meta charset") < 1024


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


def test_every_email_fits_the_narrowest_screen(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 800})
    for one in EVERY_EMAIL:
        page.set_content(an_email(*one, known_as="Ana María").html)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, one
    page.close()


@pytest.mark.parametrize("colors", ["light", "dark", "few"])
def test_an_email_can_be_read_in_light_in_the_dark_and_in_few_colours(browser: Browser, colors: str) -> None:
    seen = {}
    for scheme, forced in ((colors if colors != "few" else "light", "active" if colors == "few" else "none"), ("light", "none")):
        page = browser.new_page(color_scheme=scheme, forced_colors=forced)  # type: ignore[arg-type]
        page.set_content(an_email("offer", "practitioner", "es", {}, known_as="Ana María").html)
        pairs = (
            ("h1", ".sheet"),
            (".sheet p", ".sheet"),
            (".sheet .small a", ".sheet"),
            (".foot p", "body"),
            (".button", ".button"),
        )
        seen[scheme, forced] = [
            (page.evaluate(COLOR, [words, "color"]), page.evaluate(COLOR, [ground, "backgroundColor"])) for words, ground in pairs
        ]
        page.close()
    assert all(contrast(words, ground) >= 4.5 for found in seen.values() for words, ground in found)
    assert len(seen) == 1 or len({str(found[1:]) for found in seen.values()}) == 2


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY_EMAIL)
def test_an_email_is_read_as_it_was_rendered(name: str, role: str, language: str, more: More) -> None:
    email = an_email(name, role, language, more, known_as="Íñigo")
    content = write_mail({"Subject": email.subject}, email.text, email.html)
    mail = message_from_bytes(content, policy=default)
    assert isinstance(mail, EmailMessage)
    assert mail["Subject"] == email.subject
    assert [words_of(mail, kind).replace("\r\n", "\n") for kind in ("plain", "html")] == [email.text, email.html]
    assert max(map(len, content.split(b"\r\n"))) <= 76


@pytest.mark.parametrize(("name", "role", "language", "more"), EVERY)
def test_the_spanish_one_has_no_english_left(name: str, role: str, language: str, more: More) -> None:
    if language == "en":
        return
    words = a_text(name, role, language, more)
    if "email" in TEMPLATES[name].channels:
        email = an_email(name, role, language, more)
        words = f"{words} {email.subject} {email.text}"
    assert not ENGLISH.search(re.sub(r"https?://\S+", "", words)), words


def test_the_offer_text_says_all_that_is_needed_to_answer() -> None:
    assert a_text("offer", "practitioner", "en", {}) == (
        "Kitchen Table: someone would like to meet you. By Thu 26 Nov: https://ktable.example/o/k7QmX2RtZ9pLw4Hd"
        " or reply A7 1 yes, A7 2 not this time. STOP ends texts"
    )


def test_a_email_says_the_day_in_the_zone_and_language_of_its_reader() -> None:
    late = {"answer_by": datetime(2026, 11, 27, 3, 0, tzinfo=UTC), "code": "A7", "link": "https://kt.example/o/x"}
    there, here = Recipient("en", "America/New_York", "practitioner"), Recipient("es", "Europe/Madrid", "practitioner")
    assert "Answer by the end of Thursday 26 November, New York time." in render_email("offer", late, there, BRAND).text
    assert "Responde hasta el final del viernes 27 de noviembre, hora de Madrid." in render_email("offer", late, here, BRAND).text


def test_a_email_greets_by_the_name_that_the_person_chose() -> None:
    assert an_email("waiting", "supportee", "en", {"waiting_for": "place"}, known_as="Wren").text.startswith("Hello Wren,")


@pytest.mark.parametrize(
    "name",
    [
        "win at http://evil.example",
        "evil.example",
        "a@b",
        "x" * 41,
        "go/now",
        "<b>",
        "call 1-900-555-0000 now",
        "evil\u2024com",
        "evil\u3002com",
        "evil\uff0ecom",
        "Ana\u200bBo",
        "\u202eanA",
        "Ana!",
        "Ana, you won",
    ],
)
def test_a_name_that_could_lure_is_left_out(name: str) -> None:
    assert greeting(name) == ""


@pytest.mark.parametrize(
    "name", ["Wren", "Ana María", "O'Brien", "D’Arcy", "Anne-Lise", "Dr. Ana", "J. R.", "Ștefan", "नेहा", "王小明", "Zoe\u0308"]
)
def test_a_name_is_greeted_in_any_script(name: str) -> None:
    assert greeting(name) == unicodedata.normalize("NFKC", name)


def test_every_template_is_known_and_has_its_files() -> None:
    folders = {folder.name for folder in Path(TEMPLATES_DIR).iterdir() if folder.is_dir()}
    assert folders == set(TEMPLATES)
    for name, template in TEMPLATES.items():
        wanted = {"sms.txt"} | ({"subject.txt", "body.txt"} if "email" in template.channels else set())
        assert {file.name for file in (TEMPLATES_DIR / name).iterdir()} == wanted


def test_length_counts_signs_that_take_two_places_and_segments_that_carry_a_header() -> None:
    assert sms.gsm_length("€[]") == 6
    assert [sms.segments("a" * n) for n in (160, 161, 306, 307)] == [1, 2, 2, 3]
    assert [sms.segments("á" * n) for n in (70, 71, 134, 135)] == [1, 2, 2, 3]
