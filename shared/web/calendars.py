"""Dates for a calendar program: a file to download, and an address of its own that a program asks again and again."""

from collections.abc import Iterable
from datetime import timedelta

from flask import Response

from shared import calendars
from shared.calendars import Dates, Title
from shared.clock import now
from shared.i18n import _, translator
from shared.programme import Programme
from shared.vault import derive_key

FEED_LASTS = timedelta(days=730)
OFTEN = "60 per hour"
"""A calendar program asks some times a day."""
PURPOSE = "calendar"


def answer(all_dates: Iterable[Dates], programme: Programme, language: str) -> Response:
    """In the language of whose dates they are: a program that asks for them has none."""
    response = Response(
        calendars.as_ics(all_dates, _title(programme, language), now()), content_type="text/calendar; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="dates.ics"'
    return response


def token_of(secret: str, form_id: str) -> str:
    """The same for the same form, so that a page that is sent twice shows the address that works."""
    return derive_key(secret, f"calendar/{form_id}").hex()


def _title(programme: Programme, language: str) -> Title:
    """As the collective calls it; else what says nothing of what it is."""
    words = programme.words_in(language).calendar_title or translator(language)(_("Time set aside"))
    return Title(words=words, sender=programme.sender_name, write_to=programme.write_to)
