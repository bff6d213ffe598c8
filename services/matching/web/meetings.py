"""/o/meetings: when and where a practitioner and one supportee meet."""

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext

from services.matching.domain import Meetings, Offer
from services.matching.handlers import reading, service
from services.matching.handlers.meetings import (
    AdjustMeetings,
    AgreeToCalls,
    ChooseHour,
    FindPlace,
    ProposeHours,
    RemindMe,
    adjust_meetings,
    agree_to_calls,
    choose_hour,
    find_place,
    make_room,
    propose_hours,
    remind_me,
)
from services.matching.handlers.reading import OfferView
from services.matching.web.helpers import run
from services.matching.web.offers import current_offer
from shared.clock import now
from shared.contracts import Proposal
from shared.messages import Event
from shared.service import Handler, M
from shared.web import meetings as shown
from shared.web.errors import error_page
from shared.web.forms import Errors, read
from shared.web.meeting_forms import AdjustForm, CallsForm, ChooseForm, MoveForm, PlaceForm, ProposeForm, RemindForm
from shared.web.views import form_id, redirect_after_post, render

meetings = Blueprint("meetings", __name__)
PAGE = "/o/meetings"


@meetings.get(PAGE)
def show_meetings() -> Response:
    offer, view = _current()
    return _page(view) if offer and view else _elsewhere(offer)


@meetings.post(PAGE)
def adjust() -> Response:
    offer, view = _current()
    if offer is None or view is None:
        return _elsewhere(offer)
    typed, errors = read(AdjustForm(), request.form)
    return redirect_after_post(PAGE) if errors else _run(adjust_meetings, AdjustMeetings(offer_id=offer.id, **typed), offer)


@meetings.post(f"{PAGE}/propose")
def propose() -> Response:
    offer, view = _current()
    if offer is None or view is None or view.meetings is None:
        return _elsewhere(offer)
    found = view.meetings
    typed, errors = read(ProposeForm(found.practitioner_zone, now(), service.programme.doings), request.form)
    if errors:
        return _page(view, errors)
    zone = found.practitioner_zone if typed.pop("keeps") == "practitioner" else found.supportee_zone
    proposal = Proposal(id=form_id(), by="practitioner", zone=zone, **typed)
    return _run(propose_hours, ProposeHours(offer_id=offer.id, proposal=proposal), offer)


@meetings.post(f"{PAGE}/choose")
def choose() -> Response:
    offer, view = _current()
    if offer is None or view is None:
        return _elsewhere(offer)
    typed, errors = read(ChooseForm(), request.form)
    return redirect_after_post(PAGE) if errors else _run(choose_hour, ChooseHour(offer_id=offer.id, **typed), offer)


@meetings.post(f"{PAGE}/place")
def say_where() -> Response:
    offer, view = _current()
    if offer is None or view is None:
        return _elsewhere(offer)
    typed, errors = read(PlaceForm(), request.form)
    return _page(view, errors) if errors else _run(find_place, FindPlace(offer_id=offer.id, **typed), offer)


@meetings.post(f"{PAGE}/calls")
def say_yes_to_calls() -> Response:
    offer, view = _current()
    if offer is None or view is None or view.meetings is None:
        return _elsewhere(offer)
    typed, errors = read(CallsForm(view.meetings.practitioner_zone), request.form)
    return _page(view, errors) if errors else _run(agree_to_calls, AgreeToCalls(offer_id=offer.id, **typed), offer)


@meetings.post(f"{PAGE}/room")
def make_a_room() -> Response:
    offer, view = _current()
    return _run(make_room, offer.id, offer) if offer and view else _elsewhere(offer)


@meetings.post(f"{PAGE}/remind")
def choose_reminders() -> Response:
    offer, view = _current()
    if offer is None or view is None:
        return _elsewhere(offer)
    typed, errors = read(RemindForm(), request.form)
    if not errors:
        run(remind_me, RemindMe(offer_id=offer.id, before=typed["remind"]), "practitioner", offer.practitioner_id)
    return redirect_after_post(f"{PAGE}?done=saved")


@meetings.get(f"{PAGE}/move")
def show_move() -> Response:
    offer, view = _current()
    return _move_page(view, request.args.get("on", "")) if offer and view else _elsewhere(offer)


@meetings.post(f"{PAGE}/move")
def move() -> Response:
    offer, view = _current()
    if offer is None or view is None or view.meetings is None:
        return _elsewhere(offer)
    typed, errors = read(MoveForm(view.meetings.practitioner_zone, now()), request.form)
    if errors:
        return _move_page(view, request.form.get("on", ""), errors)
    return _run(adjust_meetings, AdjustMeetings(offer_id=offer.id, action="move", **typed), offer)


def _run(handler: Handler[M], command: M, offer: Offer) -> Response:
    events: list[Event] = run(handler, command, "practitioner", offer.practitioner_id)
    return redirect_after_post(PAGE if events else f"{PAGE}?done=not_possible")


def _page(view: OfferView, errors: Errors | None = None) -> Response:
    remind = view.meetings.remind_practitioner if view.meetings else ()
    return _draw(
        "pair_meetings.html",
        view,
        errors,
        remind=remind,
        callers=view.meetings.callers if view.meetings else (),
        phone=view.phone,
    )


def _move_page(view: OfferView, on: str, errors: Errors | None = None) -> Response:
    found = view.meetings
    one = shown.shown_date(found.series, on, found.practitioner_zone, now()) if found and found.series else None
    return _draw("move.html", view, errors, one=one) if one else redirect_after_post(PAGE)


def _draw(template: str, view: OfferView, errors: Errors | None, **context: Any) -> Response:
    found: Meetings | None = view.meetings
    assert found is not None
    times = shown.present(found, "practitioner", now(), service.programme)
    return render(
        template,
        errors,
        view=view,
        meetings=times,
        place=view.place,
        name=view.name or gettext("this person"),
        typed=request.form,
        **context,
    )


def _current() -> tuple[Offer | None, OfferView | None]:
    """The view, while they are with each other and the supportee takes no pause."""
    offer = current_offer()
    view = reading.view_offer(offer, service.db) if offer and offer.state == "accepted" else None
    return offer, view if view and view.request and view.meetings else None


def _elsewhere(offer: Offer | None) -> Response:
    """Nothing to arrange: their page says how it stands."""
    return redirect_after_post("/o") if offer else error_page(410)
