"""A practitioner steps back by themselves: nobody new is asked about, and whoever they meet is asked what they would like now.
Nobody is handed to somebody else without their own word."""

from dataclasses import dataclass

from services.matching import store
from services.matching.domain import Offer
from services.matching.handlers import answers
from services.matching.handlers.endings import end_by_practitioner
from shared.messages import Event
from shared.mongo import Db


@dataclass(frozen=True, kw_only=True)
class StepBack:
    """`hand_over`: their meetings end too, each as if they had ended that one, with a day to take it back; else they go on."""

    practitioner_id: str
    hand_over: bool


def step_back(command: StepBack, db: Db) -> list[Event]:
    """Offers that are open are answered with it: not this time."""
    practitioner = store.practitioners.find(db, command.practitioner_id)
    if practitioner is None or practitioner.has_stepped_back:
        return []
    changed = practitioner.step_back()
    store.practitioners.save(db, practitioner)
    held = store.offers.held_by(db, practitioner.id)
    return changed + [event for offer in held for event in _let_go(offer, command, db)]


def _let_go(offer: Offer, command: StepBack, db: Db) -> list[Event]:
    if offer.is_open:
        return answers.decline(offer, db)
    return end_by_practitioner(offer.id, db) if command.hand_over and offer.state == "accepted" else []
