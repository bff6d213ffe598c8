"""The seven questions, the check page, Send, and coming back later."""

from dataclasses import replace

from flask import Blueprint, Response, abort, request

from services.intake import forms, rules, store
from services.intake.encryption import Draft, encrypt_draft, encrypt_request, own_code_words, with_code
from services.intake.handlers import DraftSaved, erase_draft, keep_draft, service, submit_request
from services.intake.rules import LAST_QUESTION, MOST_CHOICES
from services.intake.web.here import (
    a_new_draft,
    draft_days,
    draft_of,
    everyone,
    hold_draft,
    let_in,
    page,
    see,
    service_secret,
    the_draft,
)
from services.intake.zones import by_region, zones
from shared.clock import now
from shared.mongo import Doc
from shared.web import sessions
from shared.web.limits import limiter
from shared.web.locale import language

ask = Blueprint("ask", __name__, url_prefix="/ask")
ASKED_ABOUT_AGAIN = 409


@ask.get("")
def begin() -> Response:
    return see(f"/ask/1?{request.query_string.decode()}" if request.query_string else "/ask/1")


@ask.get("/<int:question>")
def show_question(question: int) -> Response:
    draft = the_draft()
    if question not in forms.QUESTIONS:
        abort(404)
    if draft is None and question > 1:
        return nothing_kept()
    typed = draft.typed.get(question, {}) if draft else {}
    return question_page(question, _with_person(typed) if question == 1 else typed, {})


@ask.post("/<int:question>")
def take_answer(question: int) -> Response:
    if question not in forms.QUESTIONS:
        abort(404)
    typed, wrong = _typed_and_wrong(question)
    known = the_draft()
    draft = known or a_new_draft()
    draft = replace(draft, typed={**draft.typed, question: typed})
    go = request.form.get("go", "")
    if go == "save" or (question == LAST_QUESTION and not wrong):
        draft = with_code(draft, language(), service_secret())
    _keep(draft, with_way_back=go == "save")
    answer = question_page(question, typed, wrong) if wrong and not go else see(_where_next(question, typed, go))
    return answer if known else hold_draft(answer, draft)


def _typed_and_wrong(question: int) -> tuple[forms.Typed, dict[str, str]]:
    typed = forms.typed_in(question, dict(request.form.lists()))
    try:
        _, wrong = forms.read(question, typed, service.programme.time_zone)
    except forms.UnknownField:
        abort(400)
    if question == 1 and not wrong and set(typed.get("choice", [])) - {""} - set(everyone()):
        wrong = {"mode": forms.WHO}
    return typed, wrong


def _where_next(question: int, typed: forms.Typed, go: str) -> str:
    if go == "save":
        return "/ask/saved"
    if go == "add":
        return f"/ask/1?rows={len(_filled(typed)) + 1}#choices"
    following = rules.after(question)
    return "/ask/check" if following is None or request.form.get("then") == "check" else f"/ask/{following}"


def _keep(draft: Draft, *, with_way_back: bool = False) -> None:
    row = encrypt_draft(draft, draft_days())
    code = {"code_id": draft.code_id, "person_id": draft.person_id, "wrap": draft.code_wrap, "expires_at": row["expires_at"]}
    service.run(keep_draft, DraftSaved(row, code if with_way_back else None))


def question_page(question: int, typed: forms.Typed, wrong: dict[str, str]) -> Response:
    facts: Doc = {"typed": forms.blank(question) | typed, "question": question, "then": request.values.get("then", "")}
    if question == 1:
        everybody = sorted(everyone().values(), key=lambda entry: entry.name.casefold())
        rows = max(len(_filled(typed)), request.args.get("rows", 1, int), 1)
        facts.update(everybody=everybody, rows=min(rows, MOST_CHOICES))
    if question == 4:
        facts["hours"] = [(str(hour), f"{hour}:00") for hour in range(24)]
    if question == 5:
        facts.update(zones=by_region(), known_zones=zones())
    return page(f"ask/{question}.html", wrong, **facts)


def _with_person(typed: forms.Typed) -> forms.Typed:
    """Coming from somebody's page, that person stands first."""
    entry = store.entry_by_slug(service.db, service.vault, request.args["with"]) if "with" in request.args else None
    if entry is None or not rules.may_be_chosen(entry):
        return {"mode": request.args["mode"], **typed} if "mode" in request.args else typed
    others = [who for who in _filled(typed) if who != entry.id]
    return {**typed, "mode": "chosen", "choice": [entry.id, *others][:MOST_CHOICES]}


def _filled(typed: forms.Typed) -> list[str]:
    return [who for who in typed.get("choice", []) if who]


# Check and send


@ask.get("/check")
def show_check() -> Response:
    draft = the_draft()
    if draft is None:
        return nothing_kept()
    answers, wrong = forms.all_answers(draft.typed, service.programme.time_zone)
    return see(f"/ask/{wrong}?then=check") if wrong else check_page(draft, answers)


def check_page(draft: Draft, answers: Doc, *, why: str = "", status: int = 200) -> Response:
    steps = forms.chosen_steps(answers)
    named = [*(step.practitioner_id for step in steps), *answers["avoid"]]
    known = store.some_entries(service.db, service.vault, named)
    return page(
        "ask/check.html", status=status, draft=draft, answers=answers, steps=steps, known=known, why=why,
        gone=rules.no_longer_open(steps, known), typed=draft.typed,
    )  # fmt: skip


@ask.post("/check")
@limiter.limit("300 per 10 minutes")
def send() -> Response:
    held = sessions.current(service.db, "draft")
    if held is None:
        return nothing_kept()
    draft = draft_of(held)
    if draft:
        asked_again = _ask_again_or_send(draft)
        if asked_again:
            return asked_again
    elif store.request_of(service.db, held.person_id) is None:
        return nothing_kept()
    return let_in(see("/ask/sent"), held.person_id, held.subject_id, held.key)


def _ask_again_or_send(draft: Draft) -> Response | None:
    answers, wrong = forms.all_answers(draft.typed, service.programme.time_zone)
    if wrong:
        return see(f"/ask/{wrong}?then=check")
    if rules.looks_like_a_machine(request.form.get("website", ""), "pressed" in request.form):
        return check_page(draft, answers, why="once_more")
    steps = forms.chosen_steps(answers)
    gone = rules.no_longer_open(steps, store.some_entries(service.db, service.vault, [s.practitioner_id for s in steps]))
    if set(gone) - set(request.form.getlist("told")):
        return check_page(draft, answers, why="gone", status=ASKED_ABOUT_AGAIN)
    draft = with_code(draft, language(), service_secret())
    new = encrypt_request(draft, answers, service.vault, service.public_url, language())
    service.run(submit_request, new, once=draft.request_id)
    return None


@ask.get("/sent")
def show_sent() -> Response:
    held = sessions.current(service.db, "supportee")
    row = store.request(service.db, held.subject_id) if held else None
    words = own_code_words(row, held.key) if held and held.key and row else ""
    if row is None or not words:
        return see("/s")
    known = store.some_entries(service.db, service.vault, row["choices"][:1])
    by = rules.answer_by(row["sent_at"], service.programme.answer_days)
    return page("ask/sent.html", request_row=row, code_words_shown=words, first=known.get("".join(row["choices"][:1])), by=by)


# Coming back


@ask.get("/saved")
def show_saved() -> Response:
    draft = the_draft()
    if draft is None or not draft.code_words:
        return nothing_kept()
    row = store.code(service.db, draft.code_id)
    return page("ask/saved.html", draft=draft, until=row["expires_at"] if row else now())


@ask.get("/erase")
def show_erase() -> Response:
    return page("ask/erase.html") if the_draft() else nothing_kept()


@ask.post("/erase")
def erase() -> Response:
    draft = the_draft()
    if draft:
        service.run(erase_draft, draft.person_id)
    return sessions.end(see("/ask/erased"), service.db, "draft")


@ask.get("/erased")
def show_erased() -> Response:
    return page("ask/erased.html")


def nothing_kept() -> Response:
    """The visitor held a draft once, or never did: then the first question is the place to begin."""
    held_once = any(name.endswith("draft") for name in request.cookies)
    return page("ask/expired.html", status=410) if held_once else see("/ask/1")
