"""What two people agree on. Both write, each says yes to a version, and either deletes it for both.

Matching alone decides, so of two versions at the same time the first holds; whoever wrote the other still has it, beside the one
that holds. What the supportee does comes from intake as events.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.matching import store
from services.matching.domain import Agreement, Match, Request
from services.matching.handlers.keys import open_keys
from services.matching.handlers.links import issue_links
from services.matching.handlers.service import service
from shared import vault
from shared.clock import now
from shared.contracts import AgreementAgreed, AgreementChanged, AgreementDeleted, AgreementText, AgreementWritten
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

Change = Callable[[Agreement, datetime], list[Event]]
Sections = Mapping[str, str]
"""Heading -> what stands under it."""
TOLD = ("written", "agreed", "deleted")


@dataclass(frozen=True, kw_only=True, repr=False)
class WriteAgreement:
    """The practitioner. `base`: the number of what they had before them."""

    offer_id: str
    text_id: str
    base: int
    sections: Sections


@dataclass(frozen=True, kw_only=True)
class SayYes:
    offer_id: str
    number: int


@dataclass(frozen=True, kw_only=True)
class DeleteAgreement:
    offer_id: str
    base: int


# With the match it belongs to


def end_agreement(match: Match, db: Db) -> list[Event]:
    found = store.agreements.find(db, match.id)
    return _saved(found, found.end(match.ended_at or now()), db) if found else []


def resume_agreement(match: Match, db: Db) -> list[Event]:
    found = store.agreements.find(db, match.id)
    return _saved(found, found.undo_end(), db) if found else []


# The supportee


@service.on(AgreementWritten)
def write_by_supportee(event: AgreementWritten, db: Db) -> list[Event]:
    return _by_supportee(event.match_id, db, lambda found, moment: found.hear_text(event, moment))


@service.on(AgreementAgreed)
def agree_by_supportee(event: AgreementAgreed, db: Db) -> list[Event]:
    return _by_supportee(event.match_id, db, lambda found, _: found.hear_yes(event.change, event.number))


@service.on(AgreementDeleted)
def delete_by_supportee(event: AgreementDeleted, db: Db) -> list[Event]:
    return _by_supportee(event.match_id, db, lambda found, _: found.hear_deletion(event.change, event.base))


def _by_supportee(match_id: str, db: Db, change: Change) -> list[Event]:
    """The practitioner is told, so the event brings links to their page."""
    match = store.offers.match(db, match_id)
    return [_with_links(event, match, db) for event in _change(match, db, change)] if match else []


def _with_links(event: Event, match: Match, db: Db) -> Event:
    offer = store.offers.find(db, match.offer_id)
    if not isinstance(event, AgreementChanged) or event.change not in TOLD or offer is None or match.ended_at:
        return event
    return replace(event, encrypted=issue_links(offer, db))


# The practitioner


def write_agreement(command: WriteAgreement, db: Db) -> list[Event]:
    """[] when somebody wrote since, or nothing opens it any more."""
    match = store.offers.find_match(db, command.offer_id)
    key = _key_of(match, db) if match else None
    if match is None or key is None or match.on_hold or match.ended_at:
        return []
    field, words = vault.agreement_field(command.text_id), json.dumps(dict(command.sections))
    encrypted = vault.encrypt(key, match.supportee_id, field, words)
    return _change(match, db, lambda found, moment: found.write(command.text_id, command.base, encrypted, moment))


def say_yes(command: SayYes, db: Db) -> list[Event]:
    match = store.offers.find_match(db, command.offer_id)
    return _change(match, db, lambda found, _: found.agree(command.number)) if match and not match.on_hold else []


def delete_agreement(command: DeleteAgreement, db: Db) -> list[Event]:
    match = store.offers.find_match(db, command.offer_id)
    return _change(match, db, lambda found, _: found.delete(command.base)) if match else []


# Reading, for the practitioner's page


@dataclass(frozen=True, kw_only=True, repr=False)
class AgreementView:
    """`newest`, `before`: heading -> words; empty: there is none. `is_over`: they do not meet any more, or they take a pause from
    all of it: it is read, not written."""

    agreement: Agreement
    newest: Sections
    before: Sections
    is_over: bool
    name: str = ""


def view_agreement(match: Match, request: Request, db: Db, name: str) -> AgreementView | None:
    """None when nothing opens it any more."""
    key = open_keys(request, [match]).get(match.id)
    found = store.agreements.find(db, match.id) or _new(match)
    try:
        newest, before = (_opened(text, key, match) if key else {} for text in (found.newest, found.before))
    except DecryptionError:
        return None
    is_over = bool(match.ended_at or match.on_hold)
    return AgreementView(agreement=found, newest=newest, before=before, is_over=is_over, name=name) if key else None


def _opened(text: AgreementText | None, key: bytes, match: Match) -> Sections:
    found = vault.decrypt(key, match.supportee_id, vault.agreement_field(text.id), text.encrypted) if text else "{}"
    return {str(heading): str(words) for heading, words in json.loads(found).items()}


# Both


def _key_of(match: Match, db: Db) -> bytes | None:
    request = store.requests.find(db, match.request_id)
    return open_keys(request, [match]).get(match.id) if request else None


def _change(match: Match, db: Db, change: Change) -> list[Event]:
    found = store.agreements.find(db, match.id) or _new(match)
    return _saved(found, change(found, now()), db)


def _saved(changed: Agreement, events: list[Event], db: Db) -> list[Event]:
    if events:
        store.agreements.save(db, changed)
    return events


def _new(match: Match) -> Agreement:
    return Agreement(
        id=match.id,
        request_id=match.request_id,
        offer_id=match.offer_id,
        supportee_id=match.supportee_id,
        practitioner_id=match.practitioner_id,
        ended_at=match.ended_at,
    )
