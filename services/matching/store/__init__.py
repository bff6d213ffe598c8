"""Every query of matching, by name, one module for each collection. Documents become domain objects here and nowhere else."""

from pymongo import IndexModel

from services.matching.store import (
    agreements,
    applications,
    assignment,
    coordinators,
    feedback,
    look_backs,
    meetings,
    notes,
    offers,
    practitioners,
    requests,
    tasks,
)
from shared import tokens
from shared.contracts import RequestSubmitted
from shared.transaction import Keys

INDEXES: dict[str, list[IndexModel]] = {
    "practitioners": practitioners.INDEXES,
    "requests": requests.INDEXES,
    "applications": applications.INDEXES,
    "offers": offers.OFFER_INDEXES,
    "matches": offers.MATCH_INDEXES,
    "meetings": meetings.INDEXES,
    "agreements": agreements.INDEXES,
    "look_backs": look_backs.INDEXES,
    "assignment_triggers": assignment.TRIGGER_INDEXES,
    "feedback": feedback.INDEXES,
    "jobs": assignment.JOB_INDEXES,
    "coordinator_tasks": tasks.TASK_INDEXES,
    "audit": tasks.AUDIT_INDEXES,
    "notes": notes.INDEXES,
    "coordinators": coordinators.INDEXES,
    "links": tokens.INDEXES,
    "sessions": tokens.INDEXES,
}


def keys_of_submitted(event: RequestSubmitted) -> Keys:
    """The documents that decide who is asked first, where they named somebody."""
    named = [choice.practitioner_id for choice in event.choices]
    triggers = [assignment.trigger_id("practitioner_id", id) for id in named]
    found: Keys = {"requests": [event.request_id], "practitioners": named, "assignment_triggers": triggers}
    return {**found, "coordinator_tasks": [tasks.FLOOD]} if event.held else found


__all__ = [
    "INDEXES",
    "agreements",
    "applications",
    "assignment",
    "coordinators",
    "feedback",
    "keys_of_submitted",
    "look_backs",
    "meetings",
    "notes",
    "offers",
    "practitioners",
    "requests",
    "tasks",
]
