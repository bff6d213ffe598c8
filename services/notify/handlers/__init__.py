"""What notify does on an event, a text or a receipt; grouped by what triggers it."""

from services.notify.handlers import (
    agreements,
    contacts,
    digests,
    endings,
    look_backs,
    meetings,
    offers,
    outcomes,
    replies,
    requests,
    rooms,
    timers,
    welcome,
)
from services.notify.handlers.outbound import service

__all__ = [
    "agreements",
    "contacts",
    "digests",
    "endings",
    "look_backs",
    "meetings",
    "offers",
    "outcomes",
    "replies",
    "requests",
    "rooms",
    "service",
    "timers",
    "welcome",
]
