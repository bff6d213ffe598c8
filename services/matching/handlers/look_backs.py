"""After some meetings both are asked two questions, once. What they answer is shown when both have, or never."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from services.matching import store
from services.matching.domain import LookBack, Match, Request
from services.matching.handlers.keys import open_keys
from services.matching.handlers.links import issue_links
from services.matching.handlers.service import service
from shared import vault
from shared.clock import now
from shared.contracts import LookBackAnswered, LookBackChanged
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

SECONDS_BETWEEN_LOOKS = 60
Sections = Mapping[str, str]
"""Question -> what was answered."""
Stands = Literal["", "open", "not_now", "answered", "shown"]


def find_due(db: Db) -> Iterable[str]:
    return store.meetings.with_a_look_back_due(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_due)
def open_look_back(match_id: str, db: Db) -> list[Event]:
    meetings, match = store.meetings.find(db, match_id), store.offers.match(db, match_id)
    if meetings is None or meetings.look_back_at is None or meetings.look_back_at > now():
        return []  # another worker was here meanwhile
    meetings.ask_to_look_back()
    store.meetings.save(db, meetings)
    offer = store.offers.find(db, meetings.offer_id)
    if match is None or match.ended_at or offer is None or store.look_backs.find(db, match_id):
        return []
    found = LookBack(
        id=match.id,
        request_id=match.request_id,
        offer_id=match.offer_id,
        supportee_id=match.supportee_id,
        practitioner_id=match.practitioner_id,
    )
    links = issue_links(offer, db)
    return [replace(event, encrypted=links) for event in _saved(found, found.ask(), db) if isinstance(event, LookBackChanged)]


@service.on(LookBackAnswered)
def answer_by_supportee(event: LookBackAnswered, db: Db) -> list[Event]:
    found = store.look_backs.find(db, event.match_id)
    return _saved(found, found.answer("supportee", event.encrypted), db) if found else []


@dataclass(frozen=True, kw_only=True, repr=False)
class AnswerLookBack:
    """The practitioner."""

    offer_id: str
    answers: Sections


def answer_look_back(command: AnswerLookBack, db: Db) -> list[Event]:
    match = store.offers.find_match(db, command.offer_id)
    request = store.requests.find(db, match.request_id) if match else None
    found = store.look_backs.find(db, match.id) if match else None
    key = open_keys(request, [match]).get(match.id) if match and request else None
    if match is None or found is None or key is None or match.ended_at:
        return []
    words = json.dumps(dict(command.answers))
    encrypted = vault.encrypt(key, match.supportee_id, vault.look_back_field("practitioner"), words)
    return _saved(found, found.answer("practitioner", encrypted), db)


def put_off_look_back(offer_id: str, db: Db) -> list[Event]:
    match = store.offers.find_match(db, offer_id)
    found = store.look_backs.find(db, match.id) if match else None
    if found:
        found.put_off()
        store.look_backs.save(db, found)
    return []


# With the match it belongs to


def end_look_back(match: Match, db: Db) -> list[Event]:
    found = store.look_backs.find(db, match.id)
    return _saved(found, found.end(match.ended_at or now()), db) if found else []


def resume_look_back(match: Match, db: Db) -> list[Event]:
    found = store.look_backs.find(db, match.id)
    return _saved(found, found.undo_end(), db) if found else []


# Reading, for the practitioner's page


@dataclass(frozen=True, kw_only=True, repr=False)
class LookBackView:
    """`mine`, `theirs`: question -> answer, once both are there."""

    stands: Stands = ""
    mine: Sections
    theirs: Sections


def view_look_back(match: Match, request: Request, db: Db) -> LookBackView:
    found, nothing = store.look_backs.find(db, match.id), dict[str, str]()
    key = open_keys(request, [match]).get(match.id) if found else None
    if found is None or key is None or match.ended_at:
        return LookBackView(mine=nothing, theirs=nothing)
    if not found.is_shown:
        stands: Stands = "answered" if found.practitioner else "not_now" if found.practitioner_not_now else "open"
        return LookBackView(stands=stands, mine=nothing, theirs=nothing)
    mine, theirs = (_opened(found, who, key) for who in ("practitioner", "supportee"))
    return LookBackView(stands="shown", mine=mine, theirs=theirs)


def _opened(found: LookBack, who: str, key: bytes) -> Sections:
    encrypted = found.practitioner if who == "practitioner" else found.supportee
    try:
        words = json.loads(vault.decrypt(key, found.supportee_id, vault.look_back_field(who), encrypted or ""))
    except DecryptionError:
        return {}
    return {str(question): str(answer) for question, answer in words.items()}


def _saved(changed: LookBack, events: list[Event], db: Db) -> list[Event]:
    """An answer is stored, too, of which nothing is published."""
    if changed.version != changed.stored_version:
        store.look_backs.save(db, changed)
    return events
