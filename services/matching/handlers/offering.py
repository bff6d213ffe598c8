"""Making an offer and ending one: the place goes with it, and so does the news."""

import secrets
import string
import uuid
from datetime import datetime, timedelta

from services.matching import rules, store
from services.matching.handlers.public import changed
from services.matching.handlers.service import service
from shared import tokens, vault
from shared.clock import now
from shared.contracts import EncryptedFields, OfferMade, OfferReleased, ReleaseReason
from shared.messages import Event
from shared.mongo import Db, Doc
from shared.service import RetryLater

LETTERS = "".join(letter for letter in string.ascii_uppercase if letter not in "OIL")
DIGITS = "23456789"
CODES = [letter + digit for letter in LETTERS for digit in DIGITS]
A_CODE_RESTS = timedelta(days=30)
A_LINK_LIVES_ON = timedelta(days=7)


def next_version(row: Doc) -> int:
    row["version"] += 1
    version: int = row["version"]
    return version


def make_offer(row: Doc, practitioner_id: str, db: Db, *, after_waiting: bool = False) -> list[Event]:
    moment = now()
    held = store.hold_place(db, practitioner_id, moment)
    if held is None:
        raise RetryLater("the place was gone")
    slot, practitioner = held
    answer_by = moment + timedelta(days=service.programme.answer_days)
    offer = {
        "_id": str(uuid.uuid4()), "request_id": row["_id"], "supportee_id": row["supportee_id"],
        "practitioner_id": practitioner_id, "slot": slot, "code": _new_code(db, practitioner_id, moment), "state": "sent",
        "open": True, "holds": True, "made_at": moment, "answer_by": answer_by, "nudged_at": None, "after_waiting": after_waiting,
        "nudge_at": rules.nudge_at(moment, answer_by, practitioner["time_zone"]),
    }  # fmt: skip
    store.add_offer(db, offer)
    made = OfferMade(
        offer_id=offer["_id"], request_id=row["_id"], practitioner_id=practitioner_id, version=next_version(row),
        answer_by=answer_by, code=offer["code"], after_waiting=after_waiting, encrypted=encrypted_links(offer, db),
    )  # fmt: skip
    return [made, *changed(practitioner, db)]


def encrypted_links(offer: Doc, db: Db) -> EncryptedFields:
    """A long link for the letter, a short one for the text. Both open this one offer, for a week longer than it is open."""
    long, short, person = tokens.new_token(), tokens.new_short_token(), offer["practitioner_id"]
    until = max(offer["answer_by"], now()) + A_LINK_LIVES_ON
    tokens.issue(db, long, short, purpose="offer", subject_id=offer["_id"], person_id=person, expires_at=until)
    return encrypted_for_notify(
        person, {"link": f"{service.public_url}/o/{long}", "short_link": f"{service.public_url}/o/{short}"}
    )


def encrypted_for_notify(person_id: str, fields: dict[str, str]) -> EncryptedFields:
    key = vault.new_key()
    return EncryptedFields(
        person_id=person_id,
        wrap=service.vault.wrap(key, person_id, "notify"),
        fields=vault.encrypt_fields(key, person_id, fields),
    )


def release_open_offer(row: Doc, why: ReleaseReason, db: Db) -> list[Event]:
    """The supportee went another way: the practitioner is let off, and their place is free again."""
    offer = store.open_offer_of(db, row["_id"])
    if offer is None or store.end_offer(db, offer["_id"], "released", now()) is None:
        return []
    return [_released(offer, row, why), *give_place_back(offer, db)]


def end_match(row: Doc, db: Db) -> list[Event]:
    match = store.match_of(db, row["_id"])
    if match is None:
        return []
    store.end_match(db, match["_id"], now())
    offer = store.let_go_of(db, match["offer_id"])
    practitioner = store.free_place(db, offer["practitioner_id"], offer["slot"], asked=False)
    return [_released(offer, row, "withdrawn"), *changed(practitioner, db)]


def give_place_back(offer: Doc, db: Db) -> list[Event]:
    return changed(store.free_place(db, offer["practitioner_id"], offer["slot"], asked=True), db)


def _released(offer: Doc, row: Doc, why: ReleaseReason) -> OfferReleased:
    return OfferReleased(
        offer_id=offer["_id"],
        request_id=row["_id"],
        practitioner_id=offer["practitioner_id"],
        version=next_version(row),
        reason=why,
    )


def _new_code(db: Db, practitioner_id: str, moment: datetime) -> str:
    """Short enough to type on any phone, and never again soon: an old text must not answer a new offer."""
    used = store.codes_in_use(db, practitioner_id, moment - A_CODE_RESTS)
    return secrets.choice([code for code in CODES if code not in used] or CODES)
