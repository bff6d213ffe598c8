"""Tasks for coordinators: one for each reason and request, open until somebody resolved it."""

import uuid
from dataclasses import replace
from datetime import datetime

from services.matching import rules, store
from services.matching.domain import CoordinatorTask, Request, TaskReason
from services.matching.handlers import names
from services.matching.handlers.service import service
from shared.clock import now
from shared.contracts import CoordinatorNeeded, EscalationReason
from shared.messages import Event
from shared.mongo import Db


def call_coordinators(
    request: Request, reason: EscalationReason, db: Db, *, person_id: str | None = None, holder: str | None = None
) -> list[Event]:
    """Changes the request; the caller saves it. [] when the task is open already. `holder`: the coordinator it is for."""
    is_new = open_task(request, reason, db, person_id=person_id, holder=holder)
    return call_again(request, reason, db) if is_new else []


def hand_to_coordinators(request: Request, reason: EscalationReason, db: Db, *, holder: str | None = None) -> list[Event]:
    """Changes the request; the caller saves it. `holder`: the coordinator who does this."""
    open_task(request, reason, db, holder=holder)
    return not_for_those_named(request.hand_to_coordinators(reason, taken=holder is not None), request, db)


def call_again(request: Request, reason: EscalationReason, db: Db) -> list[Event]:
    """Also where the task is open already. Changes the request; the caller saves it."""
    return not_for_those_named(request.call_coordinators(reason), request, db)


def not_for_those_named(events: list[Event], request: Request, db: Db) -> list[Event]:
    """Who is called and finds nothing could guess by whom they were named."""
    named = names.coordinators_named(request, db)
    if not named:
        return events
    sealed = service.vault.encrypt_for("notify", request.supportee_id, {"ids": " ".join(named)})
    return [replace(one, not_for=sealed) if isinstance(one, CoordinatorNeeded) else one for one in events]


def open_task(request: Request, reason: TaskReason, db: Db, *, person_id: str | None = None, holder: str | None = None) -> bool:
    """True when it is new; one that is open already is brought up to date."""
    known = store.tasks.find_open(db, request.id, reason)
    if known is None:
        add_task(reason, db, request=request, person_id=person_id, holder=holder)
        return True
    if holder:
        known.take(holder)
    if person_id:
        known.concern(person_id)
    if holder or person_id:
        store.tasks.save(db, known)
    return False


def add_task(
    reason: TaskReason,
    db: Db,
    *,
    request: Request | None = None,
    person_id: str | None = None,
    holder: str | None = None,
    task_id: str = "",
) -> None:
    moment = now()
    task = CoordinatorTask(
        id=task_id or str(uuid.uuid4()),
        reason=reason,
        request_id=request.id if request else None,
        person_id=person_id,
        avoid_index=request.avoid_index if request else (),
        since=moment,
        due_at=_due_at(reason, moment, request),
        holder=holder,
    )
    store.tasks.save(db, task)


def open_flood_task(db: Db) -> None:
    """One for all that came in a flood; the same again after it was done."""
    task, moment = store.tasks.find(db, store.tasks.FLOOD), now()
    if task is None:
        add_task("flood", db, task_id=store.tasks.FLOOD)
    elif not task.is_open:
        task.begin_again(moment, _due_at("flood", moment))
        store.tasks.save(db, task)


def close_flood_task(db: Db, coordinator_id: str | None = None) -> None:
    """Once nothing is held any more."""
    task = store.tasks.find(db, store.tasks.FLOOD)
    if task is None or not task.is_open:
        return
    if not store.requests.count_flood(db, 1):
        task.resolve(now(), coordinator_id)
        store.tasks.save(db, task)
    elif task.holder and not store.requests.count_flood(db, 1, names.of_coordinator(task.holder, db)):
        task.let_go()  # what is left is hidden from whoever took it
        store.tasks.save(db, task)


def open_welcome_task(db: Db) -> None:
    """One for all who would like to become practitioners and wait for a coordinator."""
    task, moment = store.tasks.find(db, store.tasks.WELCOME), now()
    if task is None:
        add_task("welcome", db, task_id=store.tasks.WELCOME)
    elif not task.is_open:
        task.begin_again(moment, _due_at("welcome", moment))
        store.tasks.save(db, task)


def close_welcome_task(db: Db) -> None:
    """Once nobody waits any more."""
    task = store.tasks.find(db, store.tasks.WELCOME)
    if task and task.is_open and not store.applications.any_waits(db):
        task.resolve(now(), None)
        store.tasks.save(db, task)


def _due_at(reason: TaskReason, moment: datetime, request: Request | None = None) -> datetime:
    """Who waits for a person to write was told a day of their own calendar."""
    promised = request is not None and reason in rules.PROMISED_BY_A_DAY
    zone = request.time_zone if request and promised else service.programme.time_zone
    return rules.task_due_at(reason, moment, service.programme.answer_days, zone)
