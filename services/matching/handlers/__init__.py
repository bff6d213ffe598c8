"""What matching does. Importing the package registers every handler.

Entry points, by what triggers them: broker_events, practitioner, coordinator, sign_in, timers, held, floods, feedback, endings,
meetings, agreements, plans, rooms, sharing, way_in, corrections, daily_checks, assignment, own_list, profile_edits,
stepping_back, stored_before, team, welcome. Below them: beginning, answers, requests, talk_first, offers, notes, links, tasks,
erasure, profiles, names. What pages show: reading.
"""

from services.matching.handlers import (
    agreements,
    assignment_job,
    broker_events,
    coordinator,
    corrections,
    daily_checks,
    endings,
    erasure,
    feedback,
    floods,
    held,
    meetings,
    plans,
    practitioner,
    rooms,
    sharing,
    sign_in,
    stored_before,
    team,
    timers,
    way_in,
    welcome,
)
from services.matching.handlers.service import service

__all__ = [
    "agreements",
    "assignment_job",
    "broker_events",
    "coordinator",
    "corrections",
    "daily_checks",
    "endings",
    "erasure",
    "feedback",
    "floods",
    "held",
    "meetings",
    "plans",
    "practitioner",
    "rooms",
    "service",
    "sharing",
    "sign_in",
    "stored_before",
    "team",
    "timers",
    "way_in",
    "welcome",
]
