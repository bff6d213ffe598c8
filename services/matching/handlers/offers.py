"""Making an offer and ending one: a place of the practitioner goes with it."""

import uuid
from datetime import timedelta

from services.matching import rules, store
from services.matching.domain import Offer, Practitioner, Request
from services.matching.handlers.service import service
from shared import tokens
from shared.clock import now
from shared.contracts import EncryptedFields, ReleaseReason
from shared.messages import Event
from shared.mongo import Db

LINK_OUTLIVES_OFFER = timedelta(days=7)


def make_offer(
    request: Request, practitioner: Practitioner, db: Db, *, choice_index: int | None, after_waiting: bool = False
) -> list[Event]:
    """Changes the request; the caller saves it."""
    moment = now()
    if request.stored_version is not None:
        store.tasks.resolve(db, request.id, moment, only=["nobody_suits"])
    answer_by = moment + timedelta(days=service.programme.answer_days)
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


def issue_links(offer: Offer, db: Db) -> EncryptedFields:
    """A long link for the email, a short one for the text. Both open this one offer, for a week longer than it is open."""
    long, short, person_id = tokens.new_token(), tokens.new_short_token(), offer.practitioner_id
    expires_at = max(offer.answer_by, now()) + LINK_OUTLIVES_OFFER
    tokens.issue(db, long, short, purpose="offer", subject_id=offer.id, person_id=person_id, expires_at=expires_at)
    links = {"link": f"{service.public_url}/o/{long}", "short_link": f"{service.public_url}/o/{short}"}
    return service.vault.encrypt_for("notify", person_id, links)


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


def end_match(request: Request, db: Db) -> list[Event]:
    """The supportee leaves. Changes the request; the caller saves it."""
    match = store.offers.find_live_match(db, request.id)
    offer = store.offers.find(db, match.offer_id) if match else None
    if match is None or offer is None:
        return []
    match.end(now())
    offer.release(now())
    store.offers.save_match(db, match)
    store.offers.save(db, offer)
    return request.offer_released(offer, "withdrawn") + free_place(offer, db, pending=False)


def free_place(offer: Offer, db: Db, *, pending: bool) -> list[Event]:
    """`pending`: the offer had not been answered with a yes."""
    practitioner = store.practitioners.find(db, offer.practitioner_id)
    if practitioner is None:
        return []
    changed = practitioner.free_place(offer.slot, offer.code if pending else None)
    store.practitioners.save(db, practitioner)
    return changed
