"""A talk that an offer waits for, and that nobody had: the desk is called again, and a week later there is an alarm."""

from collections.abc import Iterable
from datetime import timedelta

from services.matching import store
from services.matching.handlers.service import service
from services.matching.handlers.tasks import call_again
from shared import metrics
from shared.clock import now
from shared.logs import get_logger
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 10 * 60
CALLED_AGAIN_AFTER, ALARM_AFTER = timedelta(days=3), timedelta(days=7)
log = get_logger("matching.late_talks")


def find_late_talks(db: Db) -> Iterable[str]:
    moment = now()
    metrics.LATE_TALKS.labels(service.name).set(store.tasks.count_late_talks(db, moment - ALARM_AFTER))
    return store.tasks.ids_of_late_talks(db, moment - CALLED_AGAIN_AFTER)


@service.every(SECONDS_BETWEEN_LOOKS, find_late_talks)
def call_again_to_talk(task_id: str, db: Db) -> list[Event]:
    """Whoever took it has not had it either, so anybody may take it now."""
    task, moment = store.tasks.find(db, task_id), now()
    request = store.requests.find(db, task.request_id) if task and task.request_id else None
    if task is None or request is None or not task.is_open or task.last_called_at > moment - CALLED_AGAIN_AFTER:
        return []  # another worker was here meanwhile
    task.call_again(moment)
    store.tasks.save(db, task)
    events = call_again(request, "nobody_suits", db)
    store.requests.save(db, request)
    if task.since <= moment - ALARM_AFTER:
        log.error("an offer has waited a week for a talk with a practitioner", extra={"reason": task.reason})
    return events
