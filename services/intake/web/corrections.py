"""/s/change: one answer of a request that was sent, on the page of its question; of the first whom they would rather not meet."""

from flask import Blueprint, Response, abort, request

from services.intake import choosing, forms, rules
from services.intake.domain import Draft, Request, TypedAnswers
from services.intake.handlers import access, service
from services.intake.handlers.corrections import CorrectAnswers, correct_answers
from services.intake.web.ask import question_page
from services.intake.web.helpers import entries_by_id, listing
from services.intake.web.status import current_request, nobody_gets_it
from shared.web.forms import Errors
from shared.web.limits import limiter
from shared.web.views import redirect_after_post, render

corrections = Blueprint("corrections", __name__)
QUESTIONS, FIRST = range(1, 8), 1
AVOIDED = ("avoid", "avoid_words", "find_avoid")


@corrections.get("/s/change/<int:question>")
def show_question(question: int) -> Response:
    if question not in QUESTIONS:
        abort(404)
    sent, key = current_request()
    own = access.own_answers(sent, key) if sent and key else {}
    return _page(question, own.get(question, {}), {}) if own else redirect_after_post("/s")


@corrections.post("/s/change/<int:question>")
@limiter.limit("60 per 10 minutes")
def save_answer(question: int) -> Response:
    if question not in QUESTIONS:
        abort(404)
    sent, key = current_request()
    own = access.own_answers(sent, key) if sent and key else {}
    if sent is None or key is None or not own:
        return nobody_gets_it(sent)
    return _save_avoided(sent, key, own) if question == FIRST else _save_question(sent, key, own, question)


def _save_question(sent: Request, key: bytes, own: dict[int, TypedAnswers], question: int) -> Response:
    typed = forms.typed_in(question, request.form)
    errors = _errors(question, typed, own)
    return _page(question, typed, errors) if errors else _save(sent, key, own, question, typed)


def _save_avoided(sent: Request, key: bytes, own: dict[int, TypedAnswers]) -> Response:
    """A name that was typed is looked for first, as in the question; looking changes nothing."""
    before = {**own.get(FIRST, {}), "find_avoid": request.form.get("looked_for", "")}
    typed = forms.typed_in(FIRST, request.form)
    changed = {**before, **{name: typed.get(name, [] if name == "avoid" else "") for name in AVOIDED}}
    button = request.form.get("go", "")
    if choosing.asks_to_find(button, changed, before):
        missing = {} if choosing.name_in(changed, "find_avoid") else {"find_avoid": forms.NAME_TO_FIND}
        return _avoided_page(changed, missing)
    changed = choosing.without_those_avoided(choosing.after_press(button, changed, before))
    errors = _errors(FIRST, changed, own)
    return _avoided_page(changed, errors) if errors else _save(sent, key, own, FIRST, changed)


def _errors(question: int, typed: TypedAnswers, own: dict[int, TypedAnswers]) -> Errors:
    try:
        zone = forms.time_zone_of({**own, question: typed}, service.programme.time_zone)
        return forms.read(question, typed, zone, service.programme.text_countries)[1]
    except forms.UnknownField:
        abort(400)


def _page(question: int, typed: TypedAnswers, errors: Errors) -> Response:
    return _avoided_page(typed, errors) if question == FIRST else question_page(question, typed, errors, correcting=True)


def _avoided_page(typed: TypedAnswers, errors: Errors) -> Response:
    avoided, name = choosing.listed(typed, "avoid"), choosing.name_in(typed, "find_avoid")
    found = {"find_avoid": rules.named_like(listing().everybody, name)} if name else {}
    known = entries_by_id(avoided) if avoided else {}
    typed = forms.blank(FIRST) | typed
    return render(
        "ask/1_avoid.html", errors, then="", correcting=True, typed=typed, known=known, found=found, form="avoid", question=FIRST
    )


def _save(sent: Request, key: bytes, own: dict[int, TypedAnswers], question: int, typed: TypedAnswers) -> Response:
    draft = Draft(person_id=sent.person_id, request_id=sent.id, key=key, typed={**own, question: typed})
    before, _ = forms.read_all(own, service.programme.time_zone)
    answers, other = forms.read_all(draft.typed, service.programme.time_zone, service.programme.text_countries)
    if answers is None or before is None:
        # An answer of an earlier release that is asked for now: it comes first.
        return redirect_after_post(f"/s/change/{other}" if other in QUESTIONS else "/s/answers")
    service.run(correct_answers, CorrectAnswers(draft, question, answers, before, sent.language))
    return redirect_after_post("/s/answers?done=saved")
