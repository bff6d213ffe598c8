"""Question 1: whom somebody would like to meet, and whom rather not. Nobody is listed here; people are found by name."""

from urllib.parse import urlencode

from flask import Blueprint, Response, request

from services.intake import choosing, forms, rules, store
from services.intake.choosing import Form
from services.intake.domain import TypedAnswers
from services.intake.handlers import service
from services.intake.handlers.supportee import new_draft
from services.intake.listing import Listing
from services.intake.rules import Entry
from services.intake.web.ask import address_after, button_pressed, limit_drafts, save_typed, with_typed
from services.intake.web.helpers import current_draft, entries_by_id, listing, start_draft_session
from shared.web.forms import Errors
from shared.web.views import redirect_after_post, render

first_question = Blueprint("first_question", __name__, url_prefix="/ask")
QUESTION = 1


@first_question.get("/1")
def show_first_question() -> Response:
    draft = current_draft()
    typed = _as_the_address_asks(draft.typed.get(QUESTION, {}) if draft else {})
    return _page(typed, {}, choosing.form_to_show(typed, request.args.get("form", "")))


@first_question.post("/1")
@limit_drafts
def take_first_answer() -> Response:
    known, button = current_draft(), request.form.get("go", "")
    before = known.typed.get(QUESTION, {}) if known else {}
    typed = choosing.after_press(button, forms.typed_in(QUESTION, request.form), before)
    form = choosing.form_to_show(typed, request.form.get("form", ""))
    to_find = choosing.asks_to_find(button, typed, before)
    draft, errors = with_typed(known or new_draft(), QUESTION, typed)
    errors = _errors_to_show(typed, errors, button, to_find, form)
    button = button_pressed(draft) if button == "save" else button
    draft = save_typed(draft, button)
    response = _page(typed, errors, form) if errors else redirect_after_post(_following(typed, button, to_find, form))
    return response if known else start_draft_session(response, draft)


def _errors_to_show(typed: TypedAnswers, errors: Errors, button: str, to_find: str, form: Form) -> Errors:
    """Of a name to look for only what keeps from looking; of the whole question only when the person wants to go on."""
    if to_find:
        missing = {} if choosing.name_in(typed, to_find) else {to_find: forms.NAME_TO_FIND}
        return missing or {name: says for name, says in errors.items() if name == to_find}
    if button or _chooses_next(typed, button, form):
        return {}
    return _beside_the_names(errors, form) or _of_those_chosen(typed)


def _chooses_next(typed: TypedAnswers, button: str, form: Form) -> bool:
    """They said that they choose somebody themselves; whom, is the next page's question."""
    return form == "how" and not button and typed.get("mode") == "chosen"


def _beside_the_names(errors: Errors, form: Form) -> Errors:
    """Where people are chosen, nobody chosen is said beside the names."""
    return errors if form == "how" else {"choice" if name == "mode" else name: says for name, says in errors.items()}


def _of_those_chosen(typed: TypedAnswers) -> Errors:
    chosen = _chosen(typed)
    listed = {id for id, entry in entries_by_id(chosen).items() if rules.may_be_chosen(entry)} if chosen else set()
    return {"choice": forms.NO_LONGER_HERE} if set(chosen) - listed else {}


def _following(typed: TypedAnswers, button: str, to_find: str, form: Form) -> str:
    if button == "more" or _chooses_next(typed, button, form):
        return _address(form="ranked")
    if to_find:
        same = choosing.form_to_show(typed, "") == form
        return _address(form="" if same else form) + f"#found-{to_find}"
    return _address() + "#choices" if button not in ("", "save") else address_after(QUESTION, button)


def _address(form: str = "") -> str:
    query = urlencode({"form": form} if form else {})
    then = "then=check" if request.form.get("then") == "check" else ""
    return f"/ask/{QUESTION}?{'&'.join(filter(None, (query, then)))}".rstrip("?")


def _page(typed: TypedAnswers, errors: Errors, form: Form) -> Response:
    chosen, avoided = _chosen(typed), choosing.listed(typed, "avoid")
    return render(
        f"ask/1_{form}.html",
        errors,
        question=QUESTION,
        then=request.values.get("then", ""),
        form=form,
        typed=forms.blank(QUESTION) | typed,
        choices=choosing.choices(typed),
        known=entries_by_id([*chosen, *avoided]) if chosen or avoided else {},
        found=_found(typed),
    )


def _found(typed: TypedAnswers) -> dict[str, list[Entry]]:
    """Field -> whom its name may mean, for each field in which a name was typed."""
    names = {field: choosing.name_in(typed, field) for field in choosing.NAMES_TO_FIND}
    here = listing() if any(names.values()) else Listing({})
    return {field: rules.named_like(here.everybody, name) for field, name in names.items() if name}


def _chosen(typed: TypedAnswers) -> list[str]:
    return [choice.practitioner_id for choice in choosing.choices(typed)]


def _as_the_address_asks(typed: TypedAnswers) -> TypedAnswers:
    """`with`: from whose page they come (without a free place its button says "Wait"). `mode`: what a link offered."""
    entry = store.entry_by_slug(service.db, service.vault, request.args["with"]) if "with" in request.args else None
    if entry and rules.may_be_chosen(entry):
        return choosing.with_person_first(typed, entry.id, "ask_me" if entry.state == "open" else "wait")
    return {"mode": request.args["mode"], **typed} if "mode" in request.args else typed
