"""Two who met: to pause, to end that in one step, and to take it back within a day."""

from flask import Blueprint, Response, request

from services.intake import forms, rules
from services.intake.domain import Request
from services.intake.handlers import service
from services.intake.handlers.supportee import ChangeHold, EndMeetings, UndoEnd, change_hold, end_meetings, undo_end
from services.intake.web.status import current_request, status_page
from services.intake.web.words_again import send_words_again
from shared.clock import now
from shared.web.forms import Errors, read
from shared.web.views import redirect_after_post

meetings = Blueprint("meetings", __name__)


@meetings.get("/s/end")
def show_end() -> Response:
    return _end_page()


@meetings.post("/s/end")
def end() -> Response:
    chosen, errors = read(forms.EndForm(), request.form)
    if errors:
        return _end_page(errors)
    sent, key = _matched(), current_request()[1]
    if sent and chosen["version"] == sent.version:
        [practitioner_id] = sent.status.practitioner_ids
        send_words_again(sent, key)
        service.run(end_meetings, EndMeetings(sent.id, sent.version, practitioner_id, chosen["then"]))
    return redirect_after_post("/s")


@meetings.post("/s/end/undo")
def take_back() -> Response:
    sent, _ = current_request()
    ended = rules.end_to_undo(sent.history, now()) if sent and sent.ended_at is None else None
    if sent and ended:
        service.run(undo_end, UndoEnd(sent.id, sent.version, ended.practitioner_ids[0]))
    return redirect_after_post("/s")


@meetings.post("/s/pause")
def pause() -> Response:
    return _change_hold(on_hold=True)


@meetings.post("/s/come-back")
def come_back() -> Response:
    return _change_hold(on_hold=False)


def _change_hold(*, on_hold: bool) -> Response:
    sent, _ = current_request()
    match_id = sent.status.match_id if sent and {"pause", "resume"} & {*sent.status.allowed_actions} else None
    if sent and match_id:
        service.run(change_hold, ChangeHold(sent.id, match_id, on_hold))
    return redirect_after_post("/s")


def _end_page(errors: Errors | None = None) -> Response:
    sent = _matched()
    return status_page("status/end.html", sent, errors) if sent else redirect_after_post("/s")


def _matched() -> Request | None:
    sent, _ = current_request()
    return sent if sent and "end" in sent.status.allowed_actions else None
