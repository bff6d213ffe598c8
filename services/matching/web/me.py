"""/me: a practitioner's own page. Open, full or resting, and who would like to meet them."""

from flask import Blueprint, Response, request

from services.matching import forms
from services.matching.handlers import reading, service
from services.matching.handlers.own_list import NotThisNameAgain, TakeOffList, put_name_on_list, take_off_list
from services.matching.handlers.practitioner import SetAvailability, set_availability
from services.matching.handlers.reading import MatchedView, PractitionerView
from services.matching.handlers.stepping_back import StepBack, step_back
from services.matching.web.auth import current_person, login_page, require_role
from services.matching.web.helpers import run
from services.matching.web.offers import start_reading
from services.matching.web.welcome import applicants_page
from shared.clock import now
from shared.web import kept
from shared.web.errors import error_page
from shared.web.forms import read
from shared.web.kept import kept_as_typed
from shared.web.meetings import MeetingsView, present
from shared.web.views import redirect_after_post, render

me = Blueprint("me", __name__)


@me.get("/me")
def my_page() -> Response:
    person_id = current_person("practitioner")
    view = reading.view_practitioner(person_id, service.db) if person_id else None
    applicants = applicants_page(person_id) if person_id and view is None else None
    return _show(view) if view else applicants or login_page("practitioner")


@me.post("/me/availability")
def save_availability() -> Response:
    view = reading.view_practitioner(require_role("practitioner"), service.db)
    if view is None:
        return error_page(410)
    typed, errors = read(forms.AvailabilityForm(), request.form)
    if errors:
        return _show(view, errors)
    practitioner = view.practitioner
    if practitioner.has_stepped_back:
        return redirect_after_post("/me?done=not_possible")
    typed["resting_until"] = forms.start_of_day(typed["resting_until"], practitioner.time_zone)
    run(set_availability, SetAvailability(practitioner_id=practitioner.id, **typed), "practitioner", practitioner.id)
    return redirect_after_post("/me?done=saved")


@me.post("/me/list")
def add_name() -> Response:
    view = reading.view_practitioner(require_role("practitioner"), service.db)
    if view is None:
        return error_page(410)
    typed, errors = read(forms.NotThisNameForm(), request.form)
    if errors:
        return _show(view, errors)
    if not view.may_list:
        return kept_as_typed(kept.LIST_IS_FULL, lambda: redirect_after_post("/me?done=not_possible"))
    id = view.practitioner.id
    run(put_name_on_list, NotThisNameAgain(practitioner_id=id, name=typed["name"]), "practitioner", id)
    return redirect_after_post("/me?done=name_listed")


@me.post("/me/list/<entry_id>/remove")
def remove_from_list(entry_id: str) -> Response:
    id = require_role("practitioner")
    run(take_off_list, TakeOffList(practitioner_id=id, entry_id=entry_id), "practitioner", id)
    return redirect_after_post("/me?done=unlisted")


@me.get("/me/step-back")
def ask_about_stepping_back() -> Response:
    view = reading.view_practitioner(require_role("practitioner"), service.db)
    return _show_step_back(view) if view else error_page(410)


@me.post("/me/step-back")
def say_stepping_back() -> Response:
    view = reading.view_practitioner(require_role("practitioner"), service.db)
    if view is None:
        return error_page(410)
    typed, errors = read(forms.StepBackForm(), request.form)
    if errors:
        return _show_step_back(view, errors)
    id = view.practitioner.id
    run(step_back, StepBack(practitioner_id=id, hand_over=typed["people"] == "hand_over"), "practitioner", id)
    return redirect_after_post("/me?done=stepped_back")


@me.post("/me/offers/<offer_id>")
def read_offer(offer_id: str) -> Response:
    offer = reading.offer_of(offer_id, require_role("practitioner"), service.db)
    return start_reading(offer) if offer else error_page(404)


def _show(view: PractitionerView, errors: dict[str, str] | None = None) -> Response:
    typed = {**_as_typed(view), **request.form} if errors else _as_typed(view)
    times = {one.offer_id: _when(one) for one in view.matched}
    return render("my_page.html", errors, view=view, me=view.practitioner, typed=typed, times=times)


def _show_step_back(view: PractitionerView, errors: dict[str, str] | None = None) -> Response:
    if view.practitioner.has_stepped_back:
        return redirect_after_post("/me")
    return render("step_back.html", errors, view=view, typed=request.form)


def _when(one: MatchedView) -> MeetingsView | None:
    live = one.meetings if one.undo_until is None and not one.on_hold else None
    return present(live, "practitioner", now(), service.programme) if live else None


def _as_typed(view: PractitionerView) -> dict[str, object]:
    practitioner = view.practitioner
    return {
        "state": practitioner.state,
        "places": practitioner.places,
        "offers_at_once": practitioner.offers_at_once,
        "resting_until": forms.day_of(practitioner.resting_until, practitioner.time_zone),
    }
