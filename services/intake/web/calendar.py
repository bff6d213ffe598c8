"""The supportee's dates in a calendar program of theirs: a file, and a private address that they can stop."""

from flask import Blueprint, Response

from services.intake import store
from services.intake.domain import Meetings, Request
from services.intake.handlers import service
from services.intake.handlers.calendar import MakeFeed, make_feed, stop_feed
from services.intake.web.status import current_request, status_page
from shared import tokens
from shared.calendars import Dates
from shared.clock import now
from shared.web import calendars
from shared.web.errors import error_page
from shared.web.limits import limiter
from shared.web.views import form_id, redirect_after_post, run_form

calendar = Blueprint("calendar", __name__)


@calendar.get("/s/calendar")
def show_calendar() -> Response:
    sent, _ = current_request()
    return _page(sent) if sent and not sent.ended_at else redirect_after_post("/s")


@calendar.get("/s/calendar.ics")
def download() -> Response:
    sent, _ = current_request()
    return calendars.answer(_dates(sent), service.programme, sent.language) if sent and not sent.ended_at else error_page(404)


@calendar.post("/s/calendar")
@limiter.limit("20 per 10 minutes")
def make_address() -> Response:
    """Shown this once: only its digest is kept."""
    sent, _ = current_request()
    if sent is None or sent.ended_at:
        return redirect_after_post("/s")
    token = calendars.token_of(service.vault.secret, form_id())
    run_form(service, make_feed, MakeFeed(sent.id, sent.person_id, tokens.digest(token), now() + calendars.FEED_LASTS), sent.id)
    return _page(sent, f"{service.public_url}/cal/{token}.ics")


@calendar.post("/s/calendar/stop")
@limiter.limit("20 per 10 minutes")
def stop_address() -> Response:
    sent, _ = current_request()
    if sent:
        run_form(service, stop_feed, sent.person_id, sent.id)
    return redirect_after_post("/s/calendar")


@calendar.get("/cal/<token>.ics")
@limiter.limit(calendars.OFTEN)
def feed(token: str) -> Response:
    link = tokens.find(service.db, token, calendars.PURPOSE)
    sent = store.request(service.db, link.subject_id) if link else None
    return calendars.answer(_dates(sent), service.programme, sent.language) if sent else error_page(410)


def _page(sent: Request, address: str = "") -> Response:
    running = store.has_feed(service.db, sent.person_id)
    return status_page("status/calendar.html", sent, address=address, running=running)


def _dates(sent: Request) -> list[Dates]:
    return [_of(each) for each in store.all_meetings(service.db, sent.id)]


def _of(each: Meetings) -> Dates:
    cancelled_from = each.ended_at or (now() if each.on_hold else None)
    return Dates(series=each.series, former=each.former, version=each.version, cancelled_from=cancelled_from)
