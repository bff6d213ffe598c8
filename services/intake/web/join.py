"""/join: six questions to whoever would like to become a practitioner, after what it asks of them."""

from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from services.intake.forms import JoinForm
from services.intake.handlers import service
from services.intake.handlers.join import Apply, apply
from shared.clock import now
from shared.programme import opens_on
from shared.web.forms import Errors, read
from shared.web.limits import limiter
from shared.web.locale import language
from shared.web.views import redirect_after_post, render, run_form

join = Blueprint("join", __name__)


@join.get("/join")
def show() -> Response:
    return _show()


@join.post("/join")
@limiter.limit("10 per 10 minutes")
def send() -> Response:
    if _closed_until():
        return redirect_after_post("/join")
    typed, errors = read(JoinForm(), request.form)
    if errors:
        return _show(errors)
    run_form(service, apply, Apply(**{**typed, "languages": tuple(typed["languages"])}, language=language()))
    return redirect_after_post("/join/sent")


@join.get("/join/sent")
def sent() -> Response:
    return render("join_sent.html")


def _show(errors: Errors | None = None) -> Response:
    steps = [step.words_in(language()) for step in service.programme.welcome]
    return render("join.html", errors, typed=request.form, steps=steps, opens_on=_closed_until())


def _closed_until() -> date | None:
    day = opens_on(service.programme)
    today = now().astimezone(ZoneInfo(service.programme.time_zone)).date()
    return day if day and day > today else None
