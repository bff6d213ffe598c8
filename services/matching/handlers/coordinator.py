"""What coordinators do. Every opening of a request and every action on one leaves an entry in the audit."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from services.matching import rules, store
from services.matching.domain import AuditAction, AuditEntry, CoordinatorTask, Request, TaskReason
from services.matching.handlers import profiles
from services.matching.handlers.held import go_on
from services.matching.handlers.notes import encrypt_for_supportee, write_note
from services.matching.handlers.offers import make_offer, release_open_offer
from services.matching.handlers.profiles import PractitionerProfile
from services.matching.handlers.requests import next_step, take_step
from services.matching.handlers.sign_in import coordinator_name
from services.matching.handlers.talk_first import call_to_check, needs_check
from services.matching.handlers.tasks import hand_to_coordinators
from services.matching.handlers.team import waits_for_another
from shared.clock import now
from shared.contracts import ContactReleased, RequestOpened
from shared.messages import Event
from shared.mongo import Db

OPENING_LASTS = timedelta(minutes=15)
UNDO_LASTS = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class OpenRequest:
    coordinator_id: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class ReachOut:
    coordinator_id: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class AskPractitioner:
    coordinator_id: str
    request_id: str
    practitioner_id: str


@dataclass(frozen=True, kw_only=True)
class SuggestPractitioners:
    coordinator_id: str
    request_id: str
    practitioner_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class WriteToSupportee:
    coordinator_id: str
    request_id: str
    words: str


@dataclass(frozen=True, kw_only=True)
class ReleaseContact:
    """What they want us to know before we write was read. `on_their_word`: write only on their page, until they say so there."""

    coordinator_id: str
    request_id: str
    on_their_word: bool


@dataclass(frozen=True, kw_only=True)
class GoOn:
    """Whom they would never meet was read, so somebody may be asked."""

    coordinator_id: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class ChangeTask:
    coordinator_id: str
    task_id: str


@dataclass(frozen=True, kw_only=True)
class SayWhatTheySaid:
    """A coordinator asked the practitioner of the open task in person, before an offer."""

    coordinator_id: str
    request_id: str
    may_be_asked: bool


def record_opening(command: OpenRequest, db: Db) -> list[Event]:
    """The supportee's page says who opened it, and when."""
    audit(command.coordinator_id, "opened", command.request_id, db)
    request = store.requests.find(db, command.request_id)
    coordinator = store.coordinators.find(db, command.coordinator_id)
    if request is None or request.has_ended:
        return []
    opening_id, name = str(uuid.uuid4()), coordinator_name(coordinator) if coordinator else ""
    match_id, encrypted = encrypt_for_supportee(request, f"opening/{opening_id}", name, db)
    return [
        RequestOpened(
            opening_id=opening_id,
            request_id=request.id,
            opened_at=now(),
            encrypted=encrypted,
            match_id=match_id,
            coordinator_id=command.coordinator_id,
        )
    ]


def ask_practitioner(command: AskPractitioner, db: Db) -> list[Event]:
    """[] when that is not possible any more: the page then says so."""
    request = _open_request(command.request_id, db)
    practitioner = store.practitioners.find(db, command.practitioner_id)
    if request is None or practitioner is None or not rules.may_be_asked(request, practitioner, now().date()):
        return []
    open_offer = store.offers.find_open(db, request.id)
    if open_offer and open_offer.practitioner_id == practitioner.id:
        return []
    if needs_check(request, practitioner):
        events = call_to_check(request, practitioner.id, db)
        store.requests.save(db, request)
        return events
    events = release_open_offer(request, "chose_another", db)
    events += make_offer(request, practitioner, db, choice_index=request.choice_of(practitioner.id))
    _finish(command.coordinator_id, "asked", request, db)
    return events


def suggest_practitioners(command: SuggestPractitioners, db: Db) -> list[Event]:
    """Only while nobody is being asked: an offer that is open is not taken away from anyone."""
    request = _open_request(command.request_id, db)
    if request is None or request.state == "asking":
        return []
    people, today = store.practitioners.find_many(db, command.practitioner_ids), now().date()
    able = [id for id in command.practitioner_ids if id in people and rules.may_be_asked(request, people[id], today)]
    if not able:
        return []
    events = request.suggest(tuple(able[: rules.MOST_SUGGESTIONS]))
    _finish(command.coordinator_id, "suggested", request, db)
    return events


def reach_out(command: ReachOut, db: Db) -> list[Event]:
    """Their page says that a coordinator will write. The task stays open, held by this coordinator, until that is done."""
    request = _open_request(command.request_id, db)
    if request is None or request.state == "asking":
        return []
    events = hand_to_coordinators(request, "reach_out", db, holder=command.coordinator_id)
    store.requests.save(db, request)
    audit(command.coordinator_id, "reaches_out", request.id, db)
    return events


def write_to_supportee(command: WriteToSupportee, db: Db) -> list[Event]:
    """What they wrote to the coordinators is answered with it; any other task stays open until it is resolved."""
    request = store.requests.find(db, command.request_id)
    if request is None or request.has_ended:
        return []
    events = write_note(request, command.words, db, coordinator_id=command.coordinator_id)
    if not waits_for_another(request.id, command.coordinator_id, db):
        store.tasks.resolve(db, request.id, now(), only=["wrote"])
    store.requests.save(db, request)
    audit(command.coordinator_id, "wrote", request.id, db)
    return events


def release_contact(command: ReleaseContact, db: Db) -> list[Event]:
    """Only by whoever has it open, so has read it."""
    request, task = store.requests.find(db, command.request_id), store.tasks.find_open(db, command.request_id, "read_first")
    since = now() - OPENING_LASTS
    if request is None or task is None or not store.tasks.was_opened_since(db, command.coordinator_id, request.id, since):
        return []
    task.resolve(now(), command.coordinator_id)
    _save_task(command.coordinator_id, "held_back" if command.on_their_word else "released", task, db)
    write: Literal["now", "on_their_word"] = "on_their_word" if command.on_their_word else "now"
    return [ContactReleased(request_id=request.id, supportee_id=request.supportee_id, write=write)]


def let_go_on(command: GoOn, db: Db) -> list[Event]:
    """Only by whoever has it open, so has read it."""
    request, since = store.requests.find(db, command.request_id), now() - OPENING_LASTS
    if request is None or request.held_until is None:
        return []
    if not store.tasks.was_opened_since(db, command.coordinator_id, request.id, since):
        return []
    events = go_on(request, db)
    store.requests.save(db, request)
    audit(command.coordinator_id, "goes_on", request.id, db)
    return events


def say_what_they_said(command: SayWhatTheySaid, db: Db) -> list[Event]:
    """Only by whoever has it open, so knows about whom they asked."""
    request, task = store.requests.find(db, command.request_id), store.tasks.find_open(db, command.request_id, "ask_in_person")
    since = now() - OPENING_LASTS
    if request is None or task is None or task.person_id not in request.to_check:
        return []
    if not store.tasks.was_opened_since(db, command.coordinator_id, request.id, since):
        return []
    request.talked_with(task.person_id, may_be_asked=command.may_be_asked)
    _settle(task, request, command.coordinator_id, db)
    audit(command.coordinator_id, "may_be_asked" if command.may_be_asked else "left_out", request.id, db)
    events = _after_check(request, task.person_id, db)
    store.requests.save(db, request)
    return events


def _settle(task: CoordinatorTask, request: Request, coordinator_id: str, db: Db) -> None:
    """When somebody else is to be asked in person too, it stays open for them."""
    if request.to_check:
        task.concern(request.to_check[-1])
    else:
        task.resolve(now(), coordinator_id)
    store.tasks.save(db, task)


def _after_check(request: Request, practitioner_id: str, db: Db) -> list[Event]:
    practitioner = store.practitioners.find(db, practitioner_id)
    open_offer = store.offers.find_open(db, request.id)
    if practitioner is None or open_offer or request.is_over or request.held_until:
        return []
    if rules.may_be_asked(request, practitioner, now().date()):
        return make_offer(request, practitioner, db, choice_index=request.choice_of(practitioner.id))
    if request.queue == "named" and all(map(request.was_with, request.wanted)):
        return take_step(request, next_step(request, db), db)
    return []


def take_task(command: ChangeTask, db: Db) -> list[Event]:
    task = store.tasks.find(db, command.task_id)
    if task and task.is_open:
        task.take(command.coordinator_id)
        store.tasks.save(db, task)
    return []


def resolve_task(command: ChangeTask, db: Db) -> list[Event]:
    task = store.tasks.find(db, command.task_id)
    if (
        task
        and task.is_open
        and task.reason not in rules.NOT_DONE_BY_SAYING_SO + _kept(task.request_id, command.coordinator_id, db)
    ):
        task.resolve(now(), command.coordinator_id)
        _save_task(command.coordinator_id, "resolved", task, db)
    return []


def reopen_task(command: ChangeTask, db: Db) -> list[Event]:
    """It was not done after all. Nothing changes once its time to be undone has passed, the request has ended, or the same need
    came again."""
    task = store.tasks.find(db, command.task_id)
    if task and _may_be_reopened(task, db):
        task.reopen()
        _save_task(command.coordinator_id, "reopened", task, db)
    return []


def _may_be_reopened(task: CoordinatorTask, db: Db) -> bool:
    if task.resolved_at is None or task.resolved_by is None or task.resolved_at < now() - UNDO_LASTS:
        return False
    if task.reason in rules.NOT_DONE_BY_SAYING_SO:
        return False
    if task.request_id is None:
        return task.person_id is None or store.tasks.find_open_about_person(db, task.person_id) is None
    request = store.requests.find(db, task.request_id)
    is_over = request is None or request.has_ended
    return not is_over and store.tasks.find_open(db, task.request_id, task.reason) is None


def _save_task(coordinator_id: str, action: AuditAction, task: CoordinatorTask, db: Db) -> None:
    store.tasks.save(db, task)
    if task.request_id:
        audit(coordinator_id, action, task.request_id, db)


def write_profile(command: PractitionerProfile, db: Db) -> list[Event]:
    """Raises EmailInUse."""
    return profiles.write(command, db)


def write_profiles(command: Sequence[PractitionerProfile], db: Db) -> list[Event]:
    """All or nothing: an import writes every row of it in one transaction."""
    return [event for profile in command for event in profiles.write(profile, db)]


def _open_request(request_id: str, db: Db) -> Request | None:
    request = store.requests.find(db, request_id)
    return request if request and not request.is_over and not request.flood else None


def _finish(coordinator_id: str, action: AuditAction, request: Request, db: Db) -> None:
    store.requests.save(db, request)
    store.tasks.resolve(db, request.id, now(), without=rules.HOLDS_MESSAGES + _kept(request.id, coordinator_id, db))
    audit(coordinator_id, action, request.id, db)


def _kept(request_id: str | None, coordinator_id: str, db: Db) -> tuple[TaskReason, ...]:
    return ("wrote",) if request_id and waits_for_another(request_id, coordinator_id, db) else ()


def audit(coordinator_id: str, action: AuditAction, request_id: str, db: Db) -> None:
    entry = AuditEntry(id=str(uuid.uuid4()), coordinator_id=coordinator_id, action=action, request_id=request_id, at=now())
    store.tasks.add_audit_entry(db, entry)
