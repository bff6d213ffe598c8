"""/me: a practitioner's own page. Open, full or resting, and who would like to meet them."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request

from services.matching import forms, store
from services.matching.handlers import service
from services.matching.handlers.entries import Availability, set_availability
from services.matching.web.here import name_of, page, run, see, words_of
from services.matching.web.offers import let_read
from services.matching.web.signing_in import at_the_door, must_be, who_is_here
from shared.clock import now
from shared.mongo import Doc
from shared.web.errors import error_page

me = Blueprint("me", __name__)
LOOKS_BACK = timedelta(days=30)


@me.get("/me")
def my_page() -> Response:
    person_id = who_is_here("practitioner")
    row = store.practitioner(service.db, person_id) if person_id else None
    return _show(row) if row else at_the_door("practitioner")


@me.post("/me/availability")
def say_when_i_am_open() -> Response:
    row = store.practitioner(service.db, must_be("practitioner"))
    said, errors = forms.read(forms.AvailabilityForm(), request.form)
    if row is None:
        return error_page(410)
    if errors:
        return _show(row, errors)
    said["resting_until"] = forms.morning_of(said["resting_until"], row["time_zone"])
    run(set_availability, Availability(practitioner_id=row["_id"], **said))
    return see("/me?said=kept")


@me.post("/me/offers/<offer_id>")
def read_an_offer(offer_id: str) -> Response:
    offer = store.offer(service.db, offer_id)
    if offer is None or offer["practitioner_id"] != must_be("practitioner"):
        return error_page(404)
    return let_read(offer)


def _show(row: Doc, errors: dict[str, str] | None = None) -> Response:
    offers = store.offers_of(service.db, row["_id"], now() - LOOKS_BACK)
    asked = [offer for offer in offers if offer["open"]]
    met = [{"offer": offer, "name": _supportee(offer)} for offer in offers if offer["state"] == "accepted" and offer["holds"]]
    shown: dict[str, Any] = {"me": row, "name": name_of(row), "asked": asked, "met": met, "typed": _typed(row, errors)}
    return page("me.html", errors, **shown)


def _typed(row: Doc, errors: dict[str, str] | None) -> Any:
    return request.form if errors else {**row, "resting_until": forms.day_of(row["resting_until"], row["time_zone"])}


def _supportee(offer: Doc) -> str:
    row = store.request(service.db, offer["request_id"])
    return words_of(row, ("name",)).get("name", "") if row else ""
