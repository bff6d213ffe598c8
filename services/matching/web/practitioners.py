"""/c/people: practitioners, made and edited by coordinators."""

import uuid

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from services.matching import forms, labels
from services.matching.domain import Practitioner
from services.matching.handlers import desk, reading, service
from services.matching.handlers.coordinator import write_profile
from services.matching.handlers.profiles import EmailInUse, find_by_address_or_page
from services.matching.web import profiles
from services.matching.web.auth import require_role
from services.matching.web.helpers import place_in_list, run
from services.matching.web.profiles import Typed
from shared.web.errors import error_page
from shared.web.forms import Errors, read
from shared.web.views import redirect_after_post, render

practitioners = Blueprint("practitioners", __name__)


@practitioners.get("/c/people")
def show_list() -> Response:
    require_role("coordinator")
    return _show_list()


@practitioners.post("/c/people/find")
def find() -> Response:
    """By POST, so that no address of a person is in an address of a page."""
    require_role("coordinator")
    typed, errors = read(forms.FindPractitionerForm(), request.form)
    found = None if errors else find_by_address_or_page(typed["who"], service.db)
    return redirect_after_post(f"/c/people/{found.id}") if found else _show_list(errors or {"who": labels.NOBODY_FOUND})


@practitioners.get("/c/people/new")
def show_new() -> Response:
    require_role("coordinator")
    typed = {"time_zone": service.programme.time_zone, "state": "open", "places": 1, "offers_at_once": 1, "language": "en"}
    return _show(None, MultiDict((name, str(value)) for name, value in typed.items()), practitioner_id=str(uuid.uuid4()))


@practitioners.get("/c/people/<practitioner_id>")
def show_one(practitioner_id: str) -> Response:
    require_role("coordinator")
    practitioner = reading.find_practitioner(practitioner_id, service.db)
    return _show(practitioner, profiles.as_typed(practitioner)) if practitioner else error_page(404)


@practitioners.post("/c/people/<practitioner_id>")
def save(practitioner_id: str) -> Response:
    coordinator_id = require_role("coordinator")
    practitioner = reading.find_practitioner(practitioner_id, service.db)
    errors = _save(practitioner_id, coordinator_id, is_new=practitioner is None)
    if errors:
        return _show(reading.find_practitioner(practitioner_id, service.db), request.form, errors, practitioner_id)
    return redirect_after_post(f"/c/people/{practitioner_id}?done=saved")


def _show_list(errors: Errors | None = None) -> Response:
    state = next((known for known in forms.STATES if known == request.args.get("state")), forms.STATES[0])
    page = reading.list_practitioners(service.db, state, **place_in_list())
    return render("practitioners.html", errors, page=page, state=state, typed=request.form)


def _save(practitioner_id: str, coordinator_id: str, *, is_new: bool) -> Errors:
    programme = service.programme
    form = forms.ProfileForm(
        home_zone=programme.time_zone, is_new=is_new, countries=programme.text_countries, listed=programme.listed
    )
    typed, errors = read(form, forms.join_hours(request.form))
    if errors:
        return errors
    if not is_new:
        return profiles.save(practitioner_id, typed, "coordinator", coordinator_id)
    try:
        run(write_profile, forms.profile_from(typed, practitioner_id), "coordinator", coordinator_id)
    except EmailInUse:
        return {"email": labels.EMAIL_IN_USE}
    return {}


def _show(
    practitioner: Practitioner | None,
    typed: Typed,
    errors: Errors | None = None,
    practitioner_id: str = "",
) -> Response:
    shown = profiles.shown(practitioner) if practitioner else ""
    changed: list[str] = []
    if practitioner and errors:
        shown, changed = profiles.shown_again(practitioner, errors), profiles.as_it_is_now(practitioner, errors)
    return render(
        "practitioner.html",
        errors,
        id=practitioner.id if practitioner else practitioner_id,
        is_new=practitioner is None,
        tasks=desk.tasks_about_person(service.db, practitioner.id) if practitioner else [],
        you=require_role("coordinator"),
        name=reading.profile_of(practitioner)["name"] if practitioner else "",
        typed=typed,
        hours=profiles.hours_in(typed),
        shown=shown,
        changed=changed,
        own_changes=reading.own_changes_of(practitioner) if practitioner else [],
    )
