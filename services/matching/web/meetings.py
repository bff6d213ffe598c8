"""/o/meetings: when and where a practitioner and one supportee meet."""

from typing import Any

from flask import Blueprint, Response, abort, request
from flask_babel import gettext

from services.matching.domain import Meetings
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
from services.matching.handlers.rooms import want_room
from services.matching.web.helpers import run
from services.matching.web.offers import current_offer, nobody_gets_it
from shared.clock import now
from shared.contracts import Proposal
from shared.messages import Event
from shared.service import Handler, M
from shared.web import meetings as shown
from shared.web.forms import Errors, read
from shared.web.meeting_forms import AdjustForm, CallsForm, ChooseForm, MoveForm, PlaceForm, ProposeForm, RemindForm
from shared.web.views import form_id, redirect_after_post, render

meetings = Blueprint("meetings", __name__)
PAGE = "/o/meetings"


@meetings.get(PAGE)
def show_meetings() -> Response:
    return _page(*_current())


@meetings.post(PAGE)
def adjust() -> Response:
    view, _ = _current()
    typed, errors = read(AdjustForm(), request.form)
    return redirect_after_post(PAGE) if errors else _run(adjust_meetings, AdjustMeetings(offer_id=view.offer.id, **typed), view)


@meetings.post(f"{PAGE}/propose")
def propose() -> Response:
    view, found = _current()
    typed, errors = read(ProposeForm(found.practitioner_zone, now(), service.programme.doings), request.form)
    if errors:
        return _page(view, found, errors)
    zone = found.practitioner_zone if typed.pop("keeps") == "practitioner" else found.supportee_zone
    proposal = Proposal(id=form_id(), by="practitioner", zone=zone, **typed)
    return _run(propose_hours, ProposeHours(offer_id=view.offer.id, proposal=proposal), view)


@meetings.post(f"{PAGE}/choose")
def choose() -> Response:
    view, _ = _current()
    typed, errors = read(ChooseForm(), request.form)
    return redirect_after_post(PAGE) if errors else _run(choose_hour, ChooseHour(offer_id=view.offer.id, **typed), view)


@meetings.post(f"{PAGE}/place")
def say_where() -> Response:
    view, found = _current()
    typed, errors = read(PlaceForm(), request.form)
    return _page(view, found, errors) if errors else _run(find_place, FindPlace(offer_id=view.offer.id, **typed), view)


@meetings.post(f"{PAGE}/calls")
def say_yes_to_calls() -> Response:
    view, found = _current()
    typed, errors = read(CallsForm(found.practitioner_zone), request.form)
    return _page(view, found, errors) if errors else _run(agree_to_calls, AgreeToCalls(offer_id=view.offer.id, **typed), view)


@meetings.post(f"{PAGE}/room")
def make_a_room() -> Response:
    view, _ = _current()
    return _run(make_room, view.offer.id, view)


@meetings.post(f"{PAGE}/zoom")
def have_a_room_made() -> Response:
    view, _ = _current()
    return _run(want_room, view.offer.id, view)


@meetings.post(f"{PAGE}/remind")
def choose_reminders() -> Response:
    view, _ = _current()
    typed, errors = read(RemindForm(), request.form)
    if not errors:
        command = RemindMe(offer_id=view.offer.id, before=typed["remind"])
        run(remind_me, command, "practitioner", view.offer.practitioner_id)
    return redirect_after_post(f"{PAGE}?done=saved")


@meetings.get(f"{PAGE}/move")
def show_move() -> Response:
    return _move_page(*_current(), request.args.get("on", ""))


@meetings.post(f"{PAGE}/move")
def move() -> Response:
    view, found = _current()
    typed, errors = read(MoveForm(found.practitioner_zone, now()), request.form)
    if errors:
        return _move_page(view, found, request.form.get("on", ""), errors)
    return _run(adjust_meetings, AdjustMeetings(offer_id=view.offer.id, action="move", **typed), view)


def _run(handler: Handler[M], command: M, view: OfferView) -> Response:
    events: list[Event] = run(handler, command, "practitioner", view.offer.practitioner_id)
    return redirect_after_post(PAGE if events else f"{PAGE}?done=not_possible")


def _page(view: OfferView, found: Meetings, errors: Errors | None = None) -> Response:
    context = {"remind": found.remind_practitioner, "callers": found.callers, "phone": view.phone}
    return _draw("pair_meetings.html", view, found, errors, offers_rooms=service.offers_rooms, **context)


def _move_page(view: OfferView, found: Meetings, on: str, errors: Errors | None = None) -> Response:
    one = shown.shown_date(found.series, on, found.practitioner_zone, now()) if found.series else None
    return _draw("move.html", view, found, errors, one=one) if one else redirect_after_post(PAGE)


def _draw(template: str, view: OfferView, found: Meetings, errors: Errors | None, **context: Any) -> Response:
    times, name = shown.present(found, "practitioner", now(), service.programme), view.name or gettext("this person")
    return render(template, errors, view=view, meetings=times, place=view.place, name=name, typed=request.form, **context)


def _current() -> tuple[OfferView, Meetings]:
    """While they are with each other and the supportee takes no pause. Else their page says how it
    stands."""
    offer = current_offer()
    if offer is None:
        abort(nobody_gets_it(None))
    view = reading.view_offer(offer, service.db)
    if offer.state != "accepted" or view.request is None or view.meetings is None:
        abort(nobody_gets_it(view))
    return view, view.meetings
