"""Whoever was stored before names were compared gets the keyed hashes of their name, so that they can be left out by it."""

from collections.abc import Iterable

from services.matching import store
from services.matching.handlers import names
from services.matching.handlers.profiles import name_of
from services.matching.handlers.service import service
from services.matching.handlers.sign_in import coordinator_name
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 60
AT_ONCE = 500


def find_practitioners(db: Db) -> Iterable[str]:
    return store.practitioners.ids_without_name_index(db, AT_ONCE)


@service.every(SECONDS_BETWEEN_LOOKS, find_practitioners)
def index_practitioner(practitioner_id: str, db: Db) -> list[Event]:
    practitioner = store.practitioners.find(db, practitioner_id)
    if practitioner and not practitioner.name_index:
        practitioner.name_index = names.of_name(name_of(practitioner))
        practitioner.version += 1
        store.practitioners.save(db, practitioner)
    return []


def find_coordinators(db: Db) -> Iterable[str]:
    return store.coordinators.ids_without_name_index(db)


@service.every(SECONDS_BETWEEN_LOOKS, find_coordinators)
def index_coordinator(coordinator_id: str, db: Db) -> list[Event]:
    coordinator = store.coordinators.find(db, coordinator_id)
    if coordinator and not coordinator.name_index:
        coordinator.name_index = names.of_name(coordinator_name(coordinator))
        coordinator.version += 1
        store.coordinators.save(db, coordinator)
    return []
