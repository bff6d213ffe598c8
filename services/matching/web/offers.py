"""/o: one offer, by the link in a letter or a text. GET shows, POST acts; the address loses its token at the first button."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request

from services.matching import forms, rules, store
from services.matching.handlers import service
from services.matching.handlers.answering import OfferAnswered, answer_offer, mark_offer_seen, may_still_change_to_yes
from services.matching.handlers.notes import NoteByPractitioner, write_as_practitioner
from services.matching.web.here import FOR_PRACTITIONERS, notes_in, page, run, see, words_of
from shared import tokens
from shared.clock import now
from shared.mongo import Doc
from shared.web import sessions
from shared.web.errors import error_page
from shared.web.limits import limiter

offers = Blueprint("offers", __name__)
A_SITTING = timedelta(days=1)


@offers.get("/o/<token>")
@limiter.limit("60 per minute")
def the_link(token: str) -> Response:
    offer = _behind(token)
    return page("offer_link.html", offer=offer, zone=_zone_of(offer)) if offer else error_page(410)


@offers.post("/o/<token>")
@limiter.limit("60 per minute")
def open_the_link(token: str) -> Response:
    offer = _behind(token)
    return let_read(offer) if offer else error_page(410)


@offers.get("/o")
def the_offer() -> Response:
    offer = _held()
    return _show(offer) if offer else error_page(410)


@offers.post("/o")
def answer_it() -> Response:
    offer = _held()
    if offer is None:
        return error_page(410)
    said, errors = forms.read(forms.AnswerForm(), request.form)
    if errors:
        return _show(offer, errors)
    said["pause_until"] = forms.morning_of(said["pause_until"], _zone_of(offer))
    run(answer_offer, OfferAnswered(offer_id=offer["_id"], **said))
    return see("/o")


@offers.post("/o/write")
def write_to_them() -> Response:
    offer = _held()
    if offer is None:
        return error_page(410)
    said, errors = forms.read(forms.NoteForm(), request.form)
    if errors:
        return _show(offer, errors)
    run(write_as_practitioner, NoteByPractitioner(offer_id=offer["_id"], words=said["words"]))
    return see("/o")


def let_read(offer: Doc) -> Response:
    service.run(mark_offer_seen, offer["_id"])
    return sessions.begin(see("/o"), service.db, "offer", offer["practitioner_id"], subject_id=offer["_id"], lasts=A_SITTING)


def _show(offer: Doc, errors: dict[str, str] | None = None) -> Response:
    row, zone = store.request(service.db, offer["request_id"]), _zone_of(offer)
    if row is None or offer["state"] in {"released", "lapsed"}:
        return page("offer_over.html", offer=offer)
    words = words_of(row, FOR_PRACTITIONERS)
    notes = notes_in(row, offer["practitioner_id"])
    facts: dict[str, Any] = {"offer": offer, "words": words, "name": words.get("name", ""), "zone": zone, "notes": notes}
    if offer["state"] == "accepted":
        return page("offer_yes.html", errors, typed=request.form, **facts)
    if offer["state"] == "declined":
        return page("offer_declined.html", may_change=_may_change(offer), **facts)
    days = rules.days_left_to_answer(offer["answer_by"], now(), zone)
    return page("offer.html", errors, asks=row, days_left=days, typed=request.form, **facts)


def _may_change(offer: Doc) -> bool:
    me = store.people(service.db, [offer["practitioner_id"]]).get(offer["practitioner_id"])
    return me is not None and rules.may_take_one_more(me) and may_still_change_to_yes(offer, service.db)


def _behind(token: str) -> Doc | None:
    link = tokens.find(service.db, token, "offer")
    return store.offer(service.db, link.subject_id) if link else None


def _held() -> Doc | None:
    held = sessions.current(service.db, "offer")
    return store.offer(service.db, held.subject_id) if held else None


def _zone_of(offer: Doc) -> str:
    me = store.practitioner(service.db, offer["practitioner_id"])
    return me["time_zone"] if me else service.programme.time_zone
