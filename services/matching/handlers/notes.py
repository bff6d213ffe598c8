"""Notes between a supportee and whoever reads their request: the practitioner they are with, else the coordinators.

A note is encrypted under the supportee's own data key, like the rest of their words, and goes when those go.
"""

import uuid
from dataclasses import dataclass

from services.matching import store
from services.matching.handlers.minding import ask_for_a_person
from services.matching.handlers.offering import encrypted_links, next_version
from services.matching.handlers.service import service
from shared import vault
from shared.clock import now
from shared.contracts import NoteAnswered, NoteForwarded, NoteWritten
from shared.messages import Event
from shared.mongo import Db, Doc
from shared.service import RetryLater


@dataclass(frozen=True, kw_only=True, repr=False)
class NoteByPractitioner:
    offer_id: str
    words: str


def write_as_practitioner(said: NoteByPractitioner, db: Db) -> list[Event]:
    """[] when they are not with each other any more: the page then shows what became of it."""
    offer = store.offer(db, said.offer_id)
    row = store.request(db, offer["request_id"]) if offer else None
    if offer is None or row is None or not offer["holds"]:
        return []
    news = write_note(row, said.words, db, practitioner_id=offer["practitioner_id"])
    store.keep_request(db, row)
    return news


def write_note(row: Doc, words: str, db: Db, **writer: str) -> list[Event]:
    """To the supportee. `writer`: practitioner_id or coordinator_id. Changes the row; whoever calls keeps it."""
    if not row["encrypted"]:
        return []
    note_id, supportee_id = str(uuid.uuid4()), row["supportee_id"]
    key = service.vault.unwrap(row["encrypted"]["wrap"], supportee_id)
    encrypted = vault.encrypt(key, supportee_id, vault.note_field(note_id), words)
    store.add_note(db, note_id, row["_id"], encrypted, now(), **writer)
    written = NoteWritten(
        note_id=note_id, request_id=row["_id"], supportee_id=supportee_id, practitioner_id=writer.get("practitioner_id"),
        encrypted=encrypted, version=next_version(row),
    )  # fmt: skip
    return [written]


@service.on(NoteAnswered)
def pass_it_on(said: NoteAnswered, db: Db) -> list[Event]:
    row = store.request(db, said.request_id)
    if row is None:
        raise RetryLater("the request is not here yet")
    if not row["encrypted"]:
        return []
    moment = now()
    offer = _offer_they_talk_about(row, db)
    to = {"to_practitioner_id": offer["practitioner_id"]} if offer else {}
    store.add_note(db, said.note_id, row["_id"], said.encrypted, moment, **to)
    if offer:
        store.settle_needs(db, row["_id"], moment, only="asks_first")
        return [_passed_on(offer, said.note_id, db)]
    news = ask_for_a_person(row, "wrote", db)
    store.keep_request(db, row)
    return news


def _offer_they_talk_about(row: Doc, db: Db) -> Doc | None:
    """Of a practitioner who asked something first, or who said yes. Anybody else has not begun to talk with them."""
    match = store.match_of(db, row["_id"])
    if match:
        return store.offer(db, match["offer_id"])
    offer = store.open_offer_of(db, row["_id"])
    return offer if offer and store.notes_about(db, row["_id"], offer["practitioner_id"]) else None


def _passed_on(offer: Doc, note_id: str, db: Db) -> NoteForwarded:
    return NoteForwarded(
        offer_id=offer["_id"], note_id=note_id, practitioner_id=offer["practitioner_id"], encrypted=encrypted_links(offer, db)
    )
