"""What practitioners do on their pages: answer an offer, write to the supportee, say whether they are open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.matching import store
from services.matching.handlers import answers
from services.matching.handlers.notes import write_note
from shared.clock import now
from shared.contracts import PractitionerState
from shared.messages import Event
from shared.mongo import Db


@dataclass(frozen=True, kw_only=True, repr=False)
class AnswerOffer:
    """`pause_until` has meaning only with `pause`; None then means: until they come back."""

    offer_id: str
    answer: Literal["yes", "ask_first", "not_this_time", "pause"]
    question: str = ""
    pause_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class WriteToSupportee:
    offer_id: str
    words: str


@dataclass(frozen=True, kw_only=True)
class SetAvailability:
    practitioner_id: str
    state: PractitionerState
    resting_until: datetime | None = None
    places: int
    offers_at_once: int


def mark_offer_seen(offer_id: str, db: Db) -> list[Event]:
    offer = store.offers.find(db, offer_id)
    request = store.requests.find(db, offer.request_id) if offer else None
    if offer is None or request is None or offer.state != "sent":
        return []
    offer.see(now())
    events = request.offer_seen(offer)
    store.offers.save(db, offer)
    store.requests.save(db, request)
    return events


def answer_offer(command: AnswerOffer, db: Db) -> list[Event]:
    """[] when there is nothing left to answer: the page then shows what became of the offer."""
    offer = store.offers.find(db, command.offer_id)
    if offer is None:
        return []
    if command.answer == "yes":
        return answers.accept(offer, db)
    if command.answer == "ask_first":
        return answers.ask_first(offer, command.question, db)
    paused = answers.pause(offer.practitioner_id, command.pause_until, db) if command.answer == "pause" else []
    return paused + answers.decline(offer, db)


def write_to_supportee(command: WriteToSupportee, db: Db) -> list[Event]:
    """[] when they are not with each other any more, or the supportee takes a pause: the page then shows that."""
    offer = store.offers.find(db, command.offer_id)
    request = store.requests.find(db, offer.request_id) if offer else None
    match = store.offers.find_match(db, offer.id) if offer else None
    if offer is None or request is None or not offer.is_live or (match and match.on_hold):
        return []
    events = write_note(request, command.words, db, practitioner_id=offer.practitioner_id)
    store.requests.save(db, request)
    return events


def set_availability(command: SetAvailability, db: Db) -> list[Event]:
    """Nothing changes for somebody who stepped back: a coordinator brings them back."""
    practitioner = store.practitioners.find(db, command.practitioner_id)
    if practitioner is None or practitioner.has_stepped_back:
        return []
    changed = practitioner.set_availability(command.state, command.resting_until, command.places, command.offers_at_once)
    store.practitioners.save(db, practitioner)
    return changed
