"""Questions 2 to 7 (the first is in first_question.py), the check page, Send, and coming back later."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, request

from services.intake import forms, rules, store
from services.intake.domain import Answers, Draft, TypedAnswers
from services.intake.handlers import service
from services.intake.handlers.access import RequestAccess, own_code_words
from services.intake.handlers.supportee import (
    NoLongerOpen,
    SubmitRequest,
    erase_draft,
    new_draft,
    prepare_code_words,
    save_draft,
    submit_request,
)
from services.intake.rules import LAST_QUESTION
from services.intake.web import floods
from services.intake.web.helpers import current_draft, entries_by_id, start_draft_session, supportee_session
from shared.clock import now
from shared.people import zones, zones_by_region
from shared.sessions import NewSession
from shared.web import sessions
from shared.web.forms import Errors
from shared.web.limits import limiter
from shared.web.locale import language
from shared.web.views import redirect_after_post, render

ask = Blueprint("ask", __name__, url_prefix="/ask")
ASKED_AGAIN = 409
limit_drafts = limiter.shared_limit("200 per 10 minutes", scope="drafts")  # of one place: many people may share it


@ask.get("")
def begin() -> Response:
    query = request.query_string.decode()
    return redirect_after_post(f"/ask/1?{query}" if query else "/ask/1")


@ask.get("/<int:question>")
def show_question(question: int) -> Response:
    draft = current_draft()
    if question not in forms.QUESTIONS:
        abort(404)
    return question_page(question, draft.typed.get(question) or _suggested(question), {}) if draft else _no_draft()


@ask.post("/<int:question>")
@limit_drafts
def take_answer(question: int) -> Response:
    if question not in forms.QUESTIONS:
        abort(404)
    known = current_draft()
    draft, errors = with_typed(known or new_draft(), question, forms.typed_in(question, request.form))
    button = button_pressed(draft)
    draft = save_typed(draft, button, ready=question == LAST_QUESTION and _read_all(draft)[0] is not None)
    show_errors = errors and not button
    typed = draft.typed[question]
    response = question_page(question, typed, errors) if show_errors else redirect_after_post(address_after(question, button))
    return response if known else start_draft_session(response, draft)


def with_typed(draft: Draft, question: int, typed: TypedAnswers) -> tuple[Draft, Errors]:
    """The draft with these answers, and what is wrong with them. Answers 400 to a field that no page of ours has."""
    draft = replace(draft, typed={**draft.typed, question: typed})
    try:
        zone = forms.time_zone_of(draft.typed, service.programme.time_zone)
        _, errors = forms.read(question, typed, zone, service.programme.text_countries)
    except forms.UnknownField:
        abort(400)
    return draft, errors


def button_pressed(draft: Draft) -> str:
    """Nobody needs code words for an empty form: to make them costs this server much, so "save" then only goes on."""
    button = request.form.get("go", "")
    return "" if button == "save" and not forms.says_something(draft.typed) else button


def _read_all(draft: Draft) -> tuple[Answers, None] | tuple[None, int]:
    return forms.read_all(draft.typed, service.programme.time_zone, service.programme.text_countries)


def save_typed(draft: Draft, button: str, *, ready: bool = False) -> Draft:
    """Code words are made for whoever saves to come back, and before the last page, so that Send is quick."""
    if button == "save" or ready:
        draft = prepare_code_words(draft, language())
    if button == "save" and draft.code_words:
        draft = replace(draft, code_words=replace(draft.code_words, saved=True))
    service.run(save_draft, draft)
    return draft


def address_after(question: int, button: str) -> str:
    if button == "save":
        return "/ask/saved"
    following = rules.after(question)
    return "/ask/check" if following is None or request.form.get("then") == "check" else f"/ask/{following}"


def _suggested(question: int) -> TypedAnswers:
    """What stands there before anything was answered: whoever reads Spanish pages speaks Spanish, unless they say otherwise."""
    return {"language": language()} if question == 6 else {}


def question_page(question: int, typed: TypedAnswers, errors: Errors, *, correcting: bool = False) -> Response:
    """`correcting`: after Send, one answer alone."""
    context: dict[str, Any] = {"typed": forms.blank(question) | typed, "question": question}
    if question == 4:
        context["hours"] = [(str(hour), f"{hour}:00") for hour in range(24)]
    if question == 5:
        context.update(regions=zones_by_region(), known_zones=zones())
    then = request.values.get("then", "")
    return render(f"ask/{question}.html", errors, then=then, correcting=correcting, **context)


@ask.get("/go-on")
def go_on() -> Response:
    """Where somebody who saved left off, so that no question is skipped."""
    draft = current_draft()
    if draft is None:
        return _no_draft()
    question = rules.question_to_go_on_with(draft.typed)
    return redirect_after_post(f"/ask/{question}?back=1" if question else "/ask/check?back=1")


# Check and send


@ask.get("/check")
def show_check() -> Response:
    draft = current_draft()
    if draft is None:
        return _no_draft()
    answers, question = _read_all(draft)
    return redirect_after_post(f"/ask/{question}?then=check") if answers is None else _check_page(draft, answers)


def _check_page(draft: Draft, answers: Answers, *, why: str = "", status: int = 200) -> Response:
    known = entries_by_id([*(choice.practitioner_id for choice in answers.choices), *answers.avoid])
    gone = rules.no_longer_open(answers.choices, {id: entry.state for id, entry in known.items()})
    chosen = [known[choice.practitioner_id] for choice in answers.choices if choice.practitioner_id in known]
    strangers = [entry for entry in chosen if answers.languages and not rules.speaks(entry, *answers.languages)]
    context: dict[str, Any] = {
        "draft": draft,
        "answers": answers,
        "known": known,
        "why": why,
        "gone": gone,
        "strangers": strangers,
    }
    return render("ask/check.html", status=status, **context)


@ask.post("/check")
@limiter.limit("300 per 10 minutes")
def send() -> Response:
    session = sessions.current(service.db, "draft")
    if session is None or session.key is None:
        return _no_draft()
    draft = store.draft(service.db, session.person_id, session.key)
    begun = supportee_session(RequestAccess(session.person_id, session.subject_id, session.key))
    if draft:
        return _send_or_ask_again(draft, begun)
    return _sent_before(begun) if store.request_of(service.db, session.person_id) else _no_draft()


def _sent_before(begun: NewSession) -> Response:
    return sessions.begin(redirect_after_post("/ask/sent"), service.db, begun)


def _send_or_ask_again(draft: Draft, begun: NewSession) -> Response:
    answers, question = _read_all(draft)
    if answers is None:
        return redirect_after_post(f"/ask/{question}?then=check")
    if rules.looks_like_a_machine(request.form.get("website", ""), "pressed" in request.form):
        return _check_page(draft, answers, why="once_more")
    draft = prepare_code_words(draft, language())
    assert draft.code_words
    held = floods.is_to_be_held(draft, answers, trapped=bool(request.form.get("website")))
    told = frozenset(request.form.getlist("told"))
    command = SubmitRequest(draft, draft.code_words, answers, language(), begun, told, held)
    key, reads = f"request/{draft.request_id}", {"directory": command.chosen}
    try:
        events = service.run(submit_request, command, idempotency_key=key, prefetch=reads)
    except NoLongerOpen:
        return _check_page(draft, answers, why="gone", status=ASKED_AGAIN)
    return sessions.set_cookie(redirect_after_post("/ask/sent"), begun) if events else _sent_before(begun)


@ask.get("/sent")
def show_sent() -> Response:
    session = sessions.current(service.db, "supportee")
    sent = store.request(service.db, session.subject_id) if session else None
    words = own_code_words(sent, session.key) if session and session.key and sent else ""
    if sent is None or not words:
        return redirect_after_post("/s")
    first = next(iter(entries_by_id(sent.choices[:1]).values()), None)
    by = sent.hear_by(service.programme.answer_days)
    return render("ask/sent.html", sent=sent, code_words_shown=words, first=first, by=by)


# Coming back


@ask.get("/saved")
def show_saved() -> Response:
    draft = current_draft()
    if draft is None or not draft.code_words:
        return _no_draft()
    code = store.code(service.db, draft.code_words.id)
    return render("ask/saved.html", words_to_keep_shown=draft.code_words.words, until=code.expires_at if code else now())


@ask.get("/erase")
def show_erase() -> Response:
    return render("ask/erase.html") if current_draft() else _no_draft()


@ask.post("/erase")
def erase() -> Response:
    draft = current_draft()
    if draft:
        service.run(erase_draft, draft.person_id)
    return sessions.end(redirect_after_post("/ask/erased"), service.db, "draft")


@ask.get("/erased")
def show_erased() -> Response:
    return render("ask/erased.html")


def _no_draft() -> Response:
    """The visitor had a draft once, or never had: then the first question is the place to begin."""
    had_one = any(name.endswith("draft") for name in request.cookies)
    return render("ask/expired.html", status=410) if had_one else redirect_after_post("/ask/1")
