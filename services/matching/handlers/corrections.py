"""What a supportee corrects after Send."""

from services.matching import store
from services.matching.handlers import names
from services.matching.handlers.keys import encrypt_for_match
from services.matching.handlers.meetings import find_hours_again
from services.matching.handlers.requests import find_request, stop_waiting_in_vain
from services.matching.handlers.service import service
from services.matching.handlers.tasks import call_coordinators
from shared.contracts import RequestChanged
from shared.messages import Event
from shared.mongo import Db


@service.on(RequestChanged)
def correct_request(event: RequestChanged, db: Db) -> list[Event]:
    """Whoever reads the request reads what stands now. Who waits is looked at again: others may suit them now."""
    request = find_request(event.request_id, db)
    if request.has_ended or event.change <= request.change:
        return []
    request.correct(event)
    request.avoid_index = names.avoided_by(request)
    store.tasks.hide(db, request.id, request.avoid_index)
    if event.person_index is not None:
        request.person_index = names.person_index(request.supportee_id, event.person_index)
    match = store.offers.find_live_match(db, request.id)
    events: list[Event] = []
    if match:
        match.keep(encrypt_for_match(request, match.id))
        store.offers.save_match(db, match)
        events += find_hours_again(match, request, store.practitioners.find(db, match.practitioner_id), db)
    events += call_coordinators(request, "read_first", db) if event.read_first and not request.flood else []
    events += stop_waiting_in_vain(request, db)
    store.requests.save(db, request)
    if request.queue:
        store.assignment.leave_triggers(db, "request_id", [request.id])
    return events
