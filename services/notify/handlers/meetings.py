"""When two people meet: whatever one of them changes, the other is told that there is news, and where to read it. Whoever asked
for reminders gets them in time or not at all."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from services.notify import store
from services.notify.domain import Contact, Context, Meetings, Message
from services.notify.handlers.outbound import enqueue_notification, require, service
from services.notify.handlers.rooms import follow_room
from services.notify.rules import DueReminder, due_reminders, reminders_of
from shared.clock import now
from shared.contracts import MeetingsChanged, Reminder, Series
from shared.meetings import date_of, has_date
from shared.messages import Event
from shared.mongo import Db

NEWS, REMINDER = "meetings_news", "meeting_reminder"
TOLD_TO_NOBODY = ("held", "remind")
BEGINS_ANEW = ("set", "remind", "resume", "pair_resumed")
"""What would have been due before that is not sent."""
SECONDS_BETWEEN_LOOKS = 30
LOOK_AGAIN = timedelta(days=7)


@service.on(MeetingsChanged)
def enqueue_news_of_meetings(event: MeetingsChanged, db: Db) -> list[Event]:
    """Of several changes the newest is told: the page behind the link shows how it stands."""
    if store.find_last_update(db, event.request_id).withdrawn:
        return []
    told = _told(event, db)
    known = store.find_meetings(db, event.match_id)
    if known and known.version >= event.version:
        return []
    kept = _as_kept(event, known.looked_at if known else now())
    store.save_meetings(db, replace(kept, next_look_at=_next_look(kept, db)))
    _take_back_reminders(kept, db)
    follow_room(event, db)
    return [letter for contact in told for letter in _tell(event, contact, db)]


def _tell(event: MeetingsChanged, contact: Contact, db: Db) -> list[Event]:
    store.cancel_notifications(db, now(), "newer news", offer_id=event.offer_id, template=NEWS, person_id=contact.person_id)
    cause = f"{event.match_id}/meetings/{event.version}"
    encrypted = event.encrypted if contact.person_id == event.practitioner_id else None
    message = Message(NEWS, cause, {"change": event.change}, encrypted=encrypted, offer_id=event.offer_id)
    return enqueue_notification(db, contact, message)


def find_meetings_to_look_at(db: Db) -> Iterable[str]:
    return store.meetings_to_look_at(db, now())


@service.every(SECONDS_BETWEEN_LOOKS, find_meetings_to_look_at)
def send_due_reminders(match_id: str, db: Db) -> list[Event]:
    meetings, moment = store.find_meetings(db, match_id), now()
    if meetings is None or meetings.next_look_at is None or meetings.next_look_at > moment:
        return []  # another worker was here meanwhile
    events: list[Event] = []
    for contact, all_of_them in _reminders(meetings, db):
        for one in due_reminders(all_of_them, meetings.looked_at, moment):
            events += _remind(meetings, contact, one, db)
    looked = replace(meetings, looked_at=moment)
    store.save_meetings(db, replace(looked, next_look_at=_next_look(looked, db)))
    return events


def _remind(meetings: Meetings, contact: Contact, one: DueReminder, db: Db) -> list[Event]:
    """Nothing is kept for later while they may not be written to."""
    if contact.is_held or contact.ended_at:
        return []
    cause = f"{meetings.id}/{one.on}/{one.before}/{one.starts_at.isoformat()}/{meetings.version}"
    context: Context = {"starts_at": one.starts_at, "on": one.on}
    return enqueue_notification(db, contact, Message(REMINDER, cause, context, offer_id=meetings.offer_id))


def _take_back_reminders(meetings: Meetings, db: Db) -> None:
    """Of dates that are not so any more."""
    moment = now()
    for waits in store.pending_reminders(db, meetings.offer_id):
        on, starts_at = waits.context.get("on"), waits.starts_at
        if not _still_so(meetings.series, str(on), starts_at):
            store.cancel_notifications(db, moment, "not at that time any more", _id=waits.id)


def _still_so(series: Series | None, on: str, starts_at: datetime | None) -> bool:
    if series is None or not series.runs or not has_date(series, on):
        return False
    one = date_of(series, on)
    return one.state != "skipped" and one.starts_at == starts_at


def _next_look(meetings: Meetings, db: Db) -> datetime | None:
    """None while nobody asked for reminders, or they do not meet."""
    found = _reminders(meetings, db)
    due = [one.due_at for _, all_of_them in found for one in all_of_them if one.due_at > meetings.looked_at]
    return min([*due, meetings.looked_at + LOOK_AGAIN]) if found else None


def _reminders(meetings: Meetings, db: Db) -> list[tuple[Contact, list[DueReminder]]]:
    series = meetings.series
    if series is None or not series.runs:
        return []
    wanted: list[tuple[str, tuple[Reminder, ...]]] = [
        (meetings.supportee_id, meetings.remind_supportee),
        (meetings.practitioner_id, meetings.remind_practitioner),
    ]
    contacts = [(store.find_contact(db, person_id), before) for person_id, before in wanted if before]
    return [(contact, reminders_of(series, before, contact, meetings.looked_at)) for contact, before in contacts if contact]


def _told(event: MeetingsChanged, db: Db) -> list[Contact]:
    """Whoever did not do it; both, of a room that was not made."""
    told: list[Contact] = []
    if event.by == "supportee" or event.change == "room_failed":
        told.append(require(store.find_contact(db, event.practitioner_id)))
    if event.by == "practitioner" or event.change == "room_failed":
        told.append(require(store.find_supportee(db, event.request_id)))
    return [] if event.change in TOLD_TO_NOBODY else told


def _as_kept(event: MeetingsChanged, looked_at: datetime) -> Meetings:
    takes_place = event.series and not event.on_hold and event.ended_at is None
    return Meetings(
        id=event.match_id,
        request_id=event.request_id,
        offer_id=event.offer_id,
        supportee_id=event.supportee_id,
        practitioner_id=event.practitioner_id,
        version=event.version,
        ended_at=event.ended_at,
        series=event.series if takes_place else None,
        remind_supportee=event.remind_supportee,
        remind_practitioner=event.remind_practitioner,
        looked_at=now() if event.change in BEGINS_ANEW else looked_at,
    )
