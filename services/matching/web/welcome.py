"""On the way to become a practitioner: the applicant's page at /me, and /c/welcome. Both see the same list of steps."""

from dataclasses import dataclass

from flask import Blueprint, Response, request

from services.matching import forms
from services.matching.domain import Application, Said
from services.matching.handlers import reading, service, welcome
from services.matching.handlers.welcome import SayYes, Talk, WriteAboutIt
from services.matching.web.auth import require_role
from services.matching.web.helpers import run
from shared.web.errors import error_page
from shared.web.forms import Errors, read
from shared.web.locale import language
from shared.web.views import redirect_after_post, render
from shared.welcome import WelcomeStep

way = Blueprint("welcome", __name__)


@dataclass(frozen=True, kw_only=True)
class StepView:
    """`state`: as the macro `steps` has it. `said`: how many yeses there are. `may`: whoever looks may say theirs."""

    key: str
    words: str
    who: str
    state: str
    said: int
    may: bool


def applicants_page(person_id: str, errors: Errors | None = None) -> Response | None:
    """None: they are not on the way."""
    application = reading.find_application(person_id, service.db)
    return _show(application, None, errors) if application else None


@way.post("/me/application/yes/<step>")
def say_yes_as_applicant(step: str) -> Response:
    id = require_role("practitioner")
    run(welcome.say_yes, SayYes(application_id=id, step=step), "practitioner", id)
    return redirect_after_post("/me?done=said_yes")


@way.post("/me/application/<any(write, take_back, begin):act>")
def act_as_applicant(act: str) -> Response:
    id = require_role("practitioner")
    if reading.find_application(id, service.db) is None:
        return error_page(410)
    if act == "write":
        return _write(id, None)
    if act == "begin":
        run(welcome.begin, id, "practitioner", id)
        return redirect_after_post("/me?done=begun")
    run(welcome.take_back, id, "practitioner", id)
    return redirect_after_post("/me?done=taken_back")


@way.get("/c/welcome")
def show_list() -> Response:
    require_role("coordinator")
    return render("applications.html", entries=reading.list_applications(service.db))


@way.get("/c/welcome/<application_id>")
def show_one(application_id: str) -> Response:
    you = require_role("coordinator")
    application = reading.find_application(application_id, service.db)
    return _show(application, you) if application else error_page(404)


@way.post("/c/welcome/<application_id>/yes/<step>")
def say_yes_as_coordinator(application_id: str, step: str) -> Response:
    you = require_role("coordinator")
    run(welcome.say_yes, SayYes(application_id=application_id, step=step, coordinator_id=you), "coordinator", you)
    return redirect_after_post(f"/c/welcome/{application_id}?done=said_yes")


@way.post("/c/welcome/<application_id>/<any(talk, write, not_now):act>")
def act_as_coordinator(application_id: str, act: str) -> Response:
    you = require_role("coordinator")
    if reading.find_application(application_id, service.db) is None:
        return error_page(404)
    if act in ("write", "not_now"):
        return _write(application_id, you, not_now=act == "not_now")
    run(welcome.talk, Talk(application_id=application_id, coordinator_id=you), "coordinator", you)
    return redirect_after_post(f"/c/welcome/{application_id}?done=talking")


def _write(application_id: str, you: str | None, *, not_now: bool = False) -> Response:
    typed, errors = read(forms.NoteForm(), request.form)
    application = reading.find_application(application_id, service.db)
    if application is None:
        return error_page(410)
    if errors:
        return _show(application, you, errors)
    command = WriteAboutIt(application_id=application_id, words=typed["words"], coordinator_id=you, not_now=not_now)
    run(welcome.write_about_it, command, "coordinator" if you else "practitioner", you or application_id)
    return redirect_after_post(f"/c/welcome/{application_id}?done=sent" if you else "/me?done=sent")


def _show(application: Application, you: str | None, errors: Errors | None = None) -> Response:
    return render(
        "application.html" if you else "my_application.html",
        errors,
        one=application,
        answers=welcome.answers_of(application),
        steps=[_step(application, step, you) for step in service.programme.welcome],
        said=[(each, welcome.words_of(each), _by(each)) for each in application.said],
        ends_at=welcome.ends_at(application),
        typed=request.form,
        zone=service.programme.time_zone,
    )


def _step(application: Application, step: WelcomeStep, you: str | None) -> StepView:
    said = len(application.who_said_yes(step))
    return StepView(
        key=step.key,
        words=step.words_in(language()),
        who=step.who_says_yes,
        state="done" if application.is_done(step) else "now" if application.may_say_yes(step, you) or said else "later",
        said=said,
        may=application.may_say_yes(step, you),
    )


def _by(each: Said) -> str:
    """The coordinator's name; empty for the applicant."""
    return reading.coordinator_named(each.by, service.db) if each.by else ""
