"""What a supportee does to what the two agree on. Matching decides, and its answer is on the page within moments."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.intake import store
from services.intake.domain import Agreement
from services.intake.handlers.access import NoteKeys
from shared import vault
from shared.contracts import AgreementAgreed, AgreementDeleted, AgreementWritten
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

Sections = Mapping[str, str]
"""Heading -> what stands under it."""


@dataclass(frozen=True, kw_only=True, repr=False)
class WriteAgreement:
    """`keys`: from their session."""

    request_id: str
    person_id: str
    match_id: str
    keys: NoteKeys
    text_id: str
    sections: Sections


def write_agreement(command: WriteAgreement, db: Db) -> list[Event]:
    """Nothing without the key of their notes."""
    key = command.keys.of(command.match_id)
    if key is None:
        return []
    field, words = vault.agreement_field(command.text_id), json.dumps(dict(command.sections))
    known = agreement_or_none_yet(command.match_id, command.request_id, db)
    written = known.write(command.text_id, vault.encrypt(key, command.person_id, field, words))
    store.save_agreement(db, written)
    said = AgreementWritten(
        request_id=command.request_id,
        match_id=command.match_id,
        change=written.changes,
        text_id=command.text_id,
        base=known.number,
        begins=known.is_empty,
        encrypted=written.unheard.encrypted if written.unheard else "",
    )
    return [said]


@dataclass(frozen=True, kw_only=True)
class SayYes:
    request_id: str
    match_id: str
    number: int


def say_yes(command: SayYes, db: Db) -> list[Event]:
    known = store.agreement_of(db, command.match_id)
    if known is None or known.newest is None or known.newest.number != command.number or "supportee" in known.said_yes:
        return []
    agreed = known.say_yes()
    store.save_agreement(db, agreed)
    about = {"request_id": command.request_id, "match_id": command.match_id}
    return [AgreementAgreed(**about, change=agreed.changes, number=command.number)]


@dataclass(frozen=True, kw_only=True)
class DeleteAgreement:
    request_id: str
    match_id: str


def delete_agreement(command: DeleteAgreement, db: Db) -> list[Event]:
    known = store.agreement_of(db, command.match_id)
    if known is None or known.is_empty:
        return []
    deleted = known.delete()
    store.save_agreement(db, deleted)
    about = {"request_id": command.request_id, "match_id": command.match_id}
    return [AgreementDeleted(**about, change=deleted.changes, base=known.number)]


# Reading


def agreement_or_none_yet(match_id: str, request_id: str, db: Db) -> Agreement:
    return store.agreement_of(db, match_id) or Agreement(id=match_id, request_id=request_id)


@dataclass(frozen=True, kw_only=True, repr=False)
class AgreementView:
    """`newest`, `before`, `unheard`: heading -> words; empty: there is none, or `locked`: nothing of what they were let in with
    opens it."""

    agreement: Agreement
    newest: Sections
    before: Sections
    unheard: Sections
    locked: bool = False


def view_agreement(agreement: Agreement, person_id: str, keys: NoteKeys) -> AgreementView:
    key = keys.of(agreement.id)
    texts = (agreement.newest, agreement.before, agreement.unheard)
    nothing: Sections = {}
    if key is None:
        return AgreementView(agreement=agreement, newest=nothing, before=nothing, unheard=nothing, locked=any(texts))
    try:
        newest, before, unheard = (_opened(text.id, text.encrypted, key, person_id) if text else nothing for text in texts)
    except DecryptionError:
        return AgreementView(agreement=agreement, newest=nothing, before=nothing, unheard=nothing, locked=True)
    return AgreementView(agreement=agreement, newest=newest, before=before, unheard=unheard)


def _opened(id: str, encrypted: str, key: bytes, person_id: str) -> Sections:
    found = json.loads(vault.decrypt(key, person_id, vault.agreement_field(id), encrypted))
    return {str(heading): str(words) for heading, words in found.items()}
