"""The pages that need no answer: welcome, what to expect, what we keep, a person to reach, display, and the way out."""

from flask import Blueprint, Response, request

from services.intake.handlers import service
from services.intake.lifetimes import ENDS_AFTER
from services.intake.rules import latest_answer_by
from services.intake.web.helpers import listing
from shared.clock import now
from shared.web import display_preferences
from shared.web.views import redirect_after_post, render

pages = Blueprint("pages", __name__)
CLEARED = '"cookies", "storage"'


@pages.get("/")
def welcome() -> Response:
    by = latest_answer_by(now(), service.programme.answer_days)
    return render("welcome.html", open_now=bool(listing().open_now), by=by)


@pages.get("/expect")
def expect() -> Response:
    return render("expect.html")


@pages.get("/keep")
def keep() -> Response:
    return render("keep.html", silent_days=ENDS_AFTER.days)


@pages.get("/help")
def help_by_a_person() -> Response:
    return render("help.html")


@pages.get("/comfort")
def show_display_preferences() -> Response:
    return render("display_preferences.html", chosen=display_preferences.current(), saved="saved" in request.args)


@pages.post("/comfort")
def save_display_preferences() -> Response:
    return display_preferences.set_preferences(redirect_after_post("/comfort?saved=1"), request.form.to_dict())


@pages.get("/leave")
def leave() -> Response:
    """Only the browser forgets; nothing of ours changes. Saved answers stay reachable by code words."""
    response = redirect_after_post("/away")
    response.headers.update({"Clear-Site-Data": CLEARED, "Cache-Control": "no-store"})
    return response


@pages.get("/away")
def away() -> Response:
    return render("away.html")
