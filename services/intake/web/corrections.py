"""/s/change: one answer of a request that was sent, on the page of its question."""

from flask import Blueprint, Response, abort, request

from services.intake import forms
from services.intake.domain import Draft, Request, TypedAnswers
from services.intake.handlers import access, service
from services.intake.handlers.corrections import CorrectAnswers, correct_answers
from services.intake.web.ask import question_page
from services.intake.web.status import current_request, nobody_gets_it
from shared.web.limits import limiter
from shared.web.views import redirect_after_post

corrections = Blueprint("corrections", __name__)
QUESTIONS = range(2, 8)


@corrections.get("/s/change/<int:question>")
def show_question(question: int) -> Response:
    if question not in QUESTIONS:
        abort(404)
    sent, key = current_request()
    own = access.own_answers(sent, key) if sent and key else {}
    return question_page(question, own.get(question, {}), {}, correcting=True) if own else redirect_after_post("/s")


@corrections.post("/s/change/<int:question>")
@limiter.limit("60 per 10 minutes")
def save_answer(question: int) -> Response:
    if question not in QUESTIONS:
        abort(404)
    sent, key = current_request()
    own = access.own_answers(sent, key) if sent and key else {}
    if sent is None or key is None or not own:
        return nobody_gets_it(sent)
    typed = forms.typed_in(question, request.form)
    try:
        zone = forms.time_zone_of({**own, question: typed}, service.programme.time_zone)
        _, errors = forms.read(question, typed, zone, service.programme.text_countries)
    except forms.UnknownField:
        abort(400)
    return question_page(question, typed, errors, correcting=True) if errors else _save(sent, key, own, question, typed)


def _save(sent: Request, key: bytes, own: dict[int, TypedAnswers], question: int, typed: TypedAnswers) -> Response:
    draft = Draft(person_id=sent.person_id, request_id=sent.id, key=key, typed={**own, question: typed})
    before, _ = forms.read_all(own, service.programme.time_zone)
    answers, other = forms.read_all(draft.typed, service.programme.time_zone, service.programme.text_countries)
    if answers is None or before is None:
        # An answer of an earlier release that is asked for now: it comes first.
        return redirect_after_post(f"/s/change/{other}" if other in QUESTIONS else "/s/answers")
    service.run(correct_answers, CorrectAnswers(draft, question, answers, before, sent.language))
    return redirect_after_post("/s/answers?done=saved")
