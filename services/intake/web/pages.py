"""The pages that need no answer: welcome, what to expect, what we keep, a person to reach, comfort, and the way out."""

from flask import Blueprint, Response, request

from services.intake.handlers import service
from services.intake.rules import answer_by
from services.intake.web.here import everyone, page, see
from shared.clock import now
from shared.web import comfort

pages = Blueprint("pages", __name__)
CLEARED = '"cookies", "storage"'


@pages.get("/")
def welcome() -> Response:
    everybody = everyone().values()
    open_now = sum(entry.state == "open" for entry in everybody)
    return page("welcome.html", open_now=open_now, by=answer_by(now(), service.programme.answer_days))


@pages.get("/expect")
def expect() -> Response:
    return page("expect.html")


@pages.get("/keep")
def keep() -> Response:
    return page("keep.html")


@pages.get("/help")
def help_by_a_person() -> Response:
    return page("help.html")


@pages.get("/comfort")
def show_comfort() -> Response:
    return page("comfort.html", chosen=comfort.current(), choices=comfort.CHOICES, saved="saved" in request.args)


@pages.post("/comfort")
def keep_comfort() -> Response:
    return comfort.remember(see("/comfort?saved=1"), request.form.to_dict())


@pages.get("/leave")
def leave() -> Response:
    """Only the browser forgets; nothing of ours changes. Saved answers stay reachable by code words."""
    answer = see("/away")
    answer.headers.update({"Clear-Site-Data": CLEARED, "Cache-Control": "no-store"})
    return answer


@pages.get("/away")
def away() -> Response:
    return page("away.html")
