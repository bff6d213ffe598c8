"""A practitioner's dates, of everybody whom they meet, in a calendar program: a file, and a private address."""

from flask import Blueprint, Response

from services.matching.handlers import reading, service
from services.matching.handlers.calendar import MakeFeed, has_feed, make_feed, stop_feed
from services.matching.web.auth import require_role
from services.matching.web.helpers import run
from shared import tokens
from shared.clock import now
from shared.web import calendars
from shared.web.errors import error_page
from shared.web.limits import limiter
from shared.web.views import form_id, redirect_after_post, render

calendar = Blueprint("calendar", __name__)


@calendar.get("/me/calendar")
def show_calendar() -> Response:
    return _page(require_role("practitioner"))


@calendar.get("/me/calendar.ics")
def download() -> Response:
    return _answer(require_role("practitioner"))


@calendar.post("/me/calendar")
def make_address() -> Response:
    """Shown this once: only its digest is kept."""
    person_id = require_role("practitioner")
    token = calendars.token_of(service.vault.secret, form_id())
    run(make_feed, MakeFeed(person_id, token, now() + calendars.FEED_LASTS), "practitioner", person_id)
    return _page(person_id, f"{service.public_url}/me/cal/{token}.ics")


@calendar.post("/me/calendar/stop")
def stop_address() -> Response:
    person_id = require_role("practitioner")
    run(stop_feed, person_id, "practitioner", person_id)
    return redirect_after_post("/me/calendar")


@calendar.get("/me/cal/<token>.ics")
@limiter.limit(calendars.OFTEN)
def feed(token: str) -> Response:
    link = tokens.find(service.db, token, calendars.PURPOSE)
    return _answer(link.person_id) if link else error_page(410)


def _answer(practitioner_id: str) -> Response:
    practitioner = reading.find_practitioner(practitioner_id, service.db)
    if practitioner is None:
        return error_page(410)
    return calendars.answer(reading.dates_of(practitioner_id, service.db), service.programme, practitioner.language)


def _page(person_id: str, address: str = "") -> Response:
    return render("my_calendar.html", address=address, running=has_feed(person_id, service.db))
