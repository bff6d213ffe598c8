"""How to reach people: email addresses, phone numbers, and the time zones by which local numbers are read."""

from collections.abc import Collection
from functools import cache
from zoneinfo import available_timezones

import phonenumbers
from babel import Locale
from babel.core import get_global
from babel.lists import format_list
from email_validator import EmailNotValidError, validate_email


def parse_email(typed: str) -> str:
    """The normalized address. Raises ValueError when it is none; whether it can receive mail is not asked."""
    try:
        return str(validate_email(typed.strip(), check_deliverability=False).normalized)
    except EmailNotValidError:
        raise ValueError("not an email address") from None


class CannotText(ValueError):
    """A number that costs whoever writes to it more than others, goes by satellite, or is in a country that is not texted."""


EXPENSIVE = (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST)
NO_COUNTRY = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY


def parse_phone(typed: str, time_zone: str, countries: Collection[str] = ()) -> str:
    """E.164. A number without a country code is read as in the country of `time_zone`. `countries`: those that are texted; none:
    all are. Raises CannotText; ValueError when it cannot be a number there, when it has an extension, or when the zone belongs to
    no one country and the code is missing."""
    try:
        number = phonenumbers.parse(typed, region_of(time_zone))
    except phonenumbers.NumberParseException:
        raise ValueError("not a phone number") from None
    if not phonenumbers.is_possible_number(number) or number.extension:
        raise ValueError("not a phone number")
    if not _may_be_texted(number, countries):
        raise CannotText("not a number to text")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _may_be_texted(number: phonenumbers.PhoneNumber, countries: Collection[str]) -> bool:
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    if NO_COUNTRY in regions or phonenumbers.number_type(number) in EXPENSIVE:
        return False
    known = phonenumbers.region_code_for_number(number)
    return not countries or not set(countries).isdisjoint([known] if known else regions)


def shown_number(number: str, language: str) -> str:
    """As its owner can check it: +1 551 234 5678 (United States)."""
    parsed = phonenumbers.parse(number)
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")
    country = phonenumbers.region_code_for_number(parsed)
    name = Locale(language).territories.get(country) if country else None
    return f"{written} ({name})" if name else written


def countries_in_words(codes: Collection[str], language: str) -> str:
    """México y Estados Unidos"""
    known = Locale(language).territories
    return format_list([known.get(code, code) for code in codes], locale=language)


def region_of(time_zone: str) -> str | None:
    """The country code (ISO 3166) of a time zone; None when it belongs to several or none (UTC)."""
    return zones().get(time_zone)


@cache
def zones() -> dict[str, str]:
    """Zone -> country code: those that belong to one country, without old names for the same place."""
    known = available_timezones()
    return {
        zone: country
        for zone, country in sorted(get_global("zone_territories").items())
        if country != "001" and "/" in zone and zone in known and not zone.startswith("Etc/")
    }


@cache
def zones_by_region() -> dict[str, list[tuple[str, str]]]:
    """Region -> (zone, city), for a list to choose from."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for zone in zones():
        region, city = zone.split("/", 1)
        regions.setdefault(region, []).append((zone, city.replace("_", " ").replace("/", ", ")))
    return regions
