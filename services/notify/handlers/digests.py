"""One e-mail a day of what can wait, for those who want that."""

from collections.abc import Iterable

from services.notify import store
from services.notify.domain import Message
from services.notify.handlers.outbound import service, write_notifications
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db

SECONDS_BETWEEN_LOOKS = 60


def find_due_digests(db: Db) -> Iterable[str]:
    return store.find_due_digests(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_due_digests)
def send_digest(person_id: str, db: Db) -> list[Event]:
    contact, found = store.find_contact(db, person_id), store.take_digest(db, person_id, now())
    if contact is None or found is None or contact.ended_at:
        return []
    due_at, templates = found
    message = Message("digest", f"{person_id}/{due_at.isoformat()}", {"news": " ".join(templates)})
    write_notifications(db, contact, message, ["email"] if "email" in service.channels else [])
    return []
