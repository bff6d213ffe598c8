"""/c/people: practitioners, made and edited by coordinators."""

import uuid
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from services.matching import forms, labels, store
from services.matching.handlers import service
from services.matching.handlers.entries import EmailInUse, profile_of, write_entry
from services.matching.web.here import name_of, page, run, see
from services.matching.web.signing_in import must_be
from shared.mongo import Doc
from shared.web.errors import error_page

entries = Blueprint("entries", __name__)
EMPTY_ROWS = 2


@entries.get("/c/people")
def everybody() -> Response:
    must_be("coordinator")
    rows = [{**row, "name": name_of(row), "shown": store.shown(row)} for row in store.practitioners(service.db)]
    return page("people.html", people=sorted(rows, key=lambda row: row["name"].casefold()))


@entries.get("/c/people/new")
def a_new_one() -> Response:
    must_be("coordinator")
    typed = {"time_zone": service.programme.time_zone, "state": "open", "places": 1, "offers_at_once": 1, "language": "en"}
    return _show(None, MultiDict(typed), practitioner_id=str(uuid.uuid4()))


@entries.get("/c/people/<practitioner_id>")
def one_of_them(practitioner_id: str) -> Response:
    must_be("coordinator")
    row = store.practitioner(service.db, practitioner_id)
    return _show(row, _as_typed(row)) if row else error_page(404)


@entries.post("/c/people/<practitioner_id>")
def write_them_down(practitioner_id: str) -> Response:
    must_be("coordinator")
    row = store.practitioner(service.db, practitioner_id)
    form = forms.EntryForm(home_zone=service.programme.time_zone, is_new=row is None)
    data, errors = forms.read(form, forms.hours_rows(request.form))
    if not errors:
        try:
            run(write_entry, forms.entry_from(data, practitioner_id))
        except EmailInUse:
            errors = {"email": labels.EMAIL_IN_USE}
    if errors:
        return _show(row, request.form, errors, practitioner_id)
    return see(f"/c/people/{practitioner_id}?said=kept")


def _show(
    row: Doc | None, typed: "MultiDict[str, Any]", errors: dict[str, str] | None = None, practitioner_id: str = ""
) -> Response:
    id = row["_id"] if row else practitioner_id
    hours = list(zip(typed.getlist("day"), typed.getlist("start"), typed.getlist("end"), strict=False))
    hours += [("", "", "")] * EMPTY_ROWS
    return page("entry.html", errors, id=id, is_new=row is None, name=name_of(row), typed=typed, hours=hours)


def _as_typed(row: Doc) -> "MultiDict[str, Any]":
    typed: MultiDict[str, Any] = MultiDict(profile_of(row))
    for name in ("places", "offers_at_once", "time_zone", "language", "state"):
        typed[name] = row[name]
    typed["resting_until"] = forms.day_of(row["resting_until"], row["time_zone"])
    for name in ("languages", "meeting_types", "parts", "help", "not_now", "ages"):
        typed.setlist(name, row[name])
    rows = [forms.hours_as_text(hours) for hours in row["hours"]]
    for name, values in zip(("day", "start", "end"), zip(*rows, strict=True), strict=False):
        typed.setlist(name, list(values))
    return typed
