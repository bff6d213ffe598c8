"""A practitioner's own list: about whom they do not want to be asked again. Nobody else ever sees who is on it."""

import uuid
from dataclasses import dataclass

from services.matching import rules, store
from services.matching.domain import NotAgain, Practitioner, Request
from services.matching.handlers import answers, names
from services.matching.handlers.requests import stop_waiting_in_vain
from services.matching.handlers.service import service
from shared.clock import now
from shared.contracts import EncryptedFields
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError

MOST_ENTRIES = 100


@dataclass(frozen=True, kw_only=True, repr=False)
class NotThisPersonAgain:
    """`label`: how they will know later whom they mean; may be empty."""

    offer_id: str
    label: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class NotThisNameAgain:
    practitioner_id: str
    name: str


@dataclass(frozen=True, kw_only=True, repr=False)
class TakeOffList:
    practitioner_id: str
    entry_id: str


def put_person_on_list(command: NotThisPersonAgain, db: Db) -> list[Event]:
    """An offer that is open is answered with it: not this time."""
    offer = store.offers.find(db, command.offer_id)
    request = store.requests.find(db, offer.request_id) if offer else None
    practitioner = store.practitioners.find(db, offer.practitioner_id) if offer else None
    if offer is None or request is None or practitioner is None or not may_be_listed(request, practitioner):
        return []
    _know_again(request, db)
    _add(practitioner, db, label=command.label, person_index=request.person_index)
    events = answers.decline(offer, db)
    for waiting in store.requests.waiting_in_vain(db, practitioner.id, request.person_index):
        events += stop_waiting_in_vain(waiting, db)
        store.requests.save(db, waiting)
    return events


def put_name_on_list(command: NotThisNameAgain, db: Db) -> list[Event]:
    practitioner, name_index = store.practitioners.find(db, command.practitioner_id), names.of_name(command.name)
    if practitioner and name_index and has_space(practitioner):
        _add(practitioner, db, label=command.name, name_index=name_index)
    return []


def take_off_list(command: TakeOffList, db: Db) -> list[Event]:
    practitioner = store.practitioners.find(db, command.practitioner_id)
    if practitioner is None or command.entry_id not in [entry.id for entry in practitioner.own_list]:
        return []
    events = practitioner.remove_from_own_list(command.entry_id)
    store.practitioners.save(db, practitioner)
    return events


def may_be_listed(request: Request, practitioner: Practitioner) -> bool:
    """Of somebody who left nothing is known here by which they could be known again."""
    is_there = not request.has_ended and not practitioner.has_stepped_back
    return is_there and has_space(practitioner) and not rules.is_on_own_list(request, practitioner)


def has_space(practitioner: Practitioner) -> bool:
    return not practitioner.has_stepped_back and len(practitioner.own_list) < MOST_ENTRIES


def label_of(entry: NotAgain) -> str:
    try:
        return service.vault.decrypt_fields(entry.label).get(_field(entry.id), "") if entry.label else ""
    except DecryptionError:
        return ""


def _know_again(request: Request, db: Db) -> None:
    """A request from before there were such lists knows nothing of its person yet."""
    if not request.person_index:
        request.person_index = names.person_index(request.supportee_id, ())
        request.version += 1
        store.requests.save(db, request)


def _add(
    practitioner: Practitioner,
    db: Db,
    *,
    label: str,
    person_index: tuple[str, ...] = (),
    name_index: tuple[str, ...] = (),
) -> None:
    entry_id = str(uuid.uuid4())
    sealed = _sealed(practitioner.id, entry_id, label.strip())
    practitioner.add_to_own_list(NotAgain(id=entry_id, at=now(), person_index=person_index, name_index=name_index, label=sealed))
    store.practitioners.save(db, practitioner)


def _sealed(practitioner_id: str, entry_id: str, label: str) -> EncryptedFields | None:
    return service.vault.encrypt_for("matching", practitioner_id, {_field(entry_id): label}) if label else None


def _field(entry_id: str) -> str:
    return f"own_list/{entry_id}"
