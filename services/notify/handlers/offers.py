"""Events of offers: who is asked, reminded, and told how it ended."""

from datetime import datetime

from services.notify import rules, store
from services.notify.domain import Context, Message, Offer
from services.notify.handlers.outbound import enqueue_notification, enqueue_supportee_update, require, service
from shared.clock import now
from shared.contracts import MatchMade, Next, NoteForwarded, OfferDeclined, OfferExpired, OfferMade, OfferReleased, OfferReminded
from shared.messages import Event
from shared.mongo import Db

ABOUT_THE_OFFER = ["offer", "reminder", "note_for_you"]


@service.on(OfferMade, prefetch=store.keys_of_offer)
def enqueue_offer_notification(event: OfferMade, db: Db) -> list[Event]:
    offer = store.save_offer(db, event, now())
    if offer.ended:  # its end came first
        return []
    events = _enqueue_to_practitioner("offer", event, offer, db)
    if event.after_waiting:
        events += enqueue_supportee_update(db, event.request_id, event.version, "asked_after_waiting")
    return events


@service.on(OfferReminded)
def enqueue_offer_reminder(event: OfferReminded, db: Db) -> list[Event]:
    if store.offer_has_ended(db, event.offer_id):
        return []
    return _enqueue_to_practitioner("reminder", event, store.find_offer(db, event.offer_id), db)


@service.on(OfferDeclined)
def enqueue_not_this_time(event: OfferDeclined, db: Db) -> list[Event]:
    _end_offer(db, event.offer_id)
    return _enqueue_not_this_time(db, event.request_id, event.version, event.then)


@service.on(OfferExpired)
def enqueue_offer_expiry(event: OfferExpired, db: Db) -> list[Event]:
    events = _enqueue_offer_gone(db, event.offer_id, event.practitioner_id)
    return events + _enqueue_not_this_time(db, event.request_id, event.version, event.then)


@service.on(OfferReleased)
def enqueue_offer_release(event: OfferReleased, db: Db) -> list[Event]:
    return _enqueue_offer_gone(db, event.offer_id, event.practitioner_id)


@service.on(MatchMade)
def enqueue_match_notification(event: MatchMade, db: Db) -> list[Event]:
    _end_offer(db, event.offer_id)
    return enqueue_supportee_update(db, event.request_id, event.version, "said_yes")


@service.on(NoteForwarded)
def enqueue_forwarded_note(event: NoteForwarded, db: Db) -> list[Event]:
    practitioner = require(store.find_contact(db, event.practitioner_id))
    message = Message("note_for_you", event.note_id, encrypted=event.encrypted, offer_id=event.offer_id)
    return enqueue_notification(db, practitioner, message)


def _enqueue_to_practitioner(template: str, event: OfferMade | OfferReminded, offer: Offer | None, db: Db) -> list[Event]:
    practitioner = require(store.find_contact(db, event.practitioner_id))
    context: Context = {"code": event.code, "answer_by": event.answer_by, **_since(offer)}
    message = Message(template, event.offer_id, context, encrypted=event.encrypted, offer_id=event.offer_id)
    return enqueue_notification(db, practitioner, message)


def _enqueue_offer_gone(db: Db, offer_id: str, practitioner_id: str) -> list[Event]:
    """Only who was told of the offer is told that it is gone."""
    practitioner = require(store.find_contact(db, practitioner_id))
    _end_offer(db, offer_id)
    if not store.offer_was_sent(db, offer_id):
        return []
    return enqueue_notification(db, practitioner, Message("offer_gone", offer_id, _since(store.find_offer(db, offer_id))))


def _since(offer: Offer | None) -> dict[str, datetime]:
    """By when they were asked, a reader of several e-mails tells one offer from another."""
    return {"asked_at": offer.asked_at} if offer and offer.asked_at else {}


def _enqueue_not_this_time(db: Db, request_id: str, version: int, then: Next) -> list[Event]:
    update = rules.update_name("not_this_time", then)
    return enqueue_supportee_update(db, request_id, version, "not_this_time", {"then": then}, update=update)


def _end_offer(db: Db, offer_id: str) -> None:
    """What is about the two who met there stays: this may be heard late."""
    moment = now()
    store.mark_offer_ended(db, offer_id, moment)
    store.cancel_notifications(db, moment, "offer ended", offer_id=offer_id, template={"$in": ABOUT_THE_OFFER})
