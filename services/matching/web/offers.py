"""/o: one offer, by the link in an email or a text. GET shows, POST acts; the address loses its token at the first button."""

from datetime import timedelta

from flask import Blueprint, Response, request

from services.matching import forms
from services.matching.domain import Offer
from services.matching.handlers import reading, service
from services.matching.handlers.endings import end_by_practitioner, undo_by_practitioner
from services.matching.handlers.own_list import NotThisPersonAgain, put_person_on_list
from services.matching.handlers.practitioner import (
    AnswerOffer,
    WriteToSupportee,
    answer_offer,
    mark_offer_seen,
    write_to_supportee,
)
from services.matching.handlers.reading import OfferView
from services.matching.handlers.sharing import share_notes
from services.matching.web.helpers import run
from shared.clock import now
from shared.service import Handler, M
from shared.sessions import new_session
from shared.web import kept, sessions
from shared.web.errors import error_page
from shared.web.forms import read
from shared.web.kept import NotSent, kept_as_typed, must_reach
from shared.web.limits import limit_failures
from shared.web.meetings import present
from shared.web.views import redirect_after_post, render

offers = Blueprint("offers", __name__)
SESSION_LASTS = timedelta(days=1)


@offers.get("/o/<token>")
@limit_failures("60 per 10 minutes")
def show_link(token: str) -> Response:
    offer = reading.offer_behind_link(token, service.db)
    if offer is None:
        return error_page(410)
    return render("offer_link.html", offer=offer, zone=reading.time_zone_of(offer.practitioner_id, service.db))


@offers.post("/o/<token>")
@limit_failures("60 per 10 minutes")
def open_link(token: str) -> Response:
    offer = reading.offer_behind_link(token, service.db)
    return start_reading(offer) if offer else error_page(410)


@offers.get("/o")
def show_offer() -> Response:
    offer = current_offer()
    return _show(offer) if offer else error_page(410)


@offers.post("/o")
def answer() -> Response:
    offer = current_offer()
    if offer is None:
        return nobody_gets_it(None)
    typed, errors = read(forms.AnswerForm(), request.form)
    if errors:
        return _show_errors(offer, errors)
    zone = reading.time_zone_of(offer.practitioner_id, service.db)
    typed["pause_until"] = forms.start_of_day(typed["pause_until"], zone)
    handler = must_reach(answer_offer) if typed["question"] else answer_offer
    return _write(handler, AnswerOffer(offer_id=offer.id, **typed), offer)


@offers.post("/o/write")
def write() -> Response:
    offer = current_offer()
    if offer is None:
        return nobody_gets_it(None)
    typed, errors = read(forms.NoteForm(), request.form)
    if errors:
        return _show_errors(offer, errors)
    return _write(must_reach(write_to_supportee), WriteToSupportee(offer_id=offer.id, words=typed["words"]), offer)


@offers.post("/o/share")
def let_coordinators_read() -> Response:
    offer = current_offer()
    if offer is None:
        return error_page(410)
    run(share_notes, offer.id, "practitioner", offer.practitioner_id)
    return redirect_after_post("/o")


@offers.post("/o/not-again")
def not_again() -> Response:
    offer = current_offer()
    if offer is None:
        return error_page(410)
    typed, errors = read(forms.NotAgainForm(), request.form)
    if errors:
        return _show(offer, errors)
    run(put_person_on_list, NotThisPersonAgain(offer_id=offer.id, **typed), "practitioner", offer.practitioner_id)
    return redirect_after_post("/o?done=not_again")


@offers.post("/o/end")
def end() -> Response:
    offer = current_offer()
    if offer is None:
        return error_page(410)
    run(end_by_practitioner, offer.id, "practitioner", offer.practitioner_id)
    return redirect_after_post("/o")


@offers.post("/o/end/undo")
def take_back() -> Response:
    offer = current_offer()
    if offer is None:
        return error_page(410)
    done = run(undo_by_practitioner, offer.id, "practitioner", offer.practitioner_id)
    return redirect_after_post("/o" if done or not offer.undo_until else "/o?done=not_possible")


def nobody_gets_it(view: OfferView | None) -> Response:
    """`view`: how it stands now; None: their link or session opens nothing any more."""
    if view is None:
        return kept_as_typed(kept.NOT_OPEN_HERE, lambda: error_page(410))
    why = kept.PAUSED if view.on_hold else kept.ENDED
    return kept_as_typed(why, lambda: redirect_after_post("/o"))


def _write(handler: Handler[M], command: M, offer: Offer) -> Response:
    try:
        run(handler, command, "practitioner", offer.practitioner_id)
    except NotSent:
        return nobody_gets_it(reading.view_offer(offer, service.db))
    return redirect_after_post("/o")


def start_reading(offer: Offer) -> Response:
    service.run(mark_offer_seen, offer.id)
    response = redirect_after_post("/o")
    begun = new_session("offer", offer.practitioner_id, subject_id=offer.id, lasts=SESSION_LASTS)
    return sessions.begin(response, service.db, begun)


def _show_errors(offer: Offer, errors: dict[str, str]) -> Response:
    """Beside what was typed, while the page still has that form."""
    view = reading.view_offer(offer, service.db)
    return nobody_gets_it(view) if view.request is None or view.on_hold else _show(offer, errors)


def _show(offer: Offer, errors: dict[str, str] | None = None) -> Response:
    view = reading.view_offer(offer, service.db)
    if view.request is None:
        return render("offer_over.html", errors, offer=offer, view=view, typed=request.form)
    template = {"accepted": "offer_yes.html", "declined": "offer_declined.html"}.get(offer.state, "offer.html")
    times = present(view.meetings, "practitioner", now(), service.programme) if view.meetings else None
    return render(template, errors, view=view, support_request=view.request, typed=request.form, times=times)


def current_offer() -> Offer | None:
    session = sessions.current(service.db, "offer")
    return reading.offer_of(session.subject_id, session.person_id, service.db) if session else None
