"""Events of requests: what their supportees are told, and coordinators when they are needed."""

from services.notify import rules, store
from services.notify.domain import Contact, Message
from services.notify.handlers.desk import call_coordinators
from services.notify.handlers.outbound import enqueue_notification, enqueue_supportee_update, require, service
from services.notify.handlers.rooms import leave_rooms_of
from shared import outbox
from shared.clock import now
from shared.contracts import (
    ContactErased,
    CoordinatorNeeded,
    NoteWritten,
    RequestLapsed,
    RequestReadersChanged,
    RequestStillWaiting,
    RequestWaiting,
    RequestWithdrawn,
    StillWaiting,
    SuggestionsMade,
)
from shared.messages import Event
from shared.mongo import Db

TEMPLATE_OF_STILL_WAITING: dict[StillWaiting, str] = {
    "news": "still_waiting",
    "question": "still_looking",
    "last_warning": "request_ending",
}


@service.on(SuggestionsMade)
def enqueue_suggestions(event: SuggestionsMade, db: Db) -> list[Event]:
    if not event.practitioner_ids:
        return []
    update = rules.update_name("suggestions_ready", "until_a_person_writes" if event.until_a_person_writes else None)
    return enqueue_supportee_update(db, event.request_id, event.version, "suggestions_ready", update=update)


@service.on(RequestWaiting)
def enqueue_waiting(event: RequestWaiting, db: Db) -> list[Event]:
    update, context = rules.update_name("waiting", event.waiting_for), {"waiting_for": event.waiting_for}
    return enqueue_supportee_update(db, event.request_id, event.version, "waiting", context, update=update)


@service.on(CoordinatorNeeded)
def enqueue_coordinator_call(event: CoordinatorNeeded, db: Db) -> list[Event]:
    if not event.taken:
        not_for = service.vault.decrypt_fields(event.not_for)["ids"].split() if event.not_for else []
        call_coordinators(db, f"{event.request_id}/{event.version}", not_for)
    if event.reaching_out:
        return enqueue_supportee_update(db, event.request_id, event.version, "someone_will_write")
    return []


@service.on(RequestReadersChanged)
def enqueue_that_nobody_writes(event: RequestReadersChanged, db: Db) -> list[Event]:
    """A promise that nobody can keep now is said on their page."""
    if not event.nobody or not event.somebody_was_to_write or store.find_last_update(db, event.request_id).withdrawn:
        return []
    supportee = require(store.find_supportee(db, event.request_id))
    return enqueue_notification(db, supportee, Message("message", f"{event.request_id}/{event.version}"))


@service.on(NoteWritten)
def enqueue_note(event: NoteWritten, db: Db) -> list[Event]:
    """Not as an update of the request's state: a note stays worth reading whatever happened since."""
    if store.find_last_update(db, event.request_id).withdrawn:
        return []
    return enqueue_notification(db, require(store.find_supportee(db, event.request_id)), Message("note", event.note_id))


@service.on(RequestWithdrawn)
def erase_supportee(event: RequestWithdrawn, db: Db) -> list[Event]:
    """What stays is that they left, so that nothing that comes late brings their contact back."""
    supportee = store.find_supportee(db, event.request_id)
    store.mark_withdrawn(db, event.request_id, now())
    store.delete_meetings(db, event.request_id)
    leave_rooms_of(event.request_id, db)
    if supportee:
        store.erase_contact(db, supportee)
        outbox.erase(db, [event.request_id, supportee.person_id])
    return [ContactErased(request_id=event.request_id)]


@service.on(RequestStillWaiting)
def enqueue_still_waiting(event: RequestStillWaiting, db: Db) -> list[Event]:
    """Not when they were told something newer meanwhile: then they do not wait like that any more."""
    last = store.find_last_update(db, event.request_id)
    if last.withdrawn or last.version > event.version:
        return []
    supportee = require(store.find_supportee(db, event.request_id))
    context = {"waits_for": event.waits_for, "since": event.since, "ends_at": event.ends_at}
    cause = f"{event.request_id}/{event.written_at.isoformat()}"
    return enqueue_notification(db, supportee, Message(TEMPLATE_OF_STILL_WAITING[event.kind], cause, context))


@service.on(RequestLapsed)
def enqueue_end(event: RequestLapsed, db: Db) -> list[Event]:
    supportee = _end(db, event.request_id, "lapsed")
    template = "message" if event.by_coordinator else "request_ended"  # what their page says then is no end by silence
    return enqueue_notification(db, supportee, Message(template, event.request_id)) if supportee else []


def _end(db: Db, request_id: str, reason: str) -> Contact | None:
    """What waits to be sent about it is not true any more."""
    moment, supportee = now(), store.find_supportee(db, request_id)
    store.mark_withdrawn(db, request_id, moment)
    if supportee:
        store.forget_withheld(db, supportee.person_id)
        store.cancel_notifications(db, moment, reason, person_id=supportee.person_id)
        store.end_contact(db, supportee.person_id, moment)
    return supportee
