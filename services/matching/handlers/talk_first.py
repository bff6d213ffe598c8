"""Before an offer goes out to somebody who may know this person: a name on their own list has a part of this one.

Names are common, so it excludes nobody: a coordinator talks with the practitioner first. The supportee sees what they see of
anybody who is not free; the desk and the broker hear that somebody should look, and never why.
"""

from services.matching import rules, store
from services.matching.domain import Practitioner, Request
from services.matching.handlers import names
from services.matching.handlers.offers import make_offer
from services.matching.handlers.tasks import call_again, open_task
from shared.messages import Event
from shared.mongo import Db


def offer_or_check(
    request: Request, practitioner: Practitioner, db: Db, *, choice_index: int | None, after_waiting: bool = False
) -> list[Event]:
    """Changes the request; the caller saves it."""
    if needs_check(request, practitioner):
        return _check_first(request, practitioner, db, choice_index)
    return make_offer(request, practitioner, db, choice_index=choice_index, after_waiting=after_waiting)


def needs_check(request: Request, practitioner: Practitioner) -> bool:
    """Their name is opened only where somebody has a name on their list."""
    names_somebody = any(entry.name_index for entry in practitioner.own_list)
    if not names_somebody or practitioner.id in request.checked:
        return False
    return rules.may_know(practitioner, names.of_supportee(request))


def call_to_check(request: Request, practitioner_id: str, db: Db) -> list[Event]:
    """Changes the request; the caller saves it. The event says no more than when nobody is free."""
    request.talk_first_with(practitioner_id)
    open_task(request, "ask_in_person", db, person_id=practitioner_id)
    return call_again(request, "nobody_suits", db)


def _check_first(request: Request, practitioner: Practitioner, db: Db, choice_index: int | None) -> list[Event]:
    """Whoever was named is waited for. Where anybody will do, somebody else may be asked meanwhile."""
    events: list[Event] = []
    if request.queue is None:
        request.choice_index = choice_index
        anybody_will_do = request.mode == "anyone" and choice_index is None
        store.assignment.leave_triggers(db, "request_id", [request.id])
        events = request.wait_for_place(() if anybody_will_do else (practitioner.id,))
    return events + call_to_check(request, practitioner.id, db)
