"""Question 1: whom somebody would like to meet, and whom rather not. Nobody is listed here; people are found by name."""

from flask import Blueprint, Response, request

from services.intake import choosing, forms, rules, store
from services.intake.domain import TypedAnswers
from services.intake.handlers import service
from services.intake.handlers.supportee import new_draft
from services.intake.listing import Listing
from services.intake.rules import Entry
from services.intake.web.ask import address_after, save_typed, with_typed
from services.intake.web.helpers import current_draft, entries_by_id, listing, start_draft_session
from shared.web.forms import Errors
from shared.web.views import redirect_after_post, render

first_question = Blueprint("first_question", __name__, url_prefix="/ask")
QUESTION = 1


@first_question.get("/1")
def show_first_question() -> Response:
    draft = current_draft()
    return _page(_as_the_address_asks(draft.typed.get(QUESTION, {}) if draft else {}), {})


@first_question.post("/1")
def take_first_answer() -> Response:
    known, button = current_draft(), request.form.get("go", "")
    before = known.typed.get(QUESTION, {}) if known else {}
    typed = choosing.after_press(button, forms.typed_in(QUESTION, request.form), before)
    to_find = choosing.asks_to_find(button, typed, before)
    draft, errors = with_typed(known or new_draft(), QUESTION, typed)
    errors = _errors_to_show(typed, errors, button, to_find)
    draft = save_typed(draft, button)
    response = _page(typed, errors) if errors else redirect_after_post(_following(button, to_find))
    return response if known else start_draft_session(response, draft)


def _errors_to_show(typed: TypedAnswers, errors: Errors, button: str, to_find: str) -> Errors:
    """Of a name to look for only what keeps from looking; of the whole question only when the person wants to go on."""
    if to_find:
        missing = {} if choosing.name_in(typed, to_find) else {to_find: forms.NAME_TO_FIND}
        return missing or {name: says for name, says in errors.items() if name == to_find}
    return {} if button else errors or _of_those_chosen(typed)


def _of_those_chosen(typed: TypedAnswers) -> Errors:
    chosen = _chosen(typed)
    listed = {id for id, entry in entries_by_id(chosen).items() if rules.may_be_chosen(entry)} if chosen else set()
    return {"choice": forms.NO_LONGER_HERE} if set(chosen) - listed else {}


def _following(button: str, to_find: str) -> str:
    if to_find or button not in ("", "save"):
        then = "?then=check" if request.form.get("then") == "check" else ""
        return f"/ask/{QUESTION}{then}#{'found-' + to_find if to_find else 'choices'}"
    return address_after(QUESTION, button)


def _page(typed: TypedAnswers, errors: Errors) -> Response:
    chosen, avoided = _chosen(typed), choosing.listed(typed, "avoid")
    return render(
        "ask/1.html",
        errors,
        question=QUESTION,
        then=request.values.get("then", ""),
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
    """`with`: the person from whose page they come. `mode`: what a link offered."""
    entry = store.entry_by_slug(service.db, service.vault, request.args["with"]) if "with" in request.args else None
    if entry and rules.may_be_chosen(entry):
        return choosing.with_person_first(typed, entry.id)
    return {"mode": request.args["mode"], **typed} if "mode" in request.args else typed
