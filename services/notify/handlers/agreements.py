"""What two people agree on: whatever one of them does to it, the other is told that there is news, and once of what comes soon
after."""

from datetime import timedelta

from services.notify import store
from services.notify.domain import Contact, Message
from services.notify.handlers.outbound import enqueue_notification, require, service
from shared.contracts import AgreementChanged
from shared.messages import Event
from shared.mongo import Db

NEWS = "agreement_news"
TOLD = ("written", "agreed", "deleted")
GAP = timedelta(hours=1)


@service.on(AgreementChanged)
def enqueue_news_of_agreement(event: AgreementChanged, db: Db) -> list[Event]:
    """One that waits says it too: the page behind the link shows how it stands."""
    if event.change not in TOLD or store.find_last_update(db, event.request_id).withdrawn:
        return []
    told, about = _other(event, db), f"{event.match_id}/agreement/"
    cause = f"{about}{event.version:09}"
    last = store.newest_notification(db, told.person_id, event.offer_id, about)
    if last and (last.cause >= cause or last.is_untouched()):
        return []
    message = Message(NEWS, cause, encrypted=event.encrypted, offer_id=event.offer_id)
    return enqueue_notification(db, told, message, last.created_at + GAP if last else None)


def _other(event: AgreementChanged, db: Db) -> Contact:
    if event.by == "supportee":
        return require(store.find_contact(db, event.practitioner_id))
    return require(store.find_supportee(db, event.request_id))
