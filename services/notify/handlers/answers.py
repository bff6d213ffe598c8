"""Texts that people send us, and what we text back."""

from dataclasses import dataclass

from services.notify import rules, store
from services.notify.handlers.desk import known, service, tell
from services.notify.rules import Contact
from shared.clock import now
from shared.contracts import Answer, ReplyOutcome, ReplyProcessed, ReplyReceived
from shared.messages import Event
from shared.mongo import Db

TEMPLATE_FOR: dict[ReplyOutcome, str] = {
    "yes": "answer_noted",
    "not_this_time": "answer_noted",
    "already_yes": "answer_already_yes",
    "already_not_this_time": "answer_already_not_this_time",
    "too_late": "answer_too_late",
}
ANSWER_TO = {"stop": "texts_stopped", "start": "texts_started", "help": "help"}


@dataclass(frozen=True)
class TextReceived:
    """`reply_id` comes from the gateway's own id of the text: the same text handed over twice is one text."""

    reply_id: str
    number: str
    text: str


def take_text(received: TextReceived, db: Db) -> list[Event]:
    """Do what the text asks. Numbers that we do not know get silence."""
    phone = service.vault.blind_index("phone", rules.e164(received.number))
    senders = store.people_with_number(db, phone)
    said = rules.understand(received.text)
    if said.word == "stop":
        store.stop_texts(db, phone, now())
        store.drop_unsent(db, now(), "stopped", channel="text", person_id={"$in": [sender.person_id for sender in senders]})
    elif said.word == "start":
        store.start_texts(db, phone)
    if not senders:
        return []
    if said.word == "answer":
        return _take_answer(db, senders, said.code, said.answer, received.reply_id)
    tell(db, senders[0], ANSWER_TO.get(said.word, "not_understood"), received.reply_id)
    return []


def _take_answer(db: Db, senders: list[Contact], code: str, answer: Answer, reply_id: str) -> list[Event]:
    offer = store.offer_with_code(db, [sender.person_id for sender in senders], code)
    if offer is None:
        tell(db, senders[0], "not_understood", reply_id)
        return []
    practitioner_id = offer["practitioner_id"]
    return [ReplyReceived(offer_id=offer["_id"], practitioner_id=practitioner_id, reply_id=reply_id, answer=answer)]


@service.on(ReplyProcessed)
def answer_the_reply(event: ReplyProcessed, db: Db) -> list[Event]:
    practitioner = known(store.contact(db, event.practitioner_id))
    tell(db, practitioner, TEMPLATE_FOR[event.outcome], event.reply_id)
    return []
