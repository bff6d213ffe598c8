"""/s/look-back: two questions to a supportee and their practitioner, who have met some times."""

from flask import Blueprint, Response, abort, request

from services.intake import store
from services.intake.domain import Request
from services.intake.handlers import service
from services.intake.handlers.look_backs import (
    AnswerLookBack,
    LookBackView,
    answer_look_back,
    put_off_look_back,
    view_look_back,
)
from services.intake.web.status import current_note_keys, current_request, nobody_gets_it, status_page
from shared.labels import LOOK_BACK
from shared.web import agreements as shown
from shared.web.agreement_forms import LookBackForm
from shared.web.forms import Errors, read
from shared.web.limits import limiter
from shared.web.views import redirect_after_post, run_form

look_backs = Blueprint("look_backs", __name__)
OFTEN = "60 per 10 minutes"
PAGE = "/s/look-back"


@look_backs.get(PAGE)
def show_look_back() -> Response:
    sent, _, view = _current()
    return _page(sent, view)


@look_backs.post(PAGE)
@limiter.limit(OFTEN)
def answer() -> Response:
    sent, match_id, view = _current()
    typed, errors = read(LookBackForm(), request.form)
    if errors:
        return _page(sent, view, errors)
    command = AnswerLookBack(
        request_id=sent.id, person_id=sent.person_id, match_id=match_id, keys=current_note_keys(), answers=typed["sections"]
    )
    run_form(service, answer_look_back, command, sent.id)
    return redirect_after_post(PAGE)


@look_backs.post(f"{PAGE}/not-now")
@limiter.limit(OFTEN)
def put_off() -> Response:
    sent, match_id, _ = _current()
    run_form(service, put_off_look_back, match_id, sent.id)
    return redirect_after_post("/s")


def _page(sent: Request, view: LookBackView, errors: Errors | None = None) -> Response:
    questions = shown.headings(LOOK_BACK, service.programme.look_back)
    said = [(shown.compared(words, words, questions), whose) for words, whose in ((view.mine, "mine"), (view.theirs, "theirs"))]
    context = {"stands": view.stands, "said": said, "headings": questions, "typed": request.form}
    return status_page("status/look_back.html", sent, errors, **context)


def _current() -> tuple[Request, str, LookBackView]:
    """While they are with somebody, and were asked."""
    sent, _ = current_request()
    match_id = sent.status.match_id if sent and sent.status.state == "matched" else None
    if sent is None or match_id is None:
        abort(nobody_gets_it(sent))
    view = view_look_back(store.look_back_of(service.db, match_id), sent.person_id, current_note_keys())
    if not view.stands:
        abort(nobody_gets_it(sent))
    return sent, match_id, view
