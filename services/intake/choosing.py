"""Question 1: what its buttons do to what was typed. Pure.

`choice` and `if_not` at the same place belong together. `find` and `find_avoid` are names to look for: they stay with what was
typed, so that the page shows who was found.
"""

from collections.abc import Sequence
from typing import Literal, cast

from services.intake.domain import TypedAnswers
from services.intake.forms import ranked_choices
from services.intake.rules import MOST_CHOICES
from shared.contracts import Choice, IfNot

NAMES_TO_FIND = ("find", "find_avoid")
Form = Literal["how", "one", "ranked"]


def form_to_show(typed: TypedAnswers, asked: str) -> Form:
    """One thing at a time: how to find somebody; what happens if the one they chose cannot; several people in their order.

    `asked`: a form that the address or the page before asks for.
    """
    if asked in ("how", "ranked"):
        return cast(Form, asked)
    if typed.get("mode") != "chosen":
        return "how"
    return "one" if len(choices(typed)) == 1 and not name_in(typed, "find") else "ranked"


def choices(typed: TypedAnswers) -> list[Choice]:
    if_not = cast(list[IfNot], listed(typed, "if_not"))  # as typed: the form checks it
    return list(ranked_choices("chosen", listed(typed, "choice"), if_not))


def with_person_first(typed: TypedAnswers, practitioner_id: str, if_not: IfNot = "ask_me") -> TypedAnswers:
    """Coming from somebody's page, that person stands first, with what was said about them before."""
    known = choices(typed)
    first, others = _named(known, practitioner_id), _without(known, practitioner_id)
    return _with_choices({**typed, "mode": "chosen"}, [*(first or [_new(practitioner_id, if_not)]), *others])


def after_press(button: str, typed: TypedAnswers, before: TypedAnswers) -> TypedAnswers:
    """`button`: a word, or a word and a practitioner's id (add/ID). `before`: what had been typed when the page was drawn."""
    action, _, practitioner_id = button.partition("/")
    known = choices(typed)
    match action:
        case "add":
            return _with_choices({**typed, "mode": "chosen", "find": ""}, [*known, _new(practitioner_id)])
        case "drop":
            return _with_choices(typed, _without(known, practitioner_id))
        case "up":
            return _with_choices(typed, _moved_up(known, practitioner_id))
    return _without_a_name_that_was_found(typed, before)


def without_those_avoided(typed: TypedAnswers) -> TypedAnswers:
    """After Send: whom they chose and would rather not meet now is chosen no more."""
    avoided, known = set(listed(typed, "avoid")), choices(typed)
    left = [choice for choice in known if choice.practitioner_id not in avoided]
    if len(left) == len(known):
        return typed
    mode = typed.get("mode", "") if left or typed.get("mode") != "chosen" else "suggest"
    return _with_choices({**typed, "mode": mode}, left)


def asks_to_find(button: str, typed: TypedAnswers, before: TypedAnswers) -> str:
    """Which field's name to look for now, if any. Continue, and the Enter key in such a field, look for a new name first."""
    if button in NAMES_TO_FIND:
        return button
    new = (field for field in NAMES_TO_FIND if _is_new(field, typed, before))
    return next(new, "") if not button else ""


def name_in(typed: TypedAnswers, field: str) -> str:
    return str(typed.get(field, "")).strip()


def listed(typed: TypedAnswers, field: str) -> list[str]:
    values = typed.get(field, [])
    return values if isinstance(values, list) else [values]


def _is_new(field: str, typed: TypedAnswers, before: TypedAnswers) -> bool:
    return name_in(typed, field) not in ("", name_in(before, field))


def _with_choices(typed: TypedAnswers, changed: Sequence[Choice]) -> TypedAnswers:
    kept = list(changed[:MOST_CHOICES])
    return {**typed, "choice": [choice.practitioner_id for choice in kept], "if_not": [choice.if_not for choice in kept]}


def _new(practitioner_id: str, if_not: IfNot = "ask_me") -> Choice:
    return Choice(practitioner_id=practitioner_id, if_not=if_not)


def _named(known: Sequence[Choice], practitioner_id: str) -> list[Choice]:
    return [choice for choice in known if choice.practitioner_id == practitioner_id]


def _without(known: Sequence[Choice], practitioner_id: str) -> list[Choice]:
    return [choice for choice in known if choice.practitioner_id != practitioner_id]


def _moved_up(known: Sequence[Choice], practitioner_id: str) -> list[Choice]:
    moved = list(known)
    for place in range(1, len(moved)):
        if moved[place].practitioner_id == practitioner_id:
            moved[place - 1 : place + 1] = moved[place], moved[place - 1]
            break
    return moved


def _without_a_name_that_was_found(typed: TypedAnswers, before: TypedAnswers) -> TypedAnswers:
    """Somebody was ticked among those found: that name needs no more looking for."""
    ticked = set(listed(typed, "avoid")) - set(listed(before, "avoid"))
    return {**typed, "find_avoid": ""} if ticked and not _is_new("find_avoid", typed, before) else typed
