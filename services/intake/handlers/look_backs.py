"""What a supportee answers to two questions, after some meetings. Matching keeps it until both have answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

from services.intake import store
from services.intake.domain import LookBack
from services.intake.handlers.access import NoteKeys
from services.intake.handlers.service import service
from shared import vault
from shared.contracts import LookBackAnswered, LookBackChanged
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

Sections = Mapping[str, str]
"""Question -> what was answered."""
Stands = Literal["", "open", "not_now", "answered", "shown"]


@service.on(LookBackChanged)
def save_look_back(event: LookBackChanged, db: Db) -> list[Event]:
    """Nothing of somebody who left."""
    request, known = store.request(db, event.request_id), store.look_back_of(db, event.match_id)
    if request is None or request.ended_at or (known and known.version >= event.version):
        return []
    told = {one.name: getattr(event, one.name) for one in fields(LookBack) if hasattr(event, one.name)}
    heard = LookBack(id=event.match_id, **told)
    own = replace(heard, answered=known.answered, not_now=known.not_now) if known else heard
    store.save_look_back(db, own)
    return []


@dataclass(frozen=True, kw_only=True, repr=False)
class AnswerLookBack:
    """`keys`: from their session."""

    request_id: str
    person_id: str
    match_id: str
    keys: NoteKeys
    answers: Sections


def answer_look_back(command: AnswerLookBack, db: Db) -> list[Event]:
    """Once. Nothing without the key of their notes."""
    known, key = store.look_back_of(db, command.match_id), command.keys.of(command.match_id)
    if known is None or key is None or known.answered:
        return []
    store.save_look_back(db, replace(known, answered=True))
    words = json.dumps(dict(command.answers))
    encrypted = vault.encrypt(key, command.person_id, vault.look_back_field("supportee"), words)
    return [LookBackAnswered(request_id=command.request_id, match_id=command.match_id, encrypted=encrypted)]


def put_off_look_back(match_id: str, db: Db) -> list[Event]:
    known = store.look_back_of(db, match_id)
    if known:
        store.save_look_back(db, replace(known, not_now=True))
    return []


# Reading


@dataclass(frozen=True, kw_only=True, repr=False)
class LookBackView:
    """`mine`, `theirs`: question -> answer, once both are there."""

    stands: Stands = ""
    mine: Sections
    theirs: Sections


def view_look_back(known: LookBack | None, person_id: str, keys: NoteKeys) -> LookBackView:
    """Nothing where it does not open with what they were let in with."""
    key, nothing = keys.of(known.id) if known else None, dict[str, str]()
    if known is None or key is None or known.ended_at:
        return LookBackView(mine=nothing, theirs=nothing)
    if known.supportee is None or known.practitioner is None:
        stands: Stands = "answered" if known.answered else "not_now" if known.not_now else "open"
        return LookBackView(stands=stands, mine=nothing, theirs=nothing)
    mine, theirs = (_opened(who, text, key, person_id) for who, text in _both(known))
    return LookBackView(stands="shown", mine=mine, theirs=theirs)


def _both(known: LookBack) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("supportee", known.supportee or ""), ("practitioner", known.practitioner or "")


def _opened(who: str, encrypted: str, key: bytes, person_id: str) -> Sections:
    try:
        found = json.loads(vault.decrypt(key, person_id, vault.look_back_field(who), encrypted))
    except DecryptionError:
        return {}
    return {str(question): str(answer) for question, answer in found.items()}
