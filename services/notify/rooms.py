"""Makes and deletes rooms at the video provider: leased work beside the delivery of notifications.

A row says before the provider is asked that a room may exist from then on. When no answer came, or the worker ended before it
was recorded, the next attempt looks for a room with this row's id at the provider before it makes one: so no room is left there
that no row speaks of.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from pymongo.errors import PyMongoError

from services.notify import store
from services.notify.domain import VideoRoom
from services.notify.handlers import service
from services.notify.handlers.rooms import WAITED_FOR, KeepRoom, give_up_room, keep_room
from services.notify.store import ROOM_LEASE, RoomQueue
from services.notify.zoom import Meeting, Zoom, ZoomError
from shared.backoff import delay
from shared.clock import now
from shared.leased_work import LeasedWorker
from shared.logs import get_logger
from shared.mongo import Db
from shared.settings import NotifySettings
from shared.threaded_work import Claimed, ThreadedWork
from shared.vault import DecryptionError

ClaimedRoom = Claimed[VideoRoom]
THREADS, CAPACITY = 2, 4
LONGEST_CALLS = timedelta(minutes=10)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=1)
MOST_REFUSALS = 3
POLL = timedelta(seconds=1)
SETTLED_AFTER = timedelta(minutes=2)
"""What was asked for so long ago, and is not there, was never made."""
log = get_logger("notify.rooms")


@dataclass(frozen=True, repr=False)
class RoomOutcome:
    """`put_off`: the same again `after` this time. `lost`: somebody else has it now. `give_up`: nothing more is tried."""

    result: Literal["made", "gone", "put_off", "give_up", "lost"]
    reason: str = ""
    after: timedelta = timedelta()
    meeting: Meeting | None = None


def make_rooms(settings: NotifySettings) -> None:
    """Register what makes them in this worker: call it before the worker starts."""
    if settings.zoom_account_id:

        @service.background_task("rooms")
        def work_on_rooms(db: Db, stop: threading.Event) -> None:
            run_rooms(db, Zoom(settings), settings.zoom_hosts, stop)


def run_rooms(db: Db, zoom: Zoom, hosts: tuple[str, ...], stop: threading.Event, poll: timedelta = POLL) -> None:
    work = RoomWork(db, zoom, hosts)
    worker = LeasedWorker(work, capacity=CAPACITY, lease=ROOM_LEASE, poll=poll)
    service.watch(work.name, lambda: worker.alive() and work.alive())
    try:
        worker.run(stop)
    finally:
        work.close()


class RoomWork(ThreadedWork[VideoRoom, RoomOutcome]):
    def __init__(self, db: Db, zoom: Zoom, hosts: tuple[str, ...]) -> None:
        super().__init__("rooms", RoomQueue(db), threads=THREADS, longest=LONGEST_CALLS)
        self._db, self._zoom, self._hosts = db, zoom, hosts

    def prepare(self, items: list[ClaimedRoom]) -> list[Callable[[], RoomOutcome]]:
        return [partial(self._work_on, claimed) for claimed in items]

    def record_outcomes(self, finished: list[tuple[ClaimedRoom, RoomOutcome]]) -> None:
        for claimed, outcome in finished:
            self._record(claimed, outcome)
            level = log.info if outcome.result in ("made", "gone") else log.warning
            about = {"outcome": outcome.result, "reason": outcome.reason, "state": claimed.item.state}
            level("a room was worked on", extra=about)

    def _record(self, claimed: ClaimedRoom, outcome: RoomOutcome) -> None:
        room, meeting = claimed.item, outcome.meeting
        if outcome.result == "put_off":
            store.put_off_room(self._db, claimed, outcome.after, outcome.reason)
        elif outcome.result == "gone":
            store.end_room(self._db, claimed, now())
        elif outcome.result == "give_up":
            store.put_off_room(self._db, claimed, outcome.after, outcome.reason)
            service.run(give_up_room, room.id)
        elif meeting:
            service.run(keep_room, KeepRoom(room_id=room.id, number=meeting.number, join_url=meeting.join_url))

    def _work_on(self, claimed: ClaimedRoom) -> RoomOutcome:
        try:
            return self._delete(claimed.item) if claimed.item.state == "leaving" else self._make(claimed)
        except ZoomError as error:
            return after_error(claimed.item, error, now())
        except PyMongoError:
            raise
        except Exception as error:
            log.exception("a room could not be worked on")
            return after_error(claimed.item, ZoomError("away", type(error).__name__), now())

    def _make(self, claimed: ClaimedRoom) -> RoomOutcome:
        room = claimed.item
        if room.state != "wanted":
            return RoomOutcome("lost")
        found = self._zoom.find(room.host, room.id) if room.asked_at and room.host else None
        if found:
            return RoomOutcome("made", meeting=found)
        host = room.host or self._freest_host()
        if not store.mark_asked(self._db, claimed, host, now()):
            return RoomOutcome("lost")
        try:
            return RoomOutcome("made", meeting=self._zoom.create(host, room.id))
        except ZoomError as error:
            if error.kind != "away" and room.asked_at is None:
                store.mark_not_asked(self._db, claimed)  # it was certainly not made
            raise

    def _freest_host(self) -> str:
        """Two rooms of one user cannot be used at the same time, so rooms are spread among them."""
        if len(self._hosts) == 1:
            return self._hosts[0]
        counted = store.count_rooms_of_hosts(self._db)
        return min(self._hosts, key=lambda host: counted.get(host, 0))

    def _delete(self, room: VideoRoom) -> RoomOutcome:
        number = _number_of(room)
        if number is None and room.asked_at and room.host:
            if now() - room.asked_at < SETTLED_AFTER:
                return RoomOutcome("put_off", "not settled yet", SETTLED_AFTER)
            found = self._zoom.find(room.host, room.id)
            number = found.number if found else None
        if number:
            self._zoom.delete(number)
        return RoomOutcome("gone")


def after_error(room: VideoRoom, error: ZoomError, moment: datetime) -> RoomOutcome:
    """A room that two people wait for is given up where no attempt is left in the time that they are asked to wait, and after
    some refusals; one that is to be deleted never is."""
    pause = max(error.after, delay(room.failures + 1, base=FIRST_RETRY, longest=LONGEST_RETRY))
    late = moment + pause > room.since + WAITED_FOR
    refused = error.kind == "refused" and room.failures + 1 >= MOST_REFUSALS
    give_up = room.state == "wanted" and (late or refused)
    return RoomOutcome("give_up" if give_up else "put_off", error.reason, min(pause, store.LONGEST_WAIT_FOR_ROOM / 2))


def _number_of(room: VideoRoom) -> str | None:
    try:
        return service.vault.decrypt_fields(room.encrypted)["number"] if room.encrypted else None
    except DecryptionError:
        return None  # it is looked for by its reference
