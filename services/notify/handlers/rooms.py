"""Rooms at the video provider: what is to be made, kept and deleted there. The row is the work; rooms.py asks the provider.

Nothing is made or deleted here. A room is deleted only through its row, and a row goes only once its room is deleted or was
certainly never made.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notify import store
from services.notify.domain import VideoRoom
from services.notify.handlers.outbound import service
from shared.clock import now
from shared.contracts import MeetingsChanged, Room, RoomFailed, RoomLeftOver, RoomMade
from shared.leased_work import DUE_NOW
from shared.logs import get_logger
from shared.messages import Event
from shared.mongo import Db

AFTER_THE_END = timedelta(days=1, hours=1)
"""An end can be taken back for a day, and the room with it."""
WAITED_FOR = timedelta(hours=6)
LEFT_OVER_AFTER = timedelta(days=3)
SECONDS_BETWEEN_LOOKS = 60
log = get_logger("notify.rooms")


@dataclass(frozen=True, kw_only=True, repr=False)
class KeepRoom:
    """The provider made it."""

    room_id: str
    number: str
    join_url: str


# What matching says of it


def follow_room(event: MeetingsChanged, db: Db) -> None:
    """Call it once for each version of these meetings, the newest only."""
    wanted = event.room if event.room and event.room.state != "failed" else None
    for room in store.find_rooms(db, event.match_id):
        if wanted is None or room.id != wanted.id:
            _leave(room, DUE_NOW, db)
        elif event.ended_at:
            _leave(room, event.ended_at + AFTER_THE_END, db)
        elif room.state == "leaving":
            _come_back(room, wanted, db)
    if wanted and wanted.state == "wanted" and not event.ended_at and store.find_room(db, wanted.id) is None:
        new = VideoRoom(id=wanted.id, match_id=event.match_id, request_id=event.request_id, since=now(), next_at=DUE_NOW)
        store.save_room(db, new)


def leave_rooms_of(request_id: str, db: Db) -> None:
    """Of somebody who is erased: what stays is a number to delete at the provider, and nothing that says whose it was."""
    for room in store.find_rooms_of_request(db, request_id):
        nobodys = replace(room, match_id=None, request_id=None)
        store.save_room(db, nobodys)
        _leave(nobodys, DUE_NOW, db)


def _leave(room: VideoRoom, at: datetime, db: Db) -> None:
    if room.state == "gone" or (room.state == "leaving" and (room.failures or at != DUE_NOW)):
        return
    left = replace(room, state="leaving", next_at=at, claim=None, since=max(now(), at), failures=0)
    if at == DUE_NOW and room.state == "wanted" and room.asked_at is None:
        left = replace(left, state="gone", match_id=None, request_id=None, next_at=None, finished_at=now())
    store.save_room(db, left)


def _come_back(room: VideoRoom, wanted: Room, db: Db) -> None:
    """The end of their meetings was taken back. One that matching has not heard of yet is looked for at the provider."""
    if wanted.state == "made":
        back = replace(room, state="made", next_at=None)
    else:
        back = replace(room, state="wanted", encrypted=None, next_at=DUE_NOW)
    store.save_room(db, replace(back, claim=None, since=now(), failures=0))


# What became of it


def keep_room(command: KeepRoom, db: Db) -> list[Event]:
    """One that nobody wants any more is deleted, also when that became known while it was made."""
    room = store.find_room(db, command.room_id) or VideoRoom(id=command.room_id, state="gone", since=now())
    encrypted = service.vault.encrypt_for("notify", command.room_id, {"number": command.number})
    kept = replace(room, encrypted=encrypted, claim=None, failures=0, reason="")
    if room.state == "gone":
        kept = replace(kept, state="leaving", since=now(), next_at=DUE_NOW, finished_at=None)
    elif room.state == "wanted":
        kept = replace(kept, state="made", since=now(), next_at=None)
    if room.state != "made":
        store.save_room(db, kept)
    if room.state != "wanted" or room.match_id is None or room.request_id is None:
        return []
    address = service.vault.encrypt_for("matching", room.id, {"room": command.join_url})
    return [RoomMade(room_id=room.id, match_id=room.match_id, request_id=room.request_id, encrypted=address)]


def give_up_room(room_id: str, db: Db) -> list[Event]:
    """What may have been made without an answer is looked for, and deleted."""
    room = store.find_room(db, room_id)
    if room is None or room.state != "wanted":
        return []
    log.error("no room was made, and nobody tries any more", extra={"reason": room.reason or "no provider is set"})
    _leave(room, DUE_NOW, db)
    if room.match_id is None or room.request_id is None:
        return []
    return [RoomFailed(room_id=room.id, match_id=room.match_id, request_id=room.request_id)]


def find_rooms_to_give_up(db: Db) -> Iterable[str]:
    """Without a provider nobody would make them."""
    return store.rooms_in_state_since(db, "wanted", now() - (WAITED_FOR if service.makes_rooms else timedelta()))


@service.every(SECONDS_BETWEEN_LOOKS, find_rooms_to_give_up)
def give_up_late_room(room_id: str, db: Db) -> list[Event]:
    return give_up_room(room_id, db)


def find_rooms_left_over(db: Db) -> Iterable[str]:
    return store.rooms_left_over_since(db, now() - LEFT_OVER_AFTER)


@service.every(SECONDS_BETWEEN_LOOKS, find_rooms_left_over)
def tell_of_room_left_over(room_id: str, db: Db) -> list[Event]:
    """Once; it is tried again all the same."""
    room = store.find_room(db, room_id)
    if room is None or room.state != "leaving" or room.told_at or room.since > now() - LEFT_OVER_AFTER:
        return []
    store.mark_room_told(db, room.id, now())
    return [RoomLeftOver(room_id=room.id)]
