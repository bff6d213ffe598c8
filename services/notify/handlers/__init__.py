"""What notify does when it hears something. One file for each behaviour."""

from services.notify.handlers import answers, contacts, offers, outcomes, requests
from services.notify.handlers.desk import service

__all__ = ["answers", "contacts", "offers", "outcomes", "requests", "service"]
