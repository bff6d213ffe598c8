"""One catalogue for pages and notifications, and dates as people write them."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, get_timezone_location
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = ("en", "es")
_ = str  # marks a sentence for the catalogue where no request is at hand


@cache
def catalogue(language: str) -> NullTranslations:
    return Translations.load(FOLDER, [language]) if language != "en" else NullTranslations()


@cache
def translator(language: str) -> Callable[..., str]:
    """From a sentence of the catalogue, and values for its placeholders, to the sentence in this language."""
    gettext = catalogue(language).gettext

    def sentence(words: str, **values: object) -> str:
        translated = gettext(words)
        return translated % values if values else translated

    return sentence


def supported(language: str | None) -> str:
    """The nearest language that there is a catalogue for: es-MX reads es, anything unknown reads the first."""
    base = (language or "").replace("_", "-").split("-")[0].lower()
    return base if base in LANGUAGES else LANGUAGES[0]


def day(moment: datetime, zone: str, language: str) -> str:
    """Thursday 26 November / jueves 26 de noviembre, in the reader's zone."""
    return _day(moment.astimezone(ZoneInfo(zone)).date(), language)


@lru_cache(maxsize=256)
def _day(local: date, language: str) -> str:
    pattern = "EEEE d 'de' MMMM" if language == "es" else "EEEE d MMMM"
    return format_date(local, pattern, locale=language)


def written_date(text: str, language: str) -> str:
    """1 November 2026 / 1 de noviembre de 2026, of a date as programme.toml has it; any other text as it stands."""
    try:
        moment = date.fromisoformat(text)
    except ValueError:
        return text
    return format_date(moment, "d 'de' MMMM 'de' y" if language == "es" else "d MMMM y", locale=language)


def short_day(moment: datetime, zone: str, language: str) -> str:
    """Thu 26 Nov / jue 26 nov: for texts, so without full stops."""
    return format_date(moment.astimezone(ZoneInfo(zone)), "EEE d MMM", locale=language).replace(".", "")


@lru_cache(maxsize=256)
def zone_city(zone: str, language: str) -> str:
    """New York / Nueva York: the place by which a time zone is called."""
    return get_timezone_location(ZoneInfo(zone), locale=language, return_city=True).rsplit("/", 1)[-1]


def time_of_day(moment: datetime, zone: str, language: str) -> str:
    return format_datetime(moment.astimezone(ZoneInfo(zone)), "HH:mm" if language == "es" else "h:mm a", locale=language)
