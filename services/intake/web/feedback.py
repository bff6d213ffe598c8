"""What was good and what should change. Whoever writes stays unknown: no session is read here."""

from flask import Blueprint, Response, request

from services.intake import forms, store
from services.intake.handlers import service
from services.intake.handlers.feedback import GiveFeedback, give_feedback
from shared.web.forms import Errors, read
from shared.web.limits import limiter
from shared.web.views import redirect_after_post, render, run_form

feedback = Blueprint("feedback", __name__, url_prefix="/feedback")


@feedback.get("")
def show_form() -> Response:
    return _page()


@feedback.post("")
@limiter.limit("20 per 10 minutes")
def take() -> Response:
    typed, errors = read(forms.FeedbackForm(), request.form)
    if errors:
        return _page(errors)
    run_form(service, give_feedback, GiveFeedback(**typed))
    return redirect_after_post("/feedback/thanks")


@feedback.get("/thanks")
def show_thanks() -> Response:
    return render("feedback_thanks.html")


def _page(errors: Errors | None = None) -> Response:
    readers = list(store.team(service.db, service.vault).values())
    return render("feedback.html", errors, typed=request.form, readers=readers)
