"""Signing in to /me and /c: an email with a link, a page with a button, a session. The answer is the same for every address."""

from datetime import timedelta
from typing import TypedDict

from flask import Blueprint, Response, abort, request

from services.matching import forms
from services.matching.handlers import service
from services.matching.handlers.sign_in import START_PAGES, RequestSignIn, purpose_of, send_sign_in_link, use_sign_in_link
from shared import tokens
from shared.contracts import TeamRole
from shared.sessions import new_session
from shared.web import kept, sessions
from shared.web.errors import error_page
from shared.web.forms import read
from shared.web.kept import kept_as_typed
from shared.web.limits import limit_failures, limiter
from shared.web.views import redirect_after_post, render


class Lifetime(TypedDict):
    lasts: timedelta
    idle: timedelta | None


auth = Blueprint("auth", __name__)
ROLES: dict[str, TeamRole] = {"me": "practitioner", "c": "coordinator"}
SESSIONS: dict[TeamRole, Lifetime] = {
    "practitioner": {"lasts": timedelta(days=30), "idle": None},
    "coordinator": {"lasts": timedelta(hours=12), "idle": timedelta(minutes=15)},
}


def login_page(role: TeamRole, errors: dict[str, str] | None = None) -> Response:
    return render("sign_in.html", errors, start_page=START_PAGES[role], role=role, typed=request.form)


@auth.post("/<any(me, c):start_page>/sign-in")
@limiter.limit("10 per 10 minutes")
def request_link(start_page: str) -> Response:
    role = ROLES[start_page]
    typed, errors = read(forms.SignInForm(), request.form)
    if errors:
        return login_page(role, errors)
    service.run(send_sign_in_link, RequestSignIn(role=role, **typed))
    return redirect_after_post(f"/{start_page}/sent")


@auth.get("/<any(me, c):start_page>/sent")
def link_was_sent(start_page: str) -> Response:
    return render("sign_in_sent.html", start_page=start_page)


@auth.get("/<any(me, c):start_page>/in/<token>")
@limit_failures("60 per 10 minutes")
def show_link(start_page: str, token: str) -> Response:
    return render("sign_in_link.html") if _person_of(start_page, token) else error_page(410)


@auth.post("/<any(me, c):start_page>/in/<token>")
@limit_failures("60 per 10 minutes")
def sign_in(start_page: str, token: str) -> Response:
    person_id = _person_of(start_page, token)
    if person_id is None:
        return error_page(410)
    service.run(use_sign_in_link, token)
    role = ROLES[start_page]
    return sessions.begin(redirect_after_post(f"/{start_page}"), service.db, new_session(role, person_id, **SESSIONS[role]))


@auth.post("/<any(me, c):start_page>/sign-out")
def sign_out(start_page: str) -> Response:
    return sessions.end(redirect_after_post(f"/{start_page}"), service.db, ROLES[start_page])


def current_person(role: TeamRole) -> str | None:
    session = sessions.current(service.db, role)
    return session.person_id if session else None


def require_role(role: TeamRole) -> str:
    """The id of the person signed in; answers with the way to the login page otherwise."""
    person_id = current_person(role)
    if person_id is None:
        abort(kept_as_typed(kept.SIGNED_OUT, lambda: redirect_after_post(f"/{START_PAGES[role]}")))
    return person_id


def _person_of(start_page: str, token: str) -> str | None:
    link = tokens.find(service.db, token, purpose_of(ROLES[start_page]))
    return link.person_id if link else None
