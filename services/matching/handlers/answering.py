"""A practitioner answers: on the page or by text, with the same effect.

A yes takes effect at once: the supportee is told. A "not this time" lets the supportee go on at once, and can still become
a yes until somebody else is asked or the supportee chose what happens next.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.matching import rules, store
from services.matching.handlers.asking import next_step, take_step
from services.matching.handlers.minding import keep_on_the_desk
from services.matching.handlers.notes import write_note
from services.matching.handlers.offering import give_place_back, next_version
from services.matching.handlers.public import changed
from services.matching.handlers.service import service
from services.matching.handlers.waiting import offer_free_places
from shared.clock import now
from shared.contracts import MatchMade, OfferDeclined, ReplyProcessed, ReplyReceived
from shared.messages import Event
from shared.mongo import Db, Doc

OPEN_TO_CHANGE = {"waiting", "reaching_out"}


@dataclass(frozen=True, kw_only=True)
class OfferAnswered:
    """`pause_until` has meaning only with `pause`; None then means: until they come back."""

    offer_id: str
    answer: Literal["yes", "ask_first", "not_this_time", "pause"]
    question: str = ""
    pause_until: datetime | None = None


def mark_offer_seen(offer_id: str, db: Db) -> list[Event]:
    store.mark_seen(db, offer_id, now())
    return []


def answer_offer(said: OfferAnswered, db: Db) -> list[Event]:
    """[] when there is nothing left to answer: the page then shows what became of the offer."""
    offer = store.offer(db, said.offer_id)
    if offer is None:
        return []
    if said.answer == "yes":
        return _say_yes(offer, db)
    if said.answer == "ask_first":
        return _ask_something_first(offer, said.question, db)
    paused = _rest(offer["practitioner_id"], said.pause_until, db) if said.answer == "pause" else []
    return paused + _say_not_this_time(offer, db)


@service.on(ReplyReceived)
def take_answer_by_text(said: ReplyReceived, db: Db) -> list[Event]:
    offer = store.offer(db, said.offer_id)
    if offer is None or offer["practitioner_id"] != said.practitioner_id:
        return [_settled(said, "too_late")]
    wished = "accepted" if said.answer == "yes" else "declined"
    news = answer_offer(OfferAnswered(offer_id=said.offer_id, answer=said.answer), db)
    # The same answer a second time is no mistake of theirs.
    taken = bool(news) or offer["state"] == wished
    return [*news, _settled(said, said.answer if taken else "too_late")]


def may_still_change_to_yes(offer: Doc, db: Db) -> bool:
    row = store.request(db, offer["request_id"])
    return offer["state"] == "declined" and row is not None and row["state"] in OPEN_TO_CHANGE


def _say_yes(offer: Doc, db: Db) -> list[Event]:
    row = store.request(db, offer["request_id"])
    if row is None:
        return []
    if offer["open"]:
        return _match(offer, row, db) if store.end_offer(db, offer["_id"], "accepted", now(), holds=True) else []
    return _change_to_yes(offer, row, db) if may_still_change_to_yes(offer, db) else []


def _change_to_yes(offer: Doc, row: Doc, db: Db) -> list[Event]:
    """Only with a place to give; the place and the answer change together or not at all."""
    held = store.hold_place(db, offer["practitioner_id"], now())
    if held is None or store.take_up_offer_again(db, offer["_id"], held[0], now()) is None:
        return []
    return _match(offer, row, db)


def _match(offer: Doc, row: Doc, db: Db) -> list[Event]:
    match_id, moment = str(uuid.uuid4()), now()
    store.add_match(
        db,
        {"_id": match_id, "offer_id": offer["_id"], "request_id": row["_id"], "practitioner_id": offer["practitioner_id"],
         "supportee_id": row["supportee_id"], "state": "beginning", "made_at": moment},
    )  # fmt: skip
    row.update(state="matched", waiting_for=None, waiting_with=[], suggested=[])
    made = MatchMade(
        match_id=match_id, offer_id=offer["_id"], request_id=row["_id"], practitioner_id=offer["practitioner_id"],
        supportee_id=row["supportee_id"], version=next_version(row),
    )  # fmt: skip
    store.keep_request(db, row)
    store.settle_needs(db, row["_id"], moment)
    practitioner = store.keep_place(db, offer["practitioner_id"])
    return [made, *changed(practitioner, db), *offer_free_places(offer["practitioner_id"], db)]


def _say_not_this_time(offer: Doc, db: Db) -> list[Event]:
    row = store.request(db, offer["request_id"])
    if row is None or store.end_offer(db, offer["_id"], "declined", now()) is None:
        return []
    freed = give_place_back(offer, db)
    row["asked"].append(offer["practitioner_id"])
    step, version = next_step(row, db), next_version(row)
    declined = OfferDeclined(
        offer_id=offer["_id"], request_id=row["_id"], practitioner_id=offer["practitioner_id"], version=version,
        then=rules.TOLD_AS[step.do],
    )  # fmt: skip
    store.settle_needs(db, row["_id"], now(), only="asks_first")
    news = take_step(row, step, db)
    store.keep_request(db, row)
    return [declined, *freed, *news, *offer_free_places(offer["practitioner_id"], db)]


def _ask_something_first(offer: Doc, question: str, db: Db) -> list[Event]:
    """It is put to the supportee; the offer stays open meanwhile, and the desk can see that an answer is awaited."""
    row = store.request(db, offer["request_id"])
    if row is None or not offer["open"]:
        return []
    news = write_note(row, question, db, practitioner_id=offer["practitioner_id"])
    keep_on_the_desk(row["_id"], "asks_first", db, person_id=offer["practitioner_id"])
    store.keep_request(db, row)
    return news


def _rest(practitioner_id: str, until: datetime | None, db: Db) -> list[Event]:
    """Other open offers stay: each can still be answered."""
    return changed(store.set_practitioner(db, practitioner_id, {"state": "resting", "resting_until": until}), db)


def _settled(said: ReplyReceived, outcome: Literal["yes", "not_this_time", "too_late"]) -> ReplyProcessed:
    return ReplyProcessed(offer_id=said.offer_id, practitioner_id=said.practitioner_id, reply_id=said.reply_id, outcome=outcome)
