"""When and where two people meet: to propose hours, to choose one, and to change it by one press."""

from typing import Any

from flask import Blueprint, Response, abort, request

from services.intake import store
from services.intake.domain import Meetings, Request
from services.intake.handlers import service
from services.intake.handlers.meetings import (
    AdjustMeetings,
    AgreeToCalls,
    ChooseHour,
    ProposeHours,
    adjust_meetings,
    agree_to_calls,
    choose_hour,
    phone_of,
    place_of,
    propose_hours,
)
from services.intake.web.status import current_note_keys, current_request, nobody_gets_it, status_page
from shared.clock import now
from shared.contracts import Proposal
from shared.web import meetings as shown
from shared.web.forms import Errors, read
from shared.web.limits import limiter
from shared.web.meeting_forms import AdjustForm, CallsForm, ChooseForm, MoveForm, ProposeForm, RemindForm
from shared.web.views import form_id, redirect_after_post, run_form

meeting_times = Blueprint("meeting_times", __name__)
OFTEN = "60 per 10 minutes"
PAGE = "/s/meetings"


@meeting_times.get(PAGE)
def show_meetings() -> Response:
    return _page(*_current())


@meeting_times.post(PAGE)
@limiter.limit(OFTEN)
def adjust() -> Response:
    sent, found = _current()
    typed, errors = read(AdjustForm(), request.form)
    if not errors:
        run_form(service, adjust_meetings, AdjustMeetings(request_id=sent.id, match_id=found.id, **typed), sent.id)
    return redirect_after_post(PAGE)


@meeting_times.post(f"{PAGE}/propose")
@limiter.limit(OFTEN)
def propose() -> Response:
    sent, found = _current()
    typed, errors = read(ProposeForm(found.supportee_zone, now(), service.programme.doings), request.form)
    if errors:
        return _page(sent, found, errors)
    zone = found.practitioner_zone if typed.pop("keeps") == "practitioner" else found.supportee_zone
    proposal = Proposal(id=form_id(), by="supportee", zone=zone, **typed)
    run_form(service, propose_hours, ProposeHours(request_id=sent.id, match_id=found.id, proposal=proposal), sent.id)
    return redirect_after_post(PAGE)


@meeting_times.post(f"{PAGE}/choose")
@limiter.limit(OFTEN)
def choose() -> Response:
    sent, found = _current()
    typed, errors = read(ChooseForm(), request.form)
    if not errors:
        run_form(service, choose_hour, ChooseHour(request_id=sent.id, match_id=found.id, **typed), sent.id)
    return redirect_after_post(PAGE)


@meeting_times.post(f"{PAGE}/remind")
@limiter.limit(OFTEN)
def choose_reminders() -> Response:
    sent, found = _current()
    typed, errors = read(RemindForm(), request.form)
    if not errors:
        command = AdjustMeetings(request_id=sent.id, match_id=found.id, series_id="", action="remind", **typed)
        run_form(service, adjust_meetings, command, sent.id)
    return redirect_after_post(PAGE)


@meeting_times.post(f"{PAGE}/calls")
@limiter.limit(OFTEN)
def say_yes_to_calls() -> Response:
    sent, found = _current()
    typed, errors = read(CallsForm(found.supportee_zone), request.form)
    if errors:
        return _page(sent, found, errors)
    who = {"request_id": sent.id, "person_id": sent.person_id, "match_id": found.id}
    run_form(service, agree_to_calls, AgreeToCalls(**who, keys=current_note_keys(), **typed), sent.id)
    return redirect_after_post(PAGE)


@meeting_times.get(f"{PAGE}/move")
def show_move() -> Response:
    return _move_page(*_current(), request.args.get("on", ""))


@meeting_times.post(f"{PAGE}/move")
@limiter.limit(OFTEN)
def move() -> Response:
    sent, found = _current()
    typed, errors = read(MoveForm(found.supportee_zone, now()), request.form)
    if errors:
        return _move_page(sent, found, request.form.get("on", ""), errors)
    command = AdjustMeetings(request_id=sent.id, match_id=found.id, action="move", **typed)
    run_form(service, adjust_meetings, command, sent.id)
    return redirect_after_post(PAGE)


def _page(sent: Request, found: Meetings, errors: Errors | None = None) -> Response:
    keys = current_note_keys()
    place, can_call = place_of(found, sent.person_id, keys), keys.of(found.id) is not None
    calls = {"callers": found.callers, "phone": phone_of(found, sent.person_id, keys), "can_call": can_call}
    context = {"place": place, "has_place": bool(found.encrypted_place), "told": bool(sent.email_index or sent.phone_index)}
    return _meetings_page("status/meetings.html", sent, found, errors, remind=found.remind_supportee, **calls, **context)


def _move_page(sent: Request, found: Meetings, on: str, errors: Errors | None = None) -> Response:
    one = shown.shown_date(found.series, on, found.supportee_zone, now()) if found.series else None
    return _meetings_page("status/move.html", sent, found, errors, one=one) if one else redirect_after_post(PAGE)


def _meetings_page(template: str, sent: Request, found: Meetings, errors: Errors | None, **context: Any) -> Response:
    view = shown.present(found, "supportee", now(), service.programme)
    return status_page(template, sent, errors, meetings=view, typed=request.form, **context)


def _current() -> tuple[Request, Meetings]:
    """Their meetings while they are with somebody and take no pause from all of it. Else their page says how it stands."""
    sent, _ = current_request()
    if sent is None or sent.status.state != "matched" or sent.status.match_id is None:
        abort(nobody_gets_it(sent))
    return sent, store.meetings_of(service.db, sent.status.match_id) or _none_yet(sent, sent.status.match_id)


def _none_yet(sent: Request, match_id: str) -> Meetings:
    return Meetings(id=match_id, request_id=sent.id, supportee_zone=sent.time_zone, practitioner_zone=sent.time_zone)
