"""Every query of notify, by collection; documents become values of the domain here and nowhere else."""

from services.notify.store import contacts, notifications, offers, request_updates

INDEXES = {
    "contacts": contacts.INDEXES,
    "notifications": notifications.INDEXES,
    "offers": offers.INDEXES,
    "request_updates": request_updates.INDEXES,
}

__all__ = ["INDEXES", "contacts", "notifications", "offers", "request_updates"]
