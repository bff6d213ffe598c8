"""The doors of /me and /c: a letter with a link, a page with a button, a session. The answer is the same for every address."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, request

from services.matching import forms
from services.matching.handlers import service
from services.matching.handlers.signing_in import PAGES, SignInWish, Who, purpose_of, send_sign_in_link, use_sign_in_link
from services.matching.web.here import page, see
from shared import tokens
from shared.web import sessions
from shared.web.errors import error_page
from shared.web.limits import limiter

doors = Blueprint("doors", __name__)
ROLES: dict[str, Who] = {"me": "practitioner", "c": "coordinator"}
LASTS: dict[Who, dict[str, Any]] = {
    "practitioner": {"lasts": timedelta(days=30)},
    "coordinator": {"lasts": timedelta(hours=12), "idle": timedelta(minutes=15)},
}


def at_the_door(role: Who, errors: dict[str, str] | None = None) -> Response:
    return page("sign_in.html", errors, door=PAGES[role], role=role, typed=request.form)


@doors.post("/<any(me, c):door>/sign-in")
@limiter.limit("10 per 10 minutes")
def ask_for_a_link(door: str) -> Response:
    wish, errors = forms.read(forms.SignInForm(), request.form)
    if errors:
        return at_the_door(ROLES[door], errors)
    service.run(send_sign_in_link, SignInWish(role=ROLES[door], **wish))
    return see(f"/{door}/sent")


@doors.get("/<any(me, c):door>/sent")
def link_is_on_its_way(door: str) -> Response:
    return page("sign_in_sent.html", door=door)


@doors.get("/<any(me, c):door>/in/<token>")
def the_link(door: str, token: str) -> Response:
    return page("sign_in_link.html") if _person(door, token) else error_page(410)


@doors.post("/<any(me, c):door>/in/<token>")
def sign_in(door: str, token: str) -> Response:
    person_id = _person(door, token)
    if person_id is None:
        return error_page(410)
    service.run(use_sign_in_link, token)
    role = ROLES[door]
    return sessions.begin(see(f"/{door}"), service.db, role, person_id, **LASTS[role])


@doors.post("/<any(me, c):door>/sign-out")
def sign_out(door: str) -> Response:
    return sessions.end(see(f"/{door}"), service.db, ROLES[door])


def who_is_here(role: Who) -> str | None:
    held = sessions.current(service.db, role)
    return held.person_id if held else None


def must_be(role: Who) -> str:
    """The person signed in, or their door."""
    person_id = who_is_here(role)
    if person_id is None:
        abort(see(f"/{PAGES[role]}"))
    return person_id


def _person(door: str, token: str) -> str | None:
    link = tokens.find(service.db, token, purpose_of(ROLES[door]))
    return link.person_id if link else None
