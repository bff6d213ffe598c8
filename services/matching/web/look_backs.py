"""/o/look-back: two questions to a practitioner and one supportee who have met some times."""

from typing import Any

from flask import Blueprint, Response, abort, request
from flask_babel import gettext

from services.matching.domain import Offer
from services.matching.handlers import reading, service
from services.matching.handlers.look_backs import AnswerLookBack, LookBackView, answer_look_back, put_off_look_back
from services.matching.web.helpers import run
from services.matching.web.offers import current_offer, nobody_gets_it
from shared.labels import LOOK_BACK
from shared.web import agreements as shown
from shared.web.agreement_forms import LookBackForm
from shared.web.forms import Errors, read
from shared.web.views import redirect_after_post, render

look_backs = Blueprint("look_backs", __name__)
PAGE = "/o/look-back"


@look_backs.get(PAGE)
def show_look_back() -> Response:
    return _page(*_current())


@look_backs.post(PAGE)
def answer() -> Response:
    offer, view, name = _current()
    typed, errors = read(LookBackForm(), request.form)
    if errors:
        return _page(offer, view, name, errors)
    run(answer_look_back, AnswerLookBack(offer_id=offer.id, answers=typed["sections"]), "practitioner", offer.practitioner_id)
    return redirect_after_post(PAGE)


@look_backs.post(f"{PAGE}/not-now")
def put_off() -> Response:
    offer, _, _ = _current()
    run(put_off_look_back, offer.id, "practitioner", offer.practitioner_id)
    return redirect_after_post("/o")


def _page(offer: Offer, view: LookBackView, name: str, errors: Errors | None = None) -> Response:
    questions = shown.headings(LOOK_BACK, service.programme.look_back)
    said = [(_sections(words, questions), whose) for words, whose in ((view.mine, "mine"), (view.theirs, "theirs"))]
    context: dict[str, Any] = {"stands": view.stands, "said": said, "headings": questions, "typed": request.form}
    return render("pair_look_back.html", errors, name=name, **context)


def _sections(words: shown.Sections, questions: shown.Headings) -> list[shown.SectionView]:
    return shown.compared(words, words, questions)


def _current() -> tuple[Offer, LookBackView, str]:
    """While they are with each other, and were asked."""
    offer = current_offer()
    if offer is None:
        abort(nobody_gets_it(None))
    view = reading.view_offer(offer, service.db)
    if view.look_back is None or not view.look_back.stands:
        abort(nobody_gets_it(view))
    return offer, view.look_back, view.name or gettext("this person")
