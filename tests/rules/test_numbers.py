"""Which numbers are texted, how they are read, and how their owner sees them before sending."""

from pathlib import Path

import pytest

from services.intake import forms
from services.intake.domain import TypedAnswers
from services.matching.people import check
from shared.i18n import translator
from shared.people import CannotText, parse_phone, shown_number
from shared.programme import read_programme
from shared.web.forms import CANNOT_TEXT, CANNOT_TEXT_FROM, PHONE, PHONE_FROM, in_words

NEW_YORK, MEXICO = "America/New_York", "America/Mexico_City"


@pytest.mark.parametrize(
    "number",
    [
        "+979 123 456 789",  # premium, international
        "+883 512 345 678",  # international network
        "+8816 1234 5678",  # satellite
        "+870 123 456 789",  # satellite
        "+1 900 555 0000",  # premium, US
        "+44 871 234 5678",  # premium or shared cost, UK
        "+49 180 1234567",  # shared cost, Germany
        "+371 90 123 456",  # premium, Latvia
    ],
)
def test_premium_shared_cost_and_satellite_numbers_are_refused(number: str) -> None:
    with pytest.raises(CannotText):
        parse_phone(number, NEW_YORK)


@pytest.mark.parametrize("number", ["202.555.0133 ext 5", "12", "not a number", ""])
def test_what_cannot_be_texted_at_all_is_no_number(number: str) -> None:
    with pytest.raises(ValueError, match="not a phone number"):
        parse_phone(number, NEW_YORK)


@pytest.mark.parametrize("number", ["+52 55 1234 5678", "+34 612 345 678", "+1 202 555 0133", "+252 61 234 567"])
def test_every_country_is_texted_unless_the_programme_names_some(number: str) -> None:
    assert parse_phone(number, NEW_YORK)


def test_a_programme_may_name_the_countries_that_it_texts() -> None:
    assert parse_phone("+52 55 1234 5678", NEW_YORK, ("US", "MX"))
    assert parse_phone("(202) 555-0133", NEW_YORK, ("US", "MX"))
    for elsewhere in ("+252 61 234 567", "+1 416 555 0133"):  # Somalia; Canada, which shares +1
        with pytest.raises(CannotText):
            parse_phone(elsewhere, NEW_YORK, ("US", "MX"))


def test_an_unknown_country_stops_the_start(tmp_path: Path) -> None:
    file, shipped = tmp_path / "programme.toml", Path("deploy/programme.toml").read_text()
    file.write_text(shipped.replace("text_countries = []", 'text_countries = ["US", "XX"]'))
    with pytest.raises(SystemExit, match="XX"):
        read_programme(file)


def test_its_owner_sees_the_country_in_their_language() -> None:
    assert shown_number("+15512345678", "en") == "+1 551 234 5678 (United States)"
    assert shown_number("+15512345678", "es") == "+1 551 234 5678 (Estados Unidos)"
    assert shown_number(parse_phone("55 1234 5678", MEXICO), "es") == "+52 55 1234 5678 (México)"
    assert shown_number("+12025550133", "en").endswith("(United States)")


def test_a_supportee_reads_kindly_that_it_cannot_be_texted() -> None:
    typed = {"reach": ["text"], "phone": "+1 900 555 0000"}
    assert read_phone(typed) == {"phone": CANNOT_TEXT}
    assert read_phone({**typed, "phone": "12"}) == {"phone": PHONE}
    there = {**typed, "phone": "+252 61 234 567"}
    assert read_phone(there) == {}


def test_where_only_some_countries_are_texted_the_error_names_them_in_the_language_of_the_page() -> None:
    typed = {"reach": ["text"], "phone": "12"}
    wrong, elsewhere = read_phone(typed, "US", "MX"), read_phone({**typed, "phone": "+252 61 234 567"}, "US", "MX")
    assert in_words(wrong["phone"], str, "en", ("US", "MX")) == (
        "Check the phone number. We text numbers from United States and Mexico. Begin with + and the code of the country"
    )
    says = in_words(elsewhere["phone"], translator("es"), "es", ("US", "MX"))
    assert says.startswith("Enviamos mensajes a números de Estados Unidos y México, y a este no.")


def test_no_error_takes_one_country_for_everybody_s() -> None:
    assert "US" not in " ".join((PHONE, PHONE_FROM, CANNOT_TEXT, CANNOT_TEXT_FROM))


def read_phone(typed: TypedAnswers, *countries: str) -> dict[str, str]:
    return forms.read(4, typed, NEW_YORK, countries)[1]


def test_an_imported_practitioners_number_is_read_where_they_are_and_checked_alike() -> None:
    row = {"name": "Ana", "email": "ana@example.org", "phone": "55 1234 5678", "time_zone": MEXICO}
    profiles, problems = check([row], NEW_YORK)
    assert problems == []
    assert profiles[0].phone == "+525512345678"
    _, problems = check([row], NEW_YORK, ("US",))
    assert [(number, column) for number, column, _ in problems] == [(2, "phone")]
    _, problems = check([{**row, "phone": "+8816 1234 5678"}], NEW_YORK)
    assert [column for _, column, _ in problems] == ["phone"]
