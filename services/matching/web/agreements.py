"""/o/agreement: what a practitioner and one supportee agree on, written by both."""

from typing import Any

from flask import Blueprint, Response, abort, request
from flask_babel import gettext

from services.matching.handlers import reading, service
from services.matching.handlers.agreements import (
    AgreementView,
    DeleteAgreement,
    SayYes,
    WriteAgreement,
    delete_agreement,
    say_yes,
    write_agreement,
)
from services.matching.web.helpers import run
from services.matching.web.offers import current_offer, nobody_gets_it
from shared.labels import AGREEMENT
from shared.web import agreements as shown
from shared.web import kept
from shared.web.agreement_forms import AgreementForm, YesForm
from shared.web.app import takes_long_texts
from shared.web.forms import Errors, read
from shared.web.kept import kept_as_typed
from shared.web.views import form_id, redirect_after_post, render

agreements = Blueprint("agreements", __name__)
PAGE = "/o/agreement"


@agreements.get(PAGE)
def show_agreement() -> Response:
    return _page("pair_agreement.html", _current())


@agreements.get(f"{PAGE}/write")
def show_write() -> Response:
    view = _current_to_write()
    return _write_page(view, view.newest)


@agreements.post(f"{PAGE}/write")
@takes_long_texts
def write() -> Response:
    """What was written meanwhile stands beside what they typed, and nothing of either is lost."""
    view = _current_to_write()
    typed, errors = read(AgreementForm(), request.form)
    if errors:
        return _write_page(view, request.form, errors=errors)
    about = view.agreement
    command = WriteAgreement(offer_id=about.offer_id, text_id=form_id(), base=typed["base"], sections=typed["sections"])
    run(write_agreement, command, "practitioner", about.practitioner_id)
    now = _current_to_write()
    if now.agreement.newest and now.agreement.newest.id == form_id():
        return redirect_after_post(PAGE)
    return _write_page(now, request.form, both=True)


@agreements.post(f"{PAGE}/yes")
def agree() -> Response:
    about = _current_to_write().agreement
    typed, errors = read(YesForm(), request.form)
    if not errors:
        run(say_yes, SayYes(offer_id=about.offer_id, number=typed["number"]), "practitioner", about.practitioner_id)
    return redirect_after_post(PAGE)


@agreements.get(f"{PAGE}/delete")
def show_delete() -> Response:
    view = _current()
    return _page("delete_agreement.html", view) if view.agreement.newest else redirect_after_post(PAGE)


@agreements.post(f"{PAGE}/delete")
def delete() -> Response:
    about = _current().agreement
    typed, errors = read(YesForm(), request.form)
    if not errors:
        command = DeleteAgreement(offer_id=about.offer_id, base=typed["number"])
        run(delete_agreement, command, "practitioner", about.practitioner_id)
    return redirect_after_post(PAGE)


def _page(template: str, view: AgreementView, errors: Errors | None = None, **context: Any) -> Response:
    known, programme = view.agreement, service.programme
    page = shown.present(
        known.newest,
        view.newest,
        view.before,
        number=known.number,
        said_yes=known.said_yes,
        me="practitioner",
        programme=programme,
    )
    name = view.name or gettext("this person")
    return render(template, errors, page=page, name=name, is_over=view.is_over, ended=bool(known.ended_at), **context)


def _write_page(view: AgreementView, typed: Any, *, both: bool = False, errors: Errors | None = None) -> Response:
    """`both`: with what stands there now beside it."""
    context = {
        "headings": shown.headings(AGREEMENT, service.programme.agreement),
        "typed": typed,
        "theirs": view.newest if both else None,
    }
    page = _page("write_agreement.html", view, errors, base=view.agreement.number, **context)
    if both:
        page.status_code = 409
    return page


def _current_to_write() -> AgreementView:
    view = _current()
    if view.is_over:
        why = kept.ENDED if view.agreement.ended_at else kept.PAUSED
        abort(kept_as_typed(why, lambda: redirect_after_post(PAGE)))
    return view


def _current() -> AgreementView:
    """As long as it is kept, also when they do not meet any more."""
    offer = current_offer()
    if offer is None:
        abort(nobody_gets_it(None))
    view = reading.view_agreement_of(offer, service.db)
    if view is None:
        abort(kept_as_typed(kept.ENDED, lambda: redirect_after_post("/o")))
    return view
