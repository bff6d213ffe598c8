"""Whom somebody would rather not meet, corrected after Send: it holds at once for who is asked, shown and may read."""

from services.matching import rules, store
from services.matching.domain import Request
from services.matching.handlers import names
from services.matching.handlers.held import go_on
from services.matching.handlers.offers import release_open_offer
from services.matching.handlers.requests import next_step, step_after_ranking, stop_waiting_in_vain, take_step
from services.matching.handlers.tasks import call_again
from shared.messages import Event
from shared.mongo import Db


def hide_from_those_named(request: Request, db: Db) -> list[Event]:
    """A coordinator who is named now lets go of what they took, others are called. Changes the request; the caller saves it."""
    request.avoid_index = names.avoided_by(request)
    store.tasks.hide(db, request.id, request.avoid_index)
    named, events = names.coordinators_named(request, db), list[Event]()
    for task in store.tasks.open_about(db, request.id):
        if task.holder in named:
            task.let_go()
            store.tasks.save(db, task)
            events = events or call_again(request, "wrote" if task.reason == "wrote" else "reach_out", db)
    return events


def meet_none_of_those_named(request: Request, db: Db) -> list[Event]:
    """Whoever is asked and stands there now is let off without a why. Changes the request; the caller saves it."""
    if request.held_until:
        return [] if request.encrypted and "avoid_words" in request.encrypted.fields else go_on(request, db)
    return _ask_somebody_else(request, db) or _suggest_others(request, db) or stop_waiting_in_vain(request, db)


def _ask_somebody_else(request: Request, db: Db) -> list[Event]:
    offer = store.offers.find_open(db, request.id)
    asked = store.practitioners.find(db, offer.practitioner_id) if offer else None
    if asked is None or not rules.avoid_each_other(request, asked):
        return []
    released = release_open_offer(request, "chose_another", db)
    return released + take_step(request, next_step(request, db), db)


def _suggest_others(request: Request, db: Db) -> list[Event]:
    shown = store.practitioners.find_many(db, request.suggested) if request.waiting_for == "choice" and request.suggested else {}
    if not any(rules.avoid_each_other(request, one) for one in shown.values()):
        return []
    return take_step(request, step_after_ranking(request, db), db)
