"""What intake does, one file for each trigger. Importing the package registers them all with `service`."""

from services.intake.handlers import (
    access,
    broker_events,
    corrections,
    daily_checks,
    erasure,
    look_backs,
    supportee,
    timers,
    way_in,
)
from services.intake.handlers.service import service

__all__ = [
    "access",
    "broker_events",
    "corrections",
    "daily_checks",
    "erasure",
    "look_backs",
    "service",
    "supportee",
    "timers",
    "way_in",
]
