"""What happens because time passed."""

from datetime import timedelta

from services.intake import store
from services.intake.handlers.service import service
from services.intake.handlers.supportee import delete_code_words
from services.intake.store import requests_with_old_code_words
from shared import metrics, outbox
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db

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
