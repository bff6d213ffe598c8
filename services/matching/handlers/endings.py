"""How the meetings of two people end: by either of them, in one step, without a reason, and taken back within a day.

While an end may be taken back it keeps the place, so that taking it back always works as long as the request has not gone on.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.matching import store
from services.matching.domain import Match, Offer, Request
from services.matching.handlers.agreements import resume_agreement
from services.matching.handlers.look_backs import resume_look_back
from services.matching.handlers.meetings import hold_meetings, resume_meetings
from services.matching.handlers.offers import end_match, release_open_offer, settle_end
from services.matching.handlers.requests import find_request, step_after_ranking, take_step
from services.matching.handlers.service import service
from services.matching.handlers.tasks import call_coordinators
from shared.clock import now
from shared.contracts import MatchHoldChanged, MatchLeavingUndone, MatchLeft
from shared.messages import Event
from shared.mongo import Db

YES_IS_NEW = timedelta(days=7)
SECONDS_BETWEEN_LOOKS = 30


def end_by_practitioner(offer_id: str, db: Db) -> list[Event]:
    """[] when there is nothing left to end. Soon after the yes a coordinator is told, for the supportee's sake."""
    offer, match = store.offers.find(db, offer_id), store.offers.find_match(db, offer_id)
    request = store.requests.find(db, offer.request_id) if offer else None
    if offer is None or match is None or request is None:
        return []
    if match.ended_at:
        events = _also_ended(offer, match, request, db) if offer.ended_by == "supportee" else []
    else:
        events = end_match(match, "practitioner", "ask_me", request, db)
        if events and yes_is_new(match, now()):
            events += call_coordinators(request, "yes_taken_back", db, person_id=offer.practitioner_id)
    if events:
        store.requests.save(db, request)
    return events


def yes_is_new(match: Match, moment: datetime) -> bool:
    return moment - match.made_at < YES_IS_NEW


def undo_by_practitioner(offer_id: str, db: Db) -> list[Event]:
    """[] when that is not possible any more: the page then says so."""
    offer, match = store.offers.find(db, offer_id), store.offers.find_match(db, offer_id)
    request = store.requests.find(db, offer.request_id) if offer else None
    if offer is None or match is None or request is None or not offer.may_be_undone_by("practitioner", now()):
        return []
    if not (request.state == "reaching_out" or (request.state == "waiting" and request.waiting_for == "choice")):
        return []
    events = _resume(offer, match, request, db)
    store.tasks.resolve(db, request.id, now(), only=["yes_taken_back"])
    return events


@service.on(MatchLeft)
def end_by_supportee(event: MatchLeft, db: Db) -> list[Event]:
    request = find_request(event.request_id, db)
    match = store.offers.newest_match(db, request.id, event.practitioner_id)
    offer = store.offers.find(db, match.offer_id) if match else None
    if match is None or offer is None:
        return []
    if match.ended_at is None:
        events = end_match(match, "supportee", event.then, request, db)
    else:
        events = _also_ended(offer, match, request, db) if offer.ended_by == "practitioner" else []
    if events and event.then == "someone_else":
        events += take_step(request, step_after_ranking(request, db), db)
    if events:
        store.requests.save(db, request)
    return events


@service.on(MatchLeavingUndone)
def undo_by_supportee(event: MatchLeavingUndone, db: Db) -> list[Event]:
    """Whoever is being asked meanwhile is let off. Where it is not possible any more, their page has to hear that."""
    request = find_request(event.request_id, db)
    match = store.offers.newest_match(db, request.id, event.practitioner_id)
    offer = store.offers.find(db, match.offer_id) if match else None
    if match is None or offer is None or offer.ended_by != "supportee" or request.has_ended:
        return []
    if request.is_over or not offer.may_be_undone_by("supportee", now()):
        events = request.settle_end(match) + settle_end(offer, db)
        store.requests.save(db, request)
        return events
    released = release_open_offer(request, "chose_another", db)
    return released + _resume(offer, match, request, db)


@service.on(MatchHoldChanged)
def hold_match(event: MatchHoldChanged, db: Db) -> list[Event]:
    """Nothing is sent: the practitioner's page shows it, and the place stays held."""
    match = store.offers.match(db, event.match_id)
    if match and match.request_id == event.request_id:
        match.hold(event.on_hold, event.change)
        store.offers.save_match(db, match)
        return hold_meetings(match, db)
    return []


def find_ends_to_settle(db: Db) -> Iterable[str]:
    return store.offers.ids_past_their_undo(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_ends_to_settle)
def settle_after_a_day(offer_id: str, db: Db) -> list[Event]:
    offer = store.offers.find(db, offer_id)
    return settle_end(offer, db) if offer and offer.undo_until and offer.undo_until <= now() else []


def _also_ended(offer: Offer, match: Match, request: Request, db: Db) -> list[Event]:
    """Both want it: then nobody takes it back."""
    return request.settle_end(match) + settle_end(offer, db) if offer.undo_until else []


def _resume(offer: Offer, match: Match, request: Request, db: Db) -> list[Event]:
    by = offer.ended_by or "supportee"
    match.undo_end()
    offer.undo_end(match.made_at)
    events = request.resume_match(match, by)
    store.offers.save_match(db, match)
    store.offers.save(db, offer)
    store.requests.save(db, request)
    return events + resume_meetings(match, db) + resume_agreement(match, db) + resume_look_back(match, db)
