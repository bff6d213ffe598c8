"""What happens because time passed."""

from dataclasses import replace
from datetime import datetime, timedelta

from services.intake import lifetimes, store
from services.intake.domain import Request
from services.intake.handlers.service import service
from services.intake.handlers.supportee import delete_code_words
from services.intake.lifetimes import Due
from services.intake.store import requests_to_look_at, requests_with_old_code_words
from shared import metrics, outbox
from shared.clock import now
from shared.contracts import IntakeMessageStranded, RequestGoneSilent, RequestStillWaiting, StillWaiting
from shared.messages import Event
from shared.mongo import Db
from shared.service import OldDeadLetter

SECONDS_BETWEEN_LOOKS = 60
SECONDS_BETWEEN_RECONCILIATIONS = 300
ANSWERED_WITHIN = timedelta(minutes=5)

service.every(SECONDS_BETWEEN_LOOKS, requests_with_old_code_words)(delete_code_words)


def find_unanswered_requests(db: Db) -> list[tuple[str, str]]:
    metrics.UNANSWERED.labels(service.name).set(store.count_given_up(db))
    return store.unanswered_requests(db, now() - ANSWERED_WITHIN)


@service.every(SECONDS_BETWEEN_RECONCILIATIONS, find_unanswered_requests)
def publish_request_again(request_and_person: tuple[str, str], db: Db) -> list[Event]:
    """Something failed on the way to matching: it always publishes an event about a request it knows. What lies in matching's
    dead queue dies again, so this ends after some times, and the operator is told."""
    reemitted = outbox.reemit_unanswered(db, service.name, request_and_person)
    store.mark_reconciled(db, request_and_person[0], reemitted=reemitted > 0)
    return []


@service.every(SECONDS_BETWEEN_LOOKS, requests_to_look_at)
def look_after_waiting(request_id: str, db: Db) -> list[Event]:
    """At most one thing at once, however far the clock went since the last look."""
    request, moment = store.request(db, request_id), now()
    if request is None or request.next_look_at is None or request.next_look_at > moment:
        return []  # another worker was here meanwhile
    over = lifetimes.pairs_to_forget(request, moment, timedelta(days=service.programme.days_kept("pair")))
    if over:
        store.delete_notes_of(db, request.id, over)
    due = lifetimes.due(request, moment)
    looked = _marked(request, due, moment)
    store.save_look(db, replace(looked, next_look_at=lifetimes.next_look(looked, moment)))
    if due == "end":
        return [RequestGoneSilent(request_id=request.id, silent_since=lifetimes.silent_since(request))]
    return [_still_waiting(looked, due, moment)] if due else []


def _marked(request: Request, due: Due | None, moment: datetime) -> Request:
    match due:
        case "news":
            return replace(request, told_at=moment)
        case "question":
            return replace(request, asked_at=moment)
        case "last_warning":
            return replace(request, warned_at=moment)
        case "end":
            return replace(request, gone_silent_at=moment)
    return request


def _still_waiting(request: Request, kind: StillWaiting, moment: datetime) -> RequestStillWaiting:
    return RequestStillWaiting(
        request_id=request.id,
        kind=kind,
        waits_for=lifetimes.WAITS_FOR.get(request.status.state, "place"),
        since=lifetimes.waiting_since(request),
        ends_at=lifetimes.ends_at(request, moment),
        written_at=moment,
        version=request.version,
    )


@service.on_old_dead_letter
def tell_of_stranded_message(found: OldDeadLetter, db: Db) -> list[Event]:
    return [IntakeMessageStranded(event_id=found.event_id, failed_at=found.failed_at)]
