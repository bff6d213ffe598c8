"""Names in a keyed form, so that they can be compared without opening what they stand in."""

from services.matching import rules, store
from services.matching.domain import Request
from services.matching.handlers.keys import fields_of
from services.matching.handlers.service import service
from shared.mongo import Db

SIGNS = 16
"""Of a keyed hash: enough to tell the names of a collective apart."""


def index_of(text: str) -> tuple[str, ...]:
    return tuple(service.vault.blind_index("name", token)[:SIGNS] for token in rules.name_tokens(text))


def avoided_by(request: Request) -> tuple[str, ...]:
    """Of what they wrote about whom they would never meet."""
    return index_of(fields_of(request, None, ("avoid_words",)).get("avoid_words", ""))


def of_supportee(request: Request) -> tuple[str, ...]:
    return index_of(fields_of(request, None, ("name",)).get("name", ""))


def person_index(supportee_id: str, contact: tuple[str, ...]) -> tuple[str, ...]:
    """By which practitioners' own lists know this person: as intake says it of their contact, and by this one request."""
    return (service.vault.blind_index("supportee", supportee_id), *contact)


def of_coordinator(coordinator_id: str, db: Db) -> tuple[str, ...]:
    coordinator = store.coordinators.find(db, coordinator_id)
    return coordinator.name_index if coordinator else ()
