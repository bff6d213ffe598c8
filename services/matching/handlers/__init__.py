"""What matching does. Importing the package registers every handler.

Entry points, by what triggers them: broker_events, practitioner, coordinator, sign_in, timers, held, endings, sharing,
corrections, assignment. Below them: answers, requests, offers, notes, tasks, profiles, names. What pages show: reading.
"""

from services.matching.handlers import (
    assignment_job,
    broker_events,
    coordinator,
    corrections,
    endings,
    held,
    practitioner,
    sharing,
    sign_in,
    timers,
)
from services.matching.handlers.service import service

__all__ = [
    "assignment_job",
    "broker_events",
    "coordinator",
    "corrections",
    "endings",
    "held",
    "practitioner",
    "service",
    "sharing",
    "sign_in",
    "timers",
]
