"""Where letters are written down to be sent. The row is the work: post and texts take it from there."""

from dataclasses import asdict
from datetime import datetime

from services.notify import rules, store
from services.notify.rules import Contact
from shared.clock import now
from shared.contracts import Channel, EncryptedFields
from shared.mongo import Db, Doc
from shared.service import RetryLater, Service

service = Service("notify", indexes=store.INDEXES)
Facts = dict[str, str | datetime]


def tell(
    db: Db, contact: Contact, letter: str, cause: str, facts: Facts | None = None, *,
    encrypted: EncryptedFields | None = None, offer_id: str | None = None, answer_by: datetime | None = None,
) -> None:  # fmt: skip
    """Write the letter down once for each way that this person asked for."""
    ways = rules.ways_to_tell(contact, letter)
    if "text" in ways and contact.role == "supportee" and store.news_text_waits(db, contact.person_id):
        ways = tuple(way for way in ways if way != "text")  # the text that waits says the same: there is news
    store.put_letters(db, [letter_row(contact, letter, cause, way, facts or {}, encrypted, offer_id, answer_by) for way in ways])


def letter_row(
    contact: Contact, letter: str, cause: str, channel: Channel, facts: Facts, encrypted: EncryptedFields | None,
    offer_id: str | None, answer_by: datetime | None,
) -> Doc:  # fmt: skip
    moment = now()
    row: Doc = {
        "_id": rules.letter_id(cause, letter, contact.person_id, channel), "cause": cause, "letter": letter, "channel": channel,
        "person_id": contact.person_id, "request_id": contact.request_id, "offer_id": offer_id, "facts": facts,
        "state": "waiting", "tries": 0, "made_at": moment, "next_at": rules.when_to_send(moment, channel, letter, contact),
        "stale_at": rules.stale_at(letter, moment, answer_by),
    }  # fmt: skip
    if encrypted:
        row["encrypted"] = asdict(encrypted)
    return row


def known(contact: Contact | None) -> Contact:
    """Facts overtake each other on their way: news for somebody whose contact has not come yet waits for it."""
    if contact is None:
        raise RetryLater("this person's contact has not come yet")
    return contact
