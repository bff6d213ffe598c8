"""Letters to practitioners who are asked, and the end of those letters when the offer ends."""

from services.notify import rules, store
from services.notify.handlers.desk import known, service, tell
from services.notify.handlers.requests import tell_supportee
from shared.clock import now
from shared.contracts import MatchMade, Next, NoteForwarded, OfferDeclined, OfferExpired, OfferMade, OfferReleased, OfferReminded
from shared.messages import Event
from shared.mongo import Db


@service.on(OfferMade)
def ask_practitioner(event: OfferMade, db: Db) -> list[Event]:
    practitioner = known(store.contact(db, event.practitioner_id))
    if not store.keep_offer(db, event):
        return []
    tell(
        db, practitioner, "offer", event.offer_id, {"code": event.code, "answer_by": event.answer_by},
        encrypted=event.encrypted, offer_id=event.offer_id, answer_by=event.answer_by,
    )  # fmt: skip
    if event.after_waiting:
        tell_supportee(db, event.request_id, event.version, "asked_after_waiting")
    return []


@service.on(OfferReminded)
def nudge_practitioner(event: OfferReminded, db: Db) -> list[Event]:
    practitioner = known(store.contact(db, event.practitioner_id))
    if store.has_ended(db, event.offer_id):
        return []
    tell(
        db, practitioner, "nudge", event.offer_id, {"code": event.code, "answer_by": event.answer_by},
        encrypted=event.encrypted, offer_id=event.offer_id, answer_by=event.answer_by,
    )  # fmt: skip
    return []


@service.on(OfferDeclined)
def tell_not_this_time(event: OfferDeclined, db: Db) -> list[Event]:
    _end(db, event.offer_id)
    _tell_not_this_time(db, event.request_id, event.version, event.then)
    return []


@service.on(OfferExpired)
def tell_both_that_time_is_over(event: OfferExpired, db: Db) -> list[Event]:
    _tell_it_is_gone(db, event.offer_id, event.practitioner_id)
    _tell_not_this_time(db, event.request_id, event.version, event.then)
    return []


@service.on(OfferReleased)
def tell_practitioner_it_is_gone(event: OfferReleased, db: Db) -> list[Event]:
    if event.reason == "resting":  # their own doing: nothing to tell them
        _end(db, event.offer_id)
    else:
        _tell_it_is_gone(db, event.offer_id, event.practitioner_id)
    return []


@service.on(MatchMade)
def tell_supportee_yes(event: MatchMade, db: Db) -> list[Event]:
    _end(db, event.offer_id)
    tell_supportee(db, event.request_id, event.version, "said_yes")
    return []


@service.on(NoteForwarded)
def tell_practitioner_of_a_note(event: NoteForwarded, db: Db) -> list[Event]:
    practitioner = known(store.contact(db, event.practitioner_id))
    tell(db, practitioner, "note_for_you", event.note_id, encrypted=event.encrypted, offer_id=event.offer_id)
    return []


def _tell_it_is_gone(db: Db, offer_id: str, practitioner_id: str) -> None:
    practitioner = known(store.contact(db, practitioner_id))
    _end(db, offer_id)
    if store.was_told(db, offer_id):
        tell(db, practitioner, "offer_gone", offer_id)


def _tell_not_this_time(db: Db, request_id: str, version: int, then: Next) -> None:
    said = rules.what_is_said("not_this_time", then)
    tell_supportee(db, request_id, version, "not_this_time", {"then": then}, said=said)


def _end(db: Db, offer_id: str) -> None:
    moment = now()
    store.end_offer(db, offer_id, moment)
    store.drop_unsent(db, moment, "offer ended", offer_id=offer_id)
