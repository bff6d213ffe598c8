"""When two people meet: whatever one of them changes, the other is told that there is news, and where to read it."""

from services.notify import store
from services.notify.domain import Contact, Meetings, Message
from services.notify.handlers.outbound import enqueue_notification, require, service
from shared.clock import now
from shared.contracts import MeetingsChanged
from shared.messages import Event
from shared.mongo import Db

TEMPLATE = "meetings_news"


@service.on(MeetingsChanged)
def enqueue_news_of_meetings(event: MeetingsChanged, db: Db) -> list[Event]:
    """Of several changes the newest is told: the page behind the link shows how it stands."""
    if store.find_last_update(db, event.request_id).withdrawn or not store.save_meetings(db, _as_kept(event)):
        return []
    if event.by is None or event.change == "held":
        return []
    told = _other(event, db)
    store.cancel_notifications(db, now(), "newer news", offer_id=event.offer_id, template=TEMPLATE, person_id=told.person_id)
    cause = f"{event.match_id}/meetings/{event.version}"
    message = Message(TEMPLATE, cause, {"change": event.change}, encrypted=event.encrypted, offer_id=event.offer_id)
    return enqueue_notification(db, told, message)


def _other(event: MeetingsChanged, db: Db) -> Contact:
    if event.by == "supportee":
        return require(store.find_contact(db, event.practitioner_id))
    return require(store.find_supportee(db, event.request_id))


def _as_kept(event: MeetingsChanged) -> Meetings:
    return Meetings(
        id=event.match_id,
        request_id=event.request_id,
        version=event.version,
        ended_at=event.ended_at,
    )
