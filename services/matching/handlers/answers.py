"""What a practitioner's answer changes, whichever way it came.

A yes takes effect at once: the supportee is told. A "not this time" lets the supportee go on at once, and can still become a yes
until somebody else is asked or the supportee chose what happens next.
"""

import uuid
from datetime import datetime

from services.matching import rules, store
from services.matching.domain import Offer, Request
from services.matching.handlers.keys import encrypt_for_match
from services.matching.handlers.meetings import begin_meetings
from services.matching.handlers.notes import write_note
from services.matching.handlers.offers import free_place, settle_ends
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.tasks import open_task
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db


def accept(offer: Offer, db: Db) -> list[Event]:
    """[] when there is nothing left to say yes to."""
    request = store.requests.find(db, offer.request_id)
    if request is None:
        return []
    if offer.is_open:
        offer.accept(now())
        return _match(offer, request, db) + _keep_place(offer, db)
    return _change_to_yes(offer, request, db) if may_change_to_yes(offer, request) else []


def decline(offer: Offer, db: Db) -> list[Event]:
    """[] when it is not open any more."""
    if not offer.is_open:
        return []
    offer.decline(now())
    return end_offer_and_continue(offer, db)


def ask_first(offer: Offer, question: str, db: Db) -> list[Event]:
    """The question is put to the supportee; the offer stays open meanwhile, and coordinators see that an answer is awaited."""
    request = store.requests.find(db, offer.request_id)
    if request is None or not offer.is_open:
        return []
    events = write_note(request, question, db, practitioner_id=offer.practitioner_id)
    open_task(request, "asks_first", db, person_id=offer.practitioner_id)
    store.requests.save(db, request)
    return events


def pause(practitioner_id: str, until: datetime | None, db: Db) -> list[Event]:
    """Other open offers stay: each can still be answered. Nothing changes for somebody who stepped back."""
    practitioner = store.practitioners.find(db, practitioner_id)
    if practitioner is None or practitioner.has_stepped_back:
        return []
    changed = practitioner.rest(until)
    store.practitioners.save(db, practitioner)
    return changed


def end_offer_and_continue(offer: Offer, db: Db) -> list[Event]:
    """The offer was declined or expired: its place is free, and the next step of the request follows."""
    store.offers.save(db, offer)
    freed = free_place(offer, db, pending=True)
    request = store.requests.find(db, offer.request_id)
    if request is None:
        return freed
    request.close_offer(offer)
    step = next_step(request, db)
    ended = request.offer_declined if offer.state == "declined" else request.offer_expired
    events = ended(offer, rules.NEXT_IN_EVENT[step.action]) + freed
    store.tasks.resolve(db, request.id, now(), only=["asks_first"])
    events += take_step(request, step, db)
    store.requests.save(db, request)
    return events


def may_change_to_yes(offer: Offer, request: Request) -> bool:
    """As long as nobody else is asked. Whether the practitioner still has a place is another question."""
    return offer.state == "declined" and request.state in ("waiting", "reaching_out")


def _change_to_yes(offer: Offer, request: Request, db: Db) -> list[Event]:
    practitioner = store.practitioners.find(db, offer.practitioner_id)
    if practitioner is None or not practitioner.has_room:
        return []
    changed = practitioner.hold_place_for_match(now())
    offer.change_to_yes(practitioner.occupied_slots[-1], now())
    store.practitioners.save(db, practitioner)
    return changed + _match(offer, request, db)


def _match(offer: Offer, request: Request, db: Db) -> list[Event]:
    match_id = str(uuid.uuid4())
    match, made = request.match(offer, match_id, now(), encrypt_for_match(request, match_id))
    store.offers.save(db, offer)
    store.offers.save_match(db, match)
    settled = settle_ends(request, db)
    begun = begin_meetings(match, request, store.practitioners.find(db, match.practitioner_id), db)
    store.requests.save(db, request)
    store.tasks.resolve(db, request.id, now(), without=rules.HOLDS_MESSAGES)
    return made + settled + begun


def _keep_place(offer: Offer, db: Db) -> list[Event]:
    practitioner = store.practitioners.find(db, offer.practitioner_id)
    if practitioner is None:
        return []
    changed = practitioner.keep_place(offer.code)
    store.practitioners.save(db, practitioner)
    return changed
