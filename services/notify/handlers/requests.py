"""Letters to supportees about their request, and to coordinators when a person is needed."""

from services.notify import rules, store
from services.notify.handlers.desk import Facts, known, service, tell
from shared.clock import now
from shared.contracts import CoordinatorNeeded, NoteWritten, RequestWaiting, RequestWithdrawn, SuggestionsMade
from shared.messages import Event
from shared.mongo import Db


@service.on(SuggestionsMade)
def tell_of_suggestions(event: SuggestionsMade, db: Db) -> list[Event]:
    if event.practitioner_ids:
        tell_supportee(db, event.request_id, event.version, "suggestions_ready")
    return []


@service.on(RequestWaiting)
def tell_of_waiting(event: RequestWaiting, db: Db) -> list[Event]:
    said = rules.what_is_said("waiting", event.waiting_for)
    tell_supportee(db, event.request_id, event.version, "waiting", {"waiting_for": event.waiting_for}, said=said)
    return []


@service.on(CoordinatorNeeded)
def call_coordinators(event: CoordinatorNeeded, db: Db) -> list[Event]:
    cause = f"{event.request_id}/{event.version}"
    for coordinator in [] if event.taken else store.coordinators(db):
        tell(db, coordinator, "reach_out", cause)
    if event.reaching_out:
        tell_supportee(db, event.request_id, event.version, "someone_will_write")
    return []


@service.on(NoteWritten)
def tell_of_a_note(event: NoteWritten, db: Db) -> list[Event]:
    """Not by `tell_supportee`: a note stays worth reading whatever happened since."""
    supportee = known(store.supportee_of(db, event.request_id))
    tell(db, supportee, "note", event.note_id)
    return []


@service.on(RequestWithdrawn)
def tell_nothing_more(event: RequestWithdrawn, db: Db) -> list[Event]:
    supportee = store.supportee_of(db, event.request_id)
    if supportee:
        store.drop_unsent(db, now(), "withdrawn", person_id=supportee.person_id)
    return []


def tell_supportee(
    db: Db, request_id: str, version: int, letter: str, facts: Facts | None = None, *, said: str | None = None
) -> None:
    """Tell the newest state only: facts come in any order, and what is no longer true is not told."""
    supportee = known(store.supportee_of(db, request_id))
    told, before = store.last_said(db, request_id)
    if version <= told:
        return
    store.note_said(db, request_id, version, said or letter, now())
    if not rules.already_said(before, said or letter):
        tell(db, supportee, letter, f"{request_id}/{version}", facts)
