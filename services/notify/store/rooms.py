"""Rooms at the video provider. A document is a VideoRoom."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from services.notify.domain import RoomRowState, VideoRoom
from shared.clock import offset
from shared.documents import load_all, load_one, to_document
from shared.leased_work import MongoQueue, server_time
from shared.mongo import Db
from shared.threaded_work import Claimed, TypedQueue

ROOM_LEASE = timedelta(seconds=30)
LONGEST_WAIT_FOR_ROOM = timedelta(days=3)
ROOMS_AT_ONCE = 100


class RoomQueue(TypedQueue[VideoRoom]):
    """Rooms to be made or deleted."""

    def __init__(self, db: Db) -> None:
        queue = MongoQueue(db.rooms, lease=ROOM_LEASE, horizon=LONGEST_WAIT_FOR_ROOM, clock_offset=offset)
        super().__init__(queue, VideoRoom, {"reason": "unreadable document"})


def find_room(db: Db, room_id: str) -> VideoRoom | None:
    return load_one(VideoRoom, db.rooms.find_one({"_id": room_id}))


def find_rooms(db: Db, match_id: str) -> list[VideoRoom]:
    return load_all(VideoRoom, db.rooms.find({"match_id": match_id}))


def find_rooms_of_request(db: Db, request_id: str) -> list[VideoRoom]:
    return load_all(VideoRoom, db.rooms.find({"request_id": request_id}))


def save_room(db: Db, room: VideoRoom) -> None:
    db.rooms.replace_one({"_id": room.id}, to_document(room), upsert=True)


def rooms_in_state_since(db: Db, state: RoomRowState, moment: datetime) -> list[str]:
    found = db.rooms.find({"state": state, "since": {"$lte": moment}}, {"_id": 1}).limit(ROOMS_AT_ONCE)
    return [document["_id"] for document in found]


def rooms_left_over_since(db: Db, moment: datetime) -> list[str]:
    where = {"state": "leaving", "since": {"$lte": moment}, "told_at": None}
    return [document["_id"] for document in db.rooms.find(where, {"_id": 1}).limit(ROOMS_AT_ONCE)]


def mark_room_told(db: Db, room_id: str, moment: datetime) -> None:
    db.rooms.update_one({"_id": room_id}, {"$set": {"told_at": moment}})


def count_rooms_of_hosts(db: Db) -> Mapping[str, int]:
    """Those that are or may be there."""
    where = {"state": {"$in": ["wanted", "made", "leaving"]}, "host": {"$type": "string"}}
    counted = db.rooms.aggregate([{"$match": where}, {"$group": {"_id": "$host", "count": {"$sum": 1}}}])
    return {row["_id"]: row["count"] for row in counted}


def mark_asked(db: Db, claimed: Claimed[VideoRoom], host: str, moment: datetime) -> bool:
    """Before the provider is asked for it, so that no crash leaves a room that nobody knows of. False: another has it now."""
    held = {"_id": claimed.lease.id, "claim": claimed.lease.token, "state": "wanted"}
    return db.rooms.update_one(held, {"$set": {"asked_at": moment, "host": host}}).matched_count == 1


def mark_not_asked(db: Db, claimed: Claimed[VideoRoom]) -> None:
    held = {"_id": claimed.lease.id, "claim": claimed.lease.token}
    db.rooms.update_one(held, {"$unset": {"asked_at": "", "host": ""}})


def put_off_room(db: Db, claimed: Claimed[VideoRoom], after: timedelta, reason: str) -> None:
    fields = {
        "next_at": server_time(offset() + after),
        "reason": {"$literal": reason},
        "failures": claimed.item.failures + 1,
    }
    held = {"_id": claimed.lease.id, "claim": claimed.lease.token}
    db.rooms.update_one(held, [{"$set": fields}, {"$unset": "claim"}])


def end_room(db: Db, claimed: Claimed[VideoRoom], moment: datetime) -> None:
    """It is deleted, or was certainly never made."""
    held = {"_id": claimed.lease.id, "claim": claimed.lease.token, "state": "leaving"}
    gone = {"next_at": "", "claim": "", "encrypted": "", "match_id": "", "request_id": ""}
    db.rooms.update_one(held, {"$set": {"state": "gone", "finished_at": moment, "reason": ""}, "$unset": gone})
