"""Asking for somebody else. What is written down travels in a link that the writer hands on; nothing of it is stored, and nobody
here can read it, before the person it is about says yes."""

from dataclasses import replace

from flask import Blueprint, Response, abort, request

from services.intake import forms, store
from services.intake.domain import Draft, TypedAnswers
from services.intake.handlers import service
from services.intake.handlers.invitations import AnswerInvitation, UsedUp, answer_invitation
from services.intake.handlers.supportee import new_draft
from services.intake.invitations import Invitation, NoInvitation, invite, open_invitation
from services.intake.web.helpers import current_draft, start_draft_session
from shared.clock import now
from shared.tokens import digest
from shared.web.forms import read
from shared.web.limits import limit_failures, limiter
from shared.web.views import redirect_after_post, render

for_someone = Blueprint("for_someone", __name__)


@for_someone.get("/for-someone")
def show_form() -> Response:
    return render("for_someone.html", typed=request.form)


@for_someone.post("/for-someone")
@limiter.limit("60 per 10 minutes")
def make_link() -> Response:
    """The link is on this answer alone."""
    typed, errors = read(forms.ForSomeoneForm(), request.form)
    if errors:
        return render("for_someone.html", errors, typed=request.form)
    moment = now()
    token = invite(service.vault.secret, typed["name"], typed["words"], moment)
    return render("for_someone_link.html", link=f"{service.public_url}/for/{token}", until=_opened(token).expires_at)


@for_someone.get("/for/<token>")
@limit_failures("60 per 10 minutes")
def show_invitation(token: str) -> Response:
    return render("invitation.html", invitation=_opened(token), token=token)


@for_someone.post("/for/<token>")
@limit_failures("60 per 10 minutes")
def answer(token: str) -> Response:
    invitation, says_yes = _opened(token), request.form.get("go") == "yes"
    known = current_draft() if says_yes else None
    draft = _with_what_was_written(known or new_draft(), invitation) if says_yes else None
    try:
        service.run(answer_invitation, AnswerInvitation(digest(invitation.id), invitation.expires_at, draft))
    except UsedUp:
        abort(410)
    if draft is None:
        return redirect_after_post("/for-someone/thrown-away")
    response = redirect_after_post("/ask/1")
    return response if known else start_draft_session(response, draft)


@for_someone.get("/for-someone/thrown-away")
def show_thrown_away() -> Response:
    return render("thrown_away.html")


def _opened(token: str) -> Invitation:
    """Answers 410 alike for a link that is wrong, too old or used up."""
    try:
        invitation = open_invitation(service.vault.secret, token, now())
    except NoInvitation:
        abort(410)
    if store.is_used_up(service.db, digest(invitation.id)):
        abort(410)
    return invitation


def _with_what_was_written(draft: Draft, invitation: Invitation) -> Draft:
    """Where the person has answered already in this browser, their own words stay."""
    written: dict[int, TypedAnswers] = {2: {"name": invitation.name}, 3: {"words": invitation.words}}
    new = {question: typed for question, typed in written.items() if not forms.says_something(_answered(draft, question))}
    return replace(draft, typed={**draft.typed, **new})


def _answered(draft: Draft, question: int) -> dict[int, TypedAnswers]:
    return {question: draft.typed.get(question, {})}
