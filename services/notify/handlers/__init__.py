"""What notify does on an event, a text or a receipt; grouped by what triggers it."""

from services.notify.handlers import contacts, endings, meetings, offers, outcomes, replies, requests, rooms, timers
from services.notify.handlers.outbound import service

__all__ = ["contacts", "endings", "meetings", "offers", "outcomes", "replies", "requests", "rooms", "service", "timers"]
