"""Making an offer and ending one: a place of the practitioner goes with it."""

import uuid
from datetime import timedelta

from services.matching import rules, store
from services.matching.domain import Match, Offer, Practitioner, Request
from services.matching.handlers.agreements import end_agreement
from services.matching.handlers.links import issue_links
from services.matching.handlers.look_backs import end_look_back
from services.matching.handlers.meetings import end_meetings
from services.matching.handlers.service import service
from shared.clock import now
from shared.contracts import AfterEnding, PairMember, ReleaseReason
from shared.messages import Event
from shared.mongo import Db

UNDO_LASTS = timedelta(hours=24)


def make_offer(
    request: Request, practitioner: Practitioner, db: Db, *, choice_index: int | None, after_waiting: bool = False
) -> list[Event]:
    """Changes the request; the caller saves it."""
    moment = now()
    if request.stored_version is not None:
        store.tasks.resolve(db, request.id, moment, only=["nobody_suits", "ask_in_person"])
    answer_by = rules.answer_by(moment, service.programme.answer_days, practitioner.time_zone)
    changed = practitioner.hold_place(moment)
    store.practitioners.save(db, practitioner)
    offer = Offer(
        id=str(uuid.uuid4()),
        request_id=request.id,
        supportee_id=request.supportee_id,
        practitioner_id=practitioner.id,
        slot=practitioner.occupied_slots[-1],
        code=practitioner.pending_codes[-1],
        made_at=moment,
        answer_by=answer_by,
        remind_at=rules.remind_at(moment, answer_by, practitioner.time_zone),
        after_waiting=after_waiting,
    )
    made = request.ask(offer, issue_links(offer, db), choice_index)
    store.offers.save(db, offer)
    return made + changed


def release_open_offer(request: Request, reason: ReleaseReason, db: Db) -> list[Event]:
    """The supportee goes another way: the practitioner is told, and their place is free again. Changes the request; the caller
    saves it."""
    offer = store.offers.find_open(db, request.id)
    if offer is None:
        return []
    offer.release(now())
    store.offers.save(db, offer)
    request.close_offer(offer)
    return request.offer_released(offer, reason) + free_place(offer, db, pending=True)


def end_match(match: Match, by: PairMember, then: AfterEnding, request: Request, db: Db) -> list[Event]:
    """Their place stays held while this may be taken back. Changes the request; the caller saves it."""
    moment, offer = now(), store.offers.find(db, match.offer_id)
    if offer is None or offer.state != "accepted":
        return []
    undo_until = None if then == "over" else moment + UNDO_LASTS
    match.end(moment, by)
    offer.end_meetings(moment, by, undo_until)
    store.offers.save_match(db, match)
    store.offers.save(db, offer)
    events = request.end_match(match, offer, then)
    if undo_until is None:
        return events + free_place(offer, db, pending=False)
    return events + end_meetings(match, db) + end_agreement(match, db) + end_look_back(match, db)


def settle_end(offer: Offer, db: Db) -> list[Event]:
    """The end of a match cannot be taken back any more: its place is free, once."""
    if offer.undo_until is None:
        return []
    offer.settle_end()
    store.offers.save(db, offer)
    return free_place(offer, db, pending=False)


def settle_ends(request: Request, db: Db, *, by: PairMember | None = None) -> list[Event]:
    """The request went on. With `by`: only what this one ended. Changes the request; the caller saves it."""
    events: list[Event] = []
    for offer in store.offers.undoable_about(db, request.id):
        match = store.offers.find_match(db, offer.id)
        if match and by in (None, offer.ended_by):
            events += request.settle_end(match) + settle_end(offer, db)
    return events


def free_place(offer: Offer, db: Db, *, pending: bool) -> list[Event]:
    """`pending`: the offer had not been answered with a yes."""
    practitioner = store.practitioners.find(db, offer.practitioner_id)
    if practitioner is None:
        return []
    changed = practitioner.free_place(offer.slot, offer.code if pending else None)
    store.practitioners.save(db, practitioner)
    return changed
