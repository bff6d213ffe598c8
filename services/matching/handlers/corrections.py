"""What a supportee corrects after Send."""

from services.matching import store
from services.matching.domain import Request
from services.matching.handlers import names
from services.matching.handlers.avoided import hide_from_those_named, meet_none_of_those_named
from services.matching.handlers.held import read_first, tell_who_may_read
from services.matching.handlers.keys import encrypt_for_match
from services.matching.handlers.meetings import find_hours_again
from services.matching.handlers.requests import find_request
from services.matching.handlers.service import service
from shared.clock import now
from shared.contracts import ContactAllowed, RequestChanged
from shared.messages import Event
from shared.mongo import Db


@service.on(RequestChanged)
def correct_request(event: RequestChanged, db: Db) -> list[Event]:
    """Whoever reads the request reads what stands now. Who waits is looked at again: others may suit them now."""
    request = find_request(event.request_id, db)
    if request.has_ended:
        return []
    if event.change <= request.change:
        return _read_what_came_late(request, event, db)
    request.correct(event)
    events = hide_from_those_named(request, db)
    if event.person_index is not None:
        request.person_index = names.person_index(request.supportee_id, event.person_index)
    match = store.offers.find_live_match(db, request.id)
    if match:
        match.keep(encrypt_for_match(request, match.id))
        store.offers.save_match(db, match)
        events += find_hours_again(match, request, store.practitioners.find(db, match.practitioner_id), db)
    events += _read_first_or_not(request, event, db)
    events += meet_none_of_those_named(request, db)
    store.requests.save(db, request)
    if request.queue:
        store.assignment.leave_triggers(db, "request_id", [request.id])
    return events


@service.on(ContactAllowed)
def stop_looking_for_readers(event: ContactAllowed, db: Db) -> list[Event]:
    """Nobody may read what they wrote, and they are written to all the same."""
    if not event.without_reading:
        return []
    request = find_request(event.request_id, db)
    if request.has_ended:
        return []
    store.tasks.resolve(db, request.id, now(), only=["read_first"])
    events = tell_who_may_read(request, db)
    if events:
        store.requests.save(db, request)
    return events


def _read_first_or_not(request: Request, event: RequestChanged, db: Db) -> list[Event]:
    """What they took back is nobody's to read any more; other names may hide it from everybody, or from fewer."""
    if event.read_first and not request.flood:
        request.read_first_change = event.change
        return read_first(request, db)
    if not event.read_first and "before_we_write" not in event.encrypted.fields:
        store.tasks.resolve(db, request.id, now(), only=["read_first"])
    return tell_who_may_read(request, db)


def _read_what_came_late(request: Request, event: RequestChanged, db: Db) -> list[Event]:
    """A newer correction, of something else, overtook the one with new words to read first. They stand as long as no newer one
    took them back."""
    stands = request.encrypted is not None and "before_we_write" in request.encrypted.fields
    if not event.read_first or not stands or request.flood or event.change <= request.read_first_change:
        return []
    request.read_first_change = event.change
    request.version += 1
    events = read_first(request, db)
    store.requests.save(db, request)
    return events
