"""Texts that people send us, and what we text back."""

from dataclasses import dataclass
from datetime import timedelta

from services.notify import rules, store
from services.notify.domain import Contact, Message
from services.notify.handlers.outbound import enqueue_notification, require, service
from services.notify.rules import SmsCommand
from shared.clock import now
from shared.contracts import ReplyOutcome, ReplyProcessed, ReplyReceived
from shared.messages import Event
from shared.mongo import Db

TEMPLATE_OF_OUTCOME: dict[ReplyOutcome, str] = {
    "yes": "answer_yes",
    "not_this_time": "answer_not_this_time",
    "already_yes": "answer_already_yes",
    "already_not_this_time": "answer_already_not_this_time",
    "too_late": "answer_too_late",
}
WRONG_CODES_ALLOWED, CODES_ARE_COUNTED_FOR = 3, timedelta(hours=1)
TEMPLATE_OF_COMMAND = {"stop": "texts_stopped", "start": "texts_started", "help": "help"}


@dataclass(frozen=True)
class SmsReceived:
    """`reply_id` comes from the gateway's own id of the text: the same text handed over twice is one text."""

    reply_id: str
    number: str
    text: str


def receive_sms(received: SmsReceived, db: Db) -> list[Event]:
    """Do what the text asks. Numbers that we do not know get no answer."""
    phone_hash = service.vault.blind_index("phone", rules.e164(received.number))
    contacts, command = store.find_contacts_by_phone(db, phone_hash), rules.parse_sms(received.text)
    if command.word == "stop":
        store.stop_texts(db, phone_hash, now())
        people = [contact.person_id for contact in contacts]
        store.cancel_notifications(db, now(), "stopped", channel="text", person_id={"$in": people})
    elif command.word == "start":
        store.start_texts(db, phone_hash)
    if not contacts or (command.word == "answer" and store.codes_are_blocked(db, phone_hash, now())):
        return []
    return _answer(db, contacts, command, received.reply_id, phone_hash)


def _answer(db: Db, contacts: list[Contact], command: SmsCommand, reply_id: str, phone_hash: str) -> list[Event]:
    if command.word == "answer":
        offer = store.find_offer_by_code(db, [contact.person_id for contact in contacts], command.code)
        if offer:
            return [
                ReplyReceived(offer_id=offer.id, practitioner_id=offer.practitioner_id, reply_id=reply_id, answer=command.answer)
            ]
        if store.count_wrong_code(db, phone_hash, now(), CODES_ARE_COUNTED_FOR) >= WRONG_CODES_ALLOWED:
            # A sender's number can be made up, and codes are short: from here on only links count, for a while.
            store.block_codes(db, phone_hash, now() + CODES_ARE_COUNTED_FOR)
            return enqueue_notification(db, contacts[0], Message("too_many_codes", reply_id))
    if command.word in TEMPLATE_OF_COMMAND:
        return enqueue_notification(db, contacts[0], Message(TEMPLATE_OF_COMMAND[command.word], reply_id))
    return _explain(db, contacts, reply_id)


def _explain(db: Db, contacts: list[Contact], reply_id: str) -> list[Event]:
    """What is not clear is not guessed: whoever has been asked something hears how to answer it."""
    offers = store.find_open_offers(db, [contact.person_id for contact in contacts])
    if not offers:
        return enqueue_notification(db, contacts[0], Message("not_understood", reply_id))
    asked = next(contact for contact in contacts if contact.person_id == offers[0].practitioner_id)
    if len(offers) > 1:
        return enqueue_notification(db, asked, Message("which_code", reply_id))
    return enqueue_notification(db, asked, Message("how_to_answer", reply_id, {"code": offers[0].code}))


@service.on(ReplyProcessed)
def enqueue_reply_confirmation(event: ReplyProcessed, db: Db) -> list[Event]:
    practitioner = require(store.find_contact(db, event.practitioner_id))
    message = Message(TEMPLATE_OF_OUTCOME[event.outcome], event.reply_id, encrypted=event.encrypted)
    return enqueue_notification(db, practitioner, message)
