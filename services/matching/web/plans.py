"""/o/plan: what a supportee shows their practitioner of their plan for hard days."""

from flask import Blueprint, Response
from flask_babel import gettext

from services.matching.handlers import reading, service
from services.matching.web.offers import current_offer
from shared.labels import PLAN
from shared.web import agreements as shown
from shared.web.errors import error_page
from shared.web.views import redirect_after_post, render

plans = Blueprint("plans", __name__)


@plans.get("/o/plan")
def show_plan() -> Response:
    offer = current_offer()
    if offer is None:
        return error_page(410)
    view = reading.view_offer(offer, service.db)
    if not view.plan:
        return redirect_after_post("/o")
    sections = shown.compared(view.plan, view.plan, shown.headings(PLAN, service.programme.plan))
    return render("pair_plan.html", sections=sections, name=view.name or gettext("this person"))
