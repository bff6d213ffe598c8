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


def of_name(name: str) -> tuple[str, ...]:
    """Of a name that has no part to compare: of the whole of it, so that it can be told from one that was never looked at."""
    return index_of(name) or (service.vault.blind_index("name", name.strip().casefold())[:SIGNS],)


def avoided_by(request: Request) -> tuple[str, ...]:
    """Of what they wrote about whom they would never meet, and of each practitioner whom they ticked: they may be a coordinator
    too."""
    written = index_of(fields_of(request, None, ("avoid_words",)).get("avoid_words", ""))
    return (*written, *map(_of_practitioner, request.avoid))


def of_supportee(request: Request) -> tuple[str, ...]:
    name = fields_of(request, None, ("name",)).get("name", "")
    return of_name(name) if name else ()


def person_index(supportee_id: str, contact: tuple[str, ...]) -> tuple[str, ...]:
    """By which practitioners' own lists know this person: as intake says it of their contact, and by this one request."""
    return (service.vault.blind_index("supportee", supportee_id), *contact)


def of_coordinator(coordinator_id: str, db: Db) -> tuple[str, ...]:
    """Of their name, and of the practitioner who has their address."""
    coordinator = store.coordinators.find(db, coordinator_id)
    if coordinator is None:
        return ()
    practitioner = store.practitioners.find_by_email(db, coordinator.email_index)
    return (*coordinator.name_index, _of_practitioner(practitioner.id)) if practitioner else coordinator.name_index


def coordinators_named(request: Request, db: Db) -> list[str]:
    """Those from whom it is hidden."""
    avoided = set(request.avoid_index)
    everyone = store.coordinators.everyone(db) if avoided else []
    return [one.id for one in everyone if not avoided.isdisjoint(of_coordinator(one.id, db))]


def nobody_may_read(request: Request, db: Db) -> bool:
    """Every coordinator is somebody whom they would never meet."""
    named = coordinators_named(request, db)
    return bool(named) and len(named) == len(store.coordinators.everyone(db))


def _of_practitioner(practitioner_id: str) -> str:
    return service.vault.blind_index("practitioner", practitioner_id)[:SIGNS]
