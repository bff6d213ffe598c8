"""What became of a letter: told by a receipt, or by giving up."""

from dataclasses import dataclass
from typing import Literal

from services.notify import rules, store
from services.notify.handlers.desk import letter_row, service
from services.notify.rules import State
from shared.clock import now
from shared.contracts import EncryptedFields, NotificationFailed
from shared.messages import Event
from shared.mongo import Db, Doc


@dataclass(frozen=True)
class Receipt:
    letter_id: str
    told: Literal["delivered", "failed"]


@dataclass(frozen=True)
class GivenUp:
    """A letter that will not be sent: refused for good (`failed`) or tried for long enough (`gave_up`)."""

    letter_id: str
    state: Literal["failed", "gave_up"]
    reason: str


def note_receipt(receipt: Receipt, db: Db) -> list[Event]:
    row = store.letter(db, receipt.letter_id)
    if row is None or rules.state_after_receipt(row["state"], receipt.told) == row["state"]:
        return []
    store.settle(db, row["_id"], receipt.told, now())
    return _try_another_way(db, row) if receipt.told == "failed" else []


def give_up(given_up: GivenUp, db: Db) -> list[Event]:
    row = store.letter(db, given_up.letter_id)
    state: State = given_up.state
    if row is None or not store.finish(db, row["_id"], state, now(), given_up.reason):
        return []
    return _try_another_way(db, row)


def _try_another_way(db: Db, row: Doc) -> list[Event]:
    """A text that failed becomes mail where the person allowed mail; when no way is left, a coordinator should know."""
    _write_instead(db, row)
    if not rules.KINDS[row["letter"]].desk_hears or store.hope_left(db, row["cause"], row["letter"], row["person_id"]):
        return []
    return [NotificationFailed(person_id=row["person_id"], request_id=row["request_id"], letter=row["letter"])]


def _write_instead(db: Db, row: Doc) -> None:
    contact = store.contact(db, row["person_id"])
    if row["channel"] != "text" or contact is None or "email" not in rules.ways_to_tell(contact, row["letter"]):
        return
    encrypted = EncryptedFields(**row["encrypted"]) if "encrypted" in row else None
    facts, offer_id = row["facts"], row["offer_id"]
    letter = letter_row(contact, row["letter"], row["cause"], "email", facts, encrypted, offer_id, facts.get("answer_by"))
    store.put_letters(db, [letter])


__all__ = ["GivenUp", "Receipt", "give_up", "note_receipt", "service"]
