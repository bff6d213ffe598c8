"""/s/agreement: what a supportee and their practitioner agree on, written by both."""

from typing import Any

from flask import Blueprint, Response, abort, request

from services.intake import store
from services.intake.domain import Request
from services.intake.handlers import service
from services.intake.handlers.agreements import (
    AgreementView,
    DeleteAgreement,
    SayYes,
    WriteAgreement,
    agreement_or_none_yet,
    delete_agreement,
    say_yes,
    view_agreement,
    write_agreement,
)
from services.intake.web.helpers import entries_by_id
from services.intake.web.status import current_note_keys, current_request, status_page, why_nobody_gets_it
from shared.contracts import MatchMade
from shared.labels import AGREEMENT
from shared.web import agreements as shown
from shared.web.agreement_forms import AgreementForm, YesForm
from shared.web.app import takes_long_texts
from shared.web.forms import Errors, read
from shared.web.kept import kept_as_typed
from shared.web.limits import limiter
from shared.web.views import form_id, redirect_after_post, run_form

agreements = Blueprint("agreements", __name__)
OFTEN = "60 per 10 minutes"
PAGE = "/s/agreement"


@agreements.get(PAGE)
def show_agreement() -> Response:
    sent, view = _current()
    return _page("status/agreement.html", sent, view)


@agreements.get(f"{PAGE}/write")
def show_write() -> Response:
    sent, view = _current_to_write()
    return _write_page(sent, view, dict(view.unheard or view.newest), _came_late(view))


@agreements.post(f"{PAGE}/write")
@takes_long_texts
@limiter.limit(OFTEN)
def write() -> Response:
    """What was written meanwhile stands beside what they typed, and nothing of either is lost."""
    sent, view = _current_to_write()
    typed, errors = read(AgreementForm(), request.form)
    if errors:
        return _write_page(sent, view, request.form, _came_late(view), errors)
    mine = view.agreement.unheard
    if mine and mine.id == form_id():
        return redirect_after_post(PAGE)
    if (typed["base"], typed["after"]) != (view.agreement.number, mine.id if mine else ""):
        return _write_page(sent, view, request.form, True, status=409)
    command = WriteAgreement(
        request_id=sent.id,
        person_id=sent.person_id,
        match_id=view.agreement.id,
        keys=current_note_keys(),
        text_id=form_id(),
        sections=typed["sections"],
    )
    run_form(service, write_agreement, command, sent.id)
    return redirect_after_post(PAGE)


@agreements.post(f"{PAGE}/yes")
@limiter.limit(OFTEN)
def agree() -> Response:
    sent, view = _current_to_write()
    typed, errors = read(YesForm(), request.form)
    if not errors:
        run_form(service, say_yes, SayYes(request_id=sent.id, match_id=view.agreement.id, number=typed["number"]), sent.id)
    return redirect_after_post(PAGE)


@agreements.get(f"{PAGE}/delete")
def show_delete() -> Response:
    sent, view = _current()
    return redirect_after_post(PAGE) if view.agreement.is_empty else _page("status/delete_agreement.html", sent, view)


@agreements.post(f"{PAGE}/delete")
@limiter.limit(OFTEN)
def delete() -> Response:
    sent, view = _current()
    run_form(service, delete_agreement, DeleteAgreement(request_id=sent.id, match_id=view.agreement.id), sent.id)
    return redirect_after_post(PAGE)


@agreements.get(f"{PAGE}/earlier")
def show_earlier() -> Response:
    """What they agreed on with those whom they do not meet any more, as long as it is kept."""
    sent, _ = current_request()
    earlier = _earlier(sent) if sent else []
    if sent is None or not earlier:
        return redirect_after_post("/s")
    return status_page("status/earlier_agreements.html", sent, earlier=earlier)


def _earlier(sent: Request) -> list[tuple[str, shown.AgreementPage, bool]]:
    """(with whom, what, whether it is locked)"""
    with_whom = {event.match_id: event.practitioner_ids[0] for event in sent.history if _is_yes(event)}
    over = [one for one in store.agreements_about(service.db, sent.id) if one.ended_at and one.newest]
    known = entries_by_id({*with_whom.values()})
    names = {match_id: known[practitioner_id].name for match_id, practitioner_id in with_whom.items() if practitioner_id in known}
    views = [view_agreement(one, sent.person_id, current_note_keys()) for one in over]
    return [(names.get(view.agreement.id, ""), _present(view), view.locked) for view in views]


def _is_yes(event: Any) -> bool:
    return bool(event.event_type == MatchMade.event_type and event.practitioner_ids)


def _present(view: AgreementView) -> shown.AgreementPage:
    known = view.agreement
    return shown.present(
        known.newest,
        view.newest,
        view.before,
        number=known.number,
        said_yes=known.said_yes,
        me="supportee",
        programme=service.programme,
    )


def _page(template: str, sent: Request, view: AgreementView, errors: Errors | None = None, **context: Any) -> Response:
    mine = view.agreement.unheard
    unheard = shown.compared(view.unheard, view.unheard, _headings()) if mine else []
    facts = {"page": _present(view), "unheard": unheard, "came_late": _came_late(view), "locked": view.locked}
    live = sent.status.state == "matched"
    return status_page(template, sent, errors, live=live, underway=view.agreement.is_underway, **facts, **context)


def _write_page(
    sent: Request, view: AgreementView, typed: Any, both: bool, errors: Errors | None = None, status: int = 200
) -> Response:
    """`both`: with what stands there now beside it."""
    mine = view.agreement.unheard
    now = view.unheard if mine and not mine.came_late else view.newest
    context = {"headings": _headings(), "typed": typed, "theirs": now if both else None}
    known = {"base": view.agreement.number, "after": mine.id if mine else ""}
    page = _page("status/write_agreement.html", sent, view, errors, **context, **known)
    if status != 200 and not errors:
        page.status_code = status
    return page


def _headings() -> shown.Headings:
    return shown.headings(AGREEMENT, service.programme.agreement)


def _came_late(view: AgreementView) -> bool:
    return bool(view.agreement.unheard and view.agreement.unheard.came_late)


def _current_to_write() -> tuple[Request, AgreementView]:
    sent, view = _current()
    if sent.status.state != "matched" or view.locked or current_note_keys().of(view.agreement.id) is None:
        abort(kept_as_typed(why_nobody_gets_it(sent), lambda: redirect_after_post(PAGE)))
    return sent, view


def _current() -> tuple[Request, AgreementView]:
    """While they are with somebody. Else their page says how it stands, and what they agreed on before."""
    sent, _ = current_request()
    match_id = sent.status.match_id if sent and sent.status.state in ("matched", "on_hold") else None
    if sent is None or match_id is None:
        page = f"{PAGE}/earlier" if sent else "/s"
        abort(kept_as_typed(why_nobody_gets_it(sent), lambda: redirect_after_post(page)))
    known = agreement_or_none_yet(match_id, sent.id, service.db)
    return sent, view_agreement(known, sent.person_id, current_note_keys())
