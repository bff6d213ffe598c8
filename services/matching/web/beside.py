"""/me/beside: a practitioner's buddy, and how they ask somebody to call after something heavy."""

from flask import Blueprint, Response, request

from services.matching import forms, labels
from services.matching.handlers import reading, service
from services.matching.handlers.buddies import (
    AnswerBuddy,
    AskForCall,
    NameBuddy,
    NobodyOfThatName,
    answer_buddy,
    ask_for_call,
    let_go_of_buddy,
    name_buddy,
    view_buddy,
)
from services.matching.web.auth import require_role
from services.matching.web.helpers import run
from shared.web.errors import error_page
from shared.web.forms import Errors, read
from shared.web.limits import limiter
from shared.web.views import form_id, redirect_after_post, render

beside = Blueprint("beside", __name__)


@beside.get("/me/beside")
def show() -> Response:
    return _show()


@beside.post("/me/beside/name")
@limiter.limit("30 per 10 minutes")
def name() -> Response:
    you = require_role("practitioner")
    typed, errors = read(forms.NotThisNameForm(), request.form)
    try:
        if not errors:
            run(name_buddy, NameBuddy(practitioner_id=you, name=typed["name"]), "practitioner", you)
    except NobodyOfThatName:
        errors = {"name": labels.NOBODY_FOUND}
    return _show(errors) if errors else redirect_after_post("/me/beside?done=saved")


@beside.post("/me/beside/<any(yes, no, let_go):act>")
def answer(act: str) -> Response:
    you = require_role("practitioner")
    if act == "let_go":
        run(let_go_of_buddy, you, "practitioner", you)
    else:
        command = AnswerBuddy(practitioner_id=you, other_id=request.form.get("who", ""), yes=act == "yes")
        run(answer_buddy, command, "practitioner", you)
    return redirect_after_post("/me/beside?done=saved")


@beside.post("/me/beside/heavy")
@limiter.limit("10 per 10 minutes")
def heavy() -> Response:
    """The form is known again by its own id alone: that they pressed it is written down nowhere."""
    you = require_role("practitioner")
    typed, errors = read(forms.CallForm(), request.form)
    if errors:
        return _show(errors)
    service.run(ask_for_call, AskForCall(practitioner_id=you, person_id=typed["person"]), idempotency_key=f"form/{form_id()}")
    return redirect_after_post("/me/beside?done=call_asked")


def _show(errors: Errors | None = None) -> Response:
    practitioner = reading.find_practitioner(require_role("practitioner"), service.db)
    if practitioner is None:
        return error_page(410)
    return render("beside.html", errors, view=view_buddy(practitioner, service.db), typed=request.form)
