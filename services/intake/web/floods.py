"""Whether what is sent is held for a coordinator: it came faster than a person types, or with many others to or from one place.

Counted in the website's memory (shared/web/counts.py). Nobody is refused: several people may share a place, and some wait.
"""

from services.intake import rules
from services.intake.domain import Answers, Draft
from services.intake.handlers import service
from services.intake.handlers.supportee import address_index
from shared.clock import now
from shared.web.counts import counts
from shared.web.limits import client_key


def is_to_be_held(draft: Draft, answers: Answers, *, trapped: bool) -> bool:
    """`trapped`: the field that nobody sees was filled in. Pressing Send again counts nothing anew."""
    floods = service.programme.floods
    is_new = _count(f"sent/{draft.request_id}", 1) == 1
    from_here = _is_above(f"from/{client_key()}", floods.from_one_place, is_new)
    addresses = [_is_above(f"for/{index}", floods.for_one_address, is_new) for index in _addresses(answers)]
    too_fast = rules.typed_too_fast(draft.begun_at, now(), floods.seconds_to_type)
    if trapped or too_fast or from_here or any(addresses):
        return True  # what is held anyway is not counted against those who are chosen: the next person shall reach them
    first = answers.choices[0].practitioner_id if answers.choices else ""
    return bool(first) and _is_above(f"to/{first}", floods.to_one_practitioner, is_new)


def _addresses(answers: Answers) -> list[str]:
    given = (address_index("email", answers.email_address), address_index("phone", answers.phone_number))
    return [index for index in given if index]


def _is_above(name: str, most: int, is_new: bool) -> bool:
    return bool(most) and _count(name, int(is_new)) > most


def _count(name: str, amount: int) -> int:
    return counts.add(name, service.programme.floods.hours * 3600, amount)
