"""/s/plan: a supportee's own plan for hard days, to print, and to show to whoever they meet."""

from typing import Any

from flask import Blueprint, Response, abort, request

from services.intake.domain import Request
from services.intake.handlers import service
from services.intake.handlers.plan import ShowPlan, WritePlan, delete_plan, own_plan, show_plan, take_back_plan, write_plan
from services.intake.web.status import current_note_keys, current_request, status_page
from shared.labels import PLAN
from shared.web import agreements as shown
from shared.web import kept
from shared.web.agreement_forms import PlanForm
from shared.web.app import takes_long_texts
from shared.web.forms import Errors, read
from shared.web.kept import kept_as_typed
from shared.web.limits import limiter
from shared.web.views import form_id, redirect_after_post, run_form

plan = Blueprint("plan", __name__)
OFTEN = "60 per 10 minutes"
PAGE = "/s/plan"


@plan.get(PAGE)
def show() -> Response:
    sent, key = _current()
    words = own_plan(sent, key)
    sections = shown.compared(words, words, _headings())
    return _page(
        "status/plan.html",
        sent,
        sections=sections,
        locked=key is None and bool(sent.encrypted_answers),
        lost=not sent.encrypted_answers,
    )


@plan.get(f"{PAGE}/write")
def show_write() -> Response:
    sent, key = _current_to_write()
    return _write_page(sent, own_plan(sent, key))


@plan.post(f"{PAGE}/write")
@takes_long_texts
@limiter.limit(OFTEN)
def write() -> Response:
    """What was saved meanwhile, in another window, stands beside what they typed."""
    sent, key = _current_to_write()
    typed, errors = read(PlanForm(), request.form)
    if errors:
        return _write_page(sent, request.form, errors)
    newest = sent.plan.text_id if sent.plan else None
    if newest == form_id():
        return redirect_after_post(PAGE)
    if typed["after"] != (newest or ""):
        page = _write_page(sent, request.form, theirs=own_plan(sent, key))
        page.status_code = 409
        return page
    command = WritePlan(request_id=sent.id, key=key, text_id=form_id(), sections=typed["sections"])
    run_form(service, write_plan, command, sent.id)
    return redirect_after_post(PAGE)


@plan.post(f"{PAGE}/show")
@limiter.limit(OFTEN)
def show_to_practitioner() -> Response:
    sent, key = _current_to_write()
    if sent.status.state == "matched":
        run_form(service, show_plan, ShowPlan(request_id=sent.id, key=key, keys=current_note_keys()), sent.id)
    return redirect_after_post(PAGE)


@plan.post(f"{PAGE}/take-back")
@limiter.limit(OFTEN)
def take_back() -> Response:
    sent, _ = _current()
    run_form(service, take_back_plan, sent.id, sent.id)
    return redirect_after_post(PAGE)


@plan.get(f"{PAGE}/delete")
def show_delete() -> Response:
    sent, _ = _current()
    return _page("status/delete_plan.html", sent) if sent.plan and sent.plan.encrypted else redirect_after_post(PAGE)


@plan.post(f"{PAGE}/delete")
@limiter.limit(OFTEN)
def delete() -> Response:
    sent, _ = _current()
    run_form(service, delete_plan, sent.id, sent.id)
    return redirect_after_post(PAGE)


def _page(template: str, sent: Request, errors: Errors | None = None, **context: Any) -> Response:
    known = sent.plan
    meets = sent.status.state == "matched"
    is_shown = bool(known and known.shown_to and known.shown_to == sent.status.match_id)
    facts = {"meets": meets, "is_shown": is_shown, "is_newest": bool(known and known.shown_text == known.text_id)}
    return status_page(template, sent, errors, written=bool(known and known.encrypted), **facts, **context)


def _write_page(sent: Request, typed: Any, errors: Errors | None = None, theirs: Any = None) -> Response:
    after = (sent.plan.text_id if sent.plan else None) or ""
    return _page("status/write_plan.html", sent, errors, headings=_headings(), typed=typed, after=after, theirs=theirs)


def _headings() -> shown.Headings:
    return shown.headings(PLAN, service.programme.plan)


def _current_to_write() -> tuple[Request, bytes]:
    """Their own key is needed, which code words bring."""
    sent, key = _current()
    if key is None:
        why = kept.LOCKED if sent.encrypted_answers else kept.NOT_OPEN_HERE
        abort(kept_as_typed(why, lambda: redirect_after_post(PAGE)))
    return sent, key


def _current() -> tuple[Request, bytes | None]:
    sent, key = current_request()
    if sent is None or sent.ended_at:
        why = kept.ENDED if sent else kept.NOT_OPEN_HERE
        abort(kept_as_typed(why, lambda: redirect_after_post("/s")))
    return sent, key
