"""What handlers of events read by id."""

from services.notify.domain import notification_id
from shared.contracts import ContactShared, OfferMade
from shared.transaction import Keys


def keys_of_contact(event: ContactShared) -> Keys:
    receipts = _notification_ids(event.request_id, "request_received", event.person_id)
    return {"contacts": [event.person_id], "request_updates": [event.request_id], "notifications": receipts}


def keys_of_offer(event: OfferMade) -> Keys:
    offers = _notification_ids(event.offer_id, "offer", event.practitioner_id)
    return {"offers": [event.offer_id], "contacts": [event.practitioner_id], "notifications": offers}


def _notification_ids(cause: str, template: str, person_id: str) -> list[str]:
    return [notification_id(cause, template, person_id, channel) for channel in ("email", "text")]
