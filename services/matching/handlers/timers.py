"""What happens because time passed: one reminder, the end of the time to answer, the end of a pause."""

from collections.abc import Iterable

from services.matching import rules, store
from services.matching.handlers.answers import end_offer_and_continue
from services.matching.handlers.links import issue_links
from services.matching.handlers.service import service
from services.matching.handlers.tasks import add_task
from shared.clock import now
from shared.contracts import IntakeMessageStranded, NotifyMessageStranded
from shared.messages import Event
from shared.mongo import Db
from shared.service import OldDeadLetter

SECONDS_BETWEEN_LOOKS_AT_OFFERS = 10
SECONDS_BETWEEN_LOOKS_AT_PAUSES = 30
SECONDS_BETWEEN_FULL_ASSIGNMENTS = 300


def find_offers_to_remind_of(db: Db) -> Iterable[str]:
    return store.offers.ids_to_remind_of(db, now())


@service.every(SECONDS_BETWEEN_LOOKS_AT_OFFERS, find_offers_to_remind_of)
def send_reminder(offer_id: str, db: Db) -> list[Event]:
    offer, moment = store.offers.find(db, offer_id), now()
    if offer is None or not offer.is_open or offer.reminded_at or offer.answer_by <= moment:
        return []  # answered or reminded of by another worker meanwhile
    practitioner = store.practitioners.find(db, offer.practitioner_id)
    if practitioner is None or not rules.is_waking(moment, practitioner.time_zone):
        return []  # it stays due and goes out in the morning
    events = offer.remind(moment, issue_links(offer, db))
    store.offers.save(db, offer)
    return events


def find_offers_past_their_time(db: Db) -> Iterable[str]:
    return store.offers.ids_past_their_time(db, now())


@service.every(SECONDS_BETWEEN_LOOKS_AT_OFFERS, find_offers_past_their_time)
def expire_offer(offer_id: str, db: Db) -> list[Event]:
    offer, moment = store.offers.find(db, offer_id), now()
    if offer is None or not offer.is_open or offer.answer_by > moment:
        return []
    offer.expire(moment)
    return end_offer_and_continue(offer, db)


def find_rested(db: Db) -> Iterable[str]:
    return store.practitioners.ids_of_rested(db, now())


@service.every(SECONDS_BETWEEN_LOOKS_AT_PAUSES, find_rested)
def end_pause(practitioner_id: str, db: Db) -> list[Event]:
    practitioner = store.practitioners.find(db, practitioner_id)
    if practitioner is None or practitioner.state != "resting":
        return []
    if practitioner.resting_until is None or practitioner.resting_until > now():
        return []
    changed = practitioner.end_pause()
    store.practitioners.save(db, practitioner)
    return changed


def find_missed_assignments(db: Db) -> Iterable[str]:
    """For whatever no trigger told of: a limit that changed with the week, an edit by hand."""
    return ["everything"] if store.practitioners.anybody_has_room(db) and store.requests.anybody_waits(db) else []


@service.every(SECONDS_BETWEEN_FULL_ASSIGNMENTS, find_missed_assignments)
def assign_everything(_: str, db: Db) -> list[Event]:
    store.assignment.look_at_everything(db)
    return []


def open_task_for_stranded_message(_: OldDeadLetter | IntakeMessageStranded | NotifyMessageStranded, db: Db) -> list[Event]:
    """One task, however many there are: whoever looks after the server sees them all at once."""
    if store.tasks.find_open_of_no_request(db, "stranded") is None:
        add_task("stranded", db)
    return []


service.on_old_dead_letter(open_task_for_stranded_message)
service.on(IntakeMessageStranded)(open_task_for_stranded_message)
service.on(NotifyMessageStranded)(open_task_for_stranded_message)
