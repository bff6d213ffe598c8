"""Events of requests: what their supportees are told, and coordinators when they are needed."""

from services.notify import rules, store
from services.notify.domain import Message
from services.notify.handlers.outbound import enqueue_notification, enqueue_supportee_update, require, service
from shared.clock import now
from shared.contracts import CoordinatorNeeded, NoteWritten, RequestWaiting, RequestWithdrawn, SuggestionsMade
from shared.messages import Event
from shared.mongo import Db


@service.on(SuggestionsMade)
def enqueue_suggestions(event: SuggestionsMade, db: Db) -> list[Event]:
    if not event.practitioner_ids:
        return []
    return enqueue_supportee_update(db, event.request_id, event.version, "suggestions_ready")


@service.on(RequestWaiting)
def enqueue_waiting(event: RequestWaiting, db: Db) -> list[Event]:
    update, context = rules.update_name("waiting", event.waiting_for), {"waiting_for": event.waiting_for}
    return enqueue_supportee_update(db, event.request_id, event.version, "waiting", context, update=update)


@service.on(CoordinatorNeeded)
def enqueue_coordinator_call(event: CoordinatorNeeded, db: Db) -> list[Event]:
    cause = f"{event.request_id}/{event.version}"
    events: list[Event] = []
    for coordinator in [] if event.taken else store.find_coordinators(db):
        events += enqueue_notification(db, coordinator, Message("reach_out", cause))
    if event.reaching_out:
        events += enqueue_supportee_update(db, event.request_id, event.version, "someone_will_write")
    return events


@service.on(NoteWritten)
def enqueue_note(event: NoteWritten, db: Db) -> list[Event]:
    """Not as an update of the request's state: a note stays worth reading whatever happened since."""
    if store.find_last_update(db, event.request_id).withdrawn:
        return []
    return enqueue_notification(db, require(store.find_supportee(db, event.request_id)), Message("note", event.note_id))


@service.on(RequestWithdrawn)
def cancel_notifications(event: RequestWithdrawn, db: Db) -> list[Event]:
    moment, supportee = now(), store.find_supportee(db, event.request_id)
    store.mark_withdrawn(db, event.request_id, moment)
    if supportee:
        store.cancel_notifications(db, moment, "withdrawn", person_id=supportee.person_id)
    return []
