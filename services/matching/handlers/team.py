"""Which coordinators supportees may choose to read a note, and what becomes of a note for one of them."""

from dataclasses import dataclass

from services.matching import store
from services.matching.domain import Request
from services.matching.handlers import names
from services.matching.handlers.requests import find_request
from services.matching.handlers.service import service
from services.matching.handlers.sign_in import team_changed
from services.matching.handlers.tasks import call_again, call_coordinators
from shared.contracts import NotesReleased
from shared.messages import Event
from shared.mongo import Db


@dataclass(frozen=True, kw_only=True)
class ShowOnPages:
    coordinator_id: str
    is_shown: bool


def show_on_pages(command: ShowOnPages, db: Db) -> list[Event]:
    """They agreed to be chosen by their first name, or do so no more."""
    coordinator = store.coordinators.find(db, command.coordinator_id)
    if coordinator is None or coordinator.is_shown == command.is_shown:
        return []
    coordinator.is_shown = command.is_shown
    coordinator.version += 1
    store.coordinators.save(db, coordinator)
    return [team_changed(coordinator)]


def only_reader(coordinator_id: str | None, db: Db) -> str | None:
    """Whom they chose; None, for any, where that one is no longer here."""
    coordinator = store.coordinators.find(db, coordinator_id) if coordinator_id else None
    return coordinator.id if coordinator else None


def is_hidden_from(request: Request, coordinator_id: str | None, db: Db) -> bool:
    """They would never meet somebody of this coordinator's name."""
    return coordinator_id is not None and not set(request.avoid_index).isdisjoint(names.of_coordinator(coordinator_id, db))


def waits_for_another(request_id: str, coordinator_id: str, db: Db) -> bool:
    """Something is for another coordinator alone, who has not opened it: what this one does does not answer it."""
    request = store.requests.find(db, request_id)
    theirs = [note for note in store.notes.about(db, request_id) if note.to_coordinator_id and not note.coordinator_id]
    return any(
        reader != coordinator_id and not store.tasks.was_opened_since(db, reader, request_id, note.at)
        for note in theirs
        if (reader := note.to_coordinator_id) and request and not is_hidden_from(request, reader, db)
    )


@service.on(NotesReleased)
def release_notes(event: NotesReleased, db: Db) -> list[Event]:
    """The supportee waited long enough for one: now whoever has time reads it."""
    request = find_request(event.request_id, db)
    if request.has_ended or not store.notes.release(db, request.id):
        return []
    task = store.tasks.find_open(db, request.id, "wrote")
    if task:
        task.let_go()
        store.tasks.save(db, task)
        events = call_again(request, "wrote", db)
    else:
        events = call_coordinators(request, "wrote", db)
    store.requests.save(db, request)
    return events
