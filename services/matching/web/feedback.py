"""/c/feedback: what people said of the programme and of the site. Nothing here says who."""

from typing import get_args

from flask import Blueprint, Response, request

from services.matching.handlers import service
from services.matching.handlers.feedback import view_feedback
from services.matching.web.auth import require_role
from services.matching.web.helpers import place_in_list
from shared.contracts import FeedbackAbout
from shared.web.views import render

feedback = Blueprint("feedback", __name__)
ABOUT: tuple[FeedbackAbout, ...] = get_args(FeedbackAbout)


@feedback.get("/c/feedback")
def show_feedback() -> Response:
    require_role("coordinator")
    about = next((known for known in ABOUT if known == request.args.get("state")), ABOUT[0])
    return render("feedback_given.html", page=view_feedback(service.db, about, **place_in_list()), about=about, every=ABOUT)
