"""Rooms at the collective's video provider: matching says that one is wanted, notify has it made and says what became of it."""

import uuid

from services.matching import store
from services.matching.handlers.meetings import PLACE, by_practitioner, key_of, with_links
from services.matching.handlers.service import service
from services.matching.handlers.tasks import add_task, open_task
from shared import vault
from shared.clock import now
from shared.contracts import RoomFailed, RoomLeftOver, RoomMade
from shared.messages import Event
from shared.mongo import Db


def want_room(offer_id: str, db: Db) -> list[Event]:
    """[] where the collective has no provider."""
    if not service.offers_rooms:
        return []
    return by_practitioner(offer_id, db, lambda found, _: found.want_room(str(uuid.uuid4())))


@service.on(RoomMade)
def move_into_room(event: RoomMade, db: Db) -> list[Event]:
    """One that they do not want any more is left to notify, which hears of that from here."""
    match, found = store.offers.match(db, event.match_id), store.meetings.find(db, event.match_id)
    key = key_of(match, db) if match else None
    if match is None or found is None or key is None:
        return []
    address = service.vault.decrypt_fields(event.encrypted)["room"]
    events = found.take_room(event.room_id, vault.encrypt(key, match.supportee_id, PLACE, address))
    if events:
        store.meetings.save(db, found)
        store.tasks.resolve(db, match.request_id, now(), only=["no_room"])
    return events


@service.on(RoomFailed)
def go_on_without_room(event: RoomFailed, db: Db) -> list[Event]:
    """Both hear of it, and a coordinator can help them to another place."""
    match, found = store.offers.match(db, event.match_id), store.meetings.find(db, event.match_id)
    request, offer = store.requests.find(db, event.request_id), store.offers.find(db, match.offer_id) if match else None
    events = found.give_up_room(event.room_id) if found else []
    if found is None or match is None or request is None or offer is None or not events:
        return []
    store.meetings.save(db, found)
    if match.ended_at is None:
        open_task(request, "no_room", db, person_id=match.practitioner_id)
    return with_links(events, offer, db)


@service.on(RoomLeftOver)
def open_task_for_room_left_over(event: RoomLeftOver, db: Db) -> list[Event]:
    if store.tasks.find_open_of_no_request(db, "room_left_over") is None:
        add_task("room_left_over", db)
    return []
