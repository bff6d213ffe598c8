"""Requests that came faster than a person types, or with many others to or from one place. They take no place and are offered to
nobody before a coordinator lets them go on, each or all; all that are held at a time are one task.

What is decided about all is done one by one, in a moment (`carry_out_decision`): a flood is larger than a transaction should be.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.matching import store
from services.matching.domain import Flood, Request
from services.matching.handlers import names
from services.matching.handlers.beginning import begin_request
from services.matching.handlers.coordinator import audit
from services.matching.handlers.service import service
from services.matching.handlers.tasks import close_flood_task, not_for_those_named, open_flood_task
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 2
AT_ONCE = 200


def hold_in_flood(request: Request, db: Db) -> list[Event]:
    """Changes the request; the caller saves it."""
    open_flood_task(db)
    return not_for_those_named(request.hold_in_flood(), request, db)


def end_request(request: Request, db: Db) -> list[Event]:
    """Changes the request; the caller saves it."""
    store.tasks.resolve(db, request.id, now())
    store.notes.delete_about(db, request.id)
    return request.lapse(now())


@dataclass(frozen=True, kw_only=True)
class DecideOne:
    coordinator_id: str
    request_id: str
    goes_on: bool


@dataclass(frozen=True, kw_only=True)
class DecideAll:
    """About those that had come until the coordinator's page was drawn."""

    coordinator_id: str
    goes_on: bool
    until: datetime


def decide_one(command: DecideOne, db: Db) -> list[Event]:
    request = store.requests.find(db, command.request_id)
    if request is None or request.flood != "held":
        return []
    request.flood = "goes_on" if command.goes_on else "ends"
    events = _carry_out(request, command.coordinator_id, db)
    close_flood_task(db, command.coordinator_id)
    return events


def decide_all(command: DecideAll, db: Db) -> list[Event]:
    """But not about whoever would never meet somebody of this coordinator's name."""
    hidden = names.of_coordinator(command.coordinator_id, db)
    decision: Flood = "goes_on" if command.goes_on else "ends"
    store.requests.decide_flood(db, decision, command.coordinator_id, command.until, hidden)
    close_flood_task(db, command.coordinator_id)
    return []


def find_decided(db: Db) -> Iterable[str]:
    return store.requests.ids_decided(db, AT_ONCE)


@service.every(SECONDS_BETWEEN_LOOKS, find_decided)
def carry_out_decision(request_id: str, db: Db) -> list[Event]:
    request = store.requests.find(db, request_id)
    if request is None or request.flood not in ("goes_on", "ends"):
        return []  # another worker was here meanwhile
    return _carry_out(request, request.flood_by or "", db)


def _carry_out(request: Request, coordinator_id: str, db: Db) -> list[Event]:
    goes_on = request.flood == "goes_on"
    events = request.release_from_flood() + begin_request(request, db) if goes_on else end_request(request, db)
    store.requests.save(db, request)
    audit(coordinator_id, "flood_released" if goes_on else "flood_ended", request.id, db)
    return events
