"""Two people who have met some times are asked to look back: each once."""

from services.notify import store
from services.notify.domain import Message
from services.notify.handlers.outbound import enqueue_notification, require, service
from shared.contracts import LookBackChanged
from shared.messages import Event
from shared.mongo import Db

TEMPLATE = "look_back"


@service.on(LookBackChanged)
def enqueue_questions(event: LookBackChanged, db: Db) -> list[Event]:
    if event.change != "opened" or store.find_last_update(db, event.request_id).withdrawn:
        return []
    cause = f"{event.match_id}/look-back"
    practitioner = require(store.find_contact(db, event.practitioner_id))
    supportee = require(store.find_supportee(db, event.request_id))
    asked = Message(TEMPLATE, cause, encrypted=event.encrypted, offer_id=event.offer_id)
    told = enqueue_notification(db, practitioner, asked)
    return told + enqueue_notification(db, supportee, Message(TEMPLATE, cause, offer_id=event.offer_id))
