"""Of people of the collective: who is on the way to become a practitioner, and who asks one of them to call."""

from services.notify import store
from services.notify.domain import Message
from services.notify.handlers.desk import call_coordinators
from services.notify.handlers.outbound import enqueue_notification, require, service
from shared.clock import now
from shared.contracts import CallAsked, PractitionerMovedOn
from shared.messages import Event
from shared.mongo import Db

TEMPLATES = {"received": "application_received", "news": "application_news", "ending": "application_ending"}


@service.on(CallAsked)
def ask_to_call(event: CallAsked, db: Db) -> list[Event]:
    contact = require(store.find_contact(db, event.person_id))
    return enqueue_notification(db, contact, Message("please_call", event.call_id, encrypted=event.encrypted))


@service.on(PractitionerMovedOn)
def tell_of_application(event: PractitionerMovedOn, db: Db) -> list[Event]:
    cause = f"{event.practitioner_id}/{event.version}"
    contact = require(store.find_contact(db, event.practitioner_id))
    if event.state in ("stepped_back", "ended"):
        store.end_contact(db, event.practitioner_id, now())
        store.cancel_notifications(db, now(), "application ended", person_id=event.practitioner_id)
        return []
    if event.news == "received":
        call_coordinators(db, cause)
    if event.news is None or contact.ended_at:
        return []
    return enqueue_notification(db, contact, Message(TEMPLATES[event.news], cause))
