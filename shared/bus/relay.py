"""Outbox to broker: a row is marked sent only after the broker confirmed it.

What this process writes goes out as soon as it is written. All else - rows of web processes, of a worker that died, of a time
without broker - is found by looking. The bell is a hint, looking is the truth.
"""

import random
import threading
import time
import uuid
from collections import deque
from concurrent.futures import Future

import pymongo
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.bus.publisher import ENDS_WITHIN, BrokerAway, Outgoing, Publisher
from shared.bus.topology import EVENTS
from shared.logs import get_logger
from shared.mongo import Db, Doc, WakeUp

WINDOW = 200
LEASE_MS = 30_000
"""Longer than any publish can take, so a row that was found is never with two relays."""
LOOK_EVERY = 1.0
LONGEST_PAUSE_MS = 60_000
SECONDS_FOR_ONE_STEP = 8
AWAY = (BrokerAway, TimeoutError)
Said = tuple[Doc, Future[None]]
log = get_logger("bus.relay")


class Relay:
    def __init__(self, db: Db, publisher: Publisher) -> None:
        # Read with majority: a row that a failover takes back was never said. Losing a claim costs one more publish, which
        # the inbox removes, so a claim need not wait; marks do, so that the next look does not find the same rows again.
        self._rows = db.outbox
        self._claims = db.outbox.with_options(read_concern=ReadConcern("local"), write_concern=WriteConcern(w=1))
        self.id = str(uuid.uuid4())
        self._publisher, self._bell = publisher, WakeUp()
        self._said: deque[Said] = deque()
        self._noted_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._bell.watch(self._rows, {"tries": 0})
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def say(self, rows: list[Doc]) -> None:
        """Publish what was just written with this relay's claim; it is marked a little later.
        Without a broker it stays in the outbox, due in a while."""
        if rows and self._publisher.ready():
            self._said.extend(self._publish(rows))

    def stop(self, timeout: float) -> None:
        """Send what is there, then end."""
        self._stopping.set()
        self._bell.stop()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                more = self._publisher.wait_until_ready(LOOK_EVERY) and self._say_what_is_due()
                if len(self._said) >= WINDOW or time.monotonic() - self._noted_at >= LOOK_EVERY:
                    self._note_what_was_said()
                if not more:
                    self._bell.wait(LOOK_EVERY)
            except PyMongoError:
                log.warning("the outbox cannot be read now", extra={"task": "relay"})
                self._stopping.wait(random.uniform(0.5, 1.0))  # noqa: S311
            except Exception:
                log.exception("the relay met an error and goes on")
                self._stopping.wait(random.uniform(0.5, 1.0))  # noqa: S311
        self._send_the_rest()

    def _send_the_rest(self) -> None:
        try:
            self._note_what_was_said()
            while self._publisher.ready() and self.send_due():
                pass
        except PyMongoError:
            log.warning("the outbox cannot be read now", extra={"task": "relay"})

    def send_due(self) -> bool:
        """Publish one window of what is due, and mark it. True: look again at once, there may be more."""
        more = self._say_what_is_due()
        self._note_what_was_said()
        return more

    def _say_what_is_due(self) -> bool:
        with pymongo.timeout(SECONDS_FOR_ONE_STEP):
            rows, more = self._claim()
        self._said.extend(self._publish(rows))
        return more

    def _claim(self) -> tuple[list[Doc], bool]:
        """Take rows for a lease, by the server's clock. A row never claimed is due at once, whatever clock its writer had."""
        due = {"next_at": {"$exists": True}, "$or": [{"tries": 0}, {"$expr": {"$lte": ["$next_at", "$$NOW"]}}]}
        found = list(self._rows.find(due, {"body": 1, "type": 1, "tries": 1}).sort("next_at", 1).limit(WINDOW))
        if not found:
            return [], False
        ids = [row["_id"] for row in found]
        leased = {"next_at": {"$add": ["$$NOW", LEASE_MS]}, "tries": {"$add": ["$tries", 1]}, "claim": self.id}
        won = self._claims.update_many({**due, "_id": {"$in": ids}}, [{"$set": leased}]).modified_count
        if won == len(found):
            return found, len(found) == WINDOW
        ours = self._claims.find({"_id": {"$in": ids}, "claim": self.id}, {"_id": 1})
        mine = {row["_id"] for row in ours}
        return [row for row in found if row["_id"] in mine], len(found) == WINDOW

    def _publish(self, rows: list[Doc]) -> list[Said]:
        messages = [Outgoing(EVENTS, row["type"], row["body"].encode(), row["_id"], row["type"]) for row in rows]
        return list(zip(rows, self._publisher.publish_all(messages), strict=True))

    def _note_what_was_said(self) -> None:
        """Many rows in one write: nothing waits for the marks, and a row's lease outlives them."""
        self._noted_at, until = time.monotonic(), time.monotonic() + ENDS_WITHIN
        said = [self._said.popleft() for _ in range(len(self._said))]
        told = [(row, _fate(future, until)) for row, future in said]
        with pymongo.timeout(SECONDS_FOR_ONE_STEP):
            self._mark_sent([row["_id"] for row, fate in told if fate is None])
            self._give_back([row["_id"] for row, fate in told if isinstance(fate, AWAY)])
            for row, fate in told:
                if fate is not None and not isinstance(fate, AWAY):
                    self._leave_for_later(row, fate)

    def _mark_sent(self, ids: list[str]) -> None:
        if ids:
            sent: list[Doc] = [{"$set": {"sent_at": "$$NOW"}}, {"$unset": ["next_at", "claim"]}]
            self._rows.update_many({"_id": {"$in": ids}}, sent)

    def _give_back(self, ids: list[str]) -> None:
        """Due at once: the relay waits for the broker, not the row."""
        if ids:
            due: list[Doc] = [{"$set": {"next_at": "$$NOW"}}, {"$unset": ["claim"]}]
            self._rows.update_many({"_id": {"$in": ids}, "claim": self.id}, due)

    def _leave_for_later(self, row: Doc, why: BaseException) -> None:
        wait = min(LONGEST_PAUSE_MS, 1000 * 2 ** min(row["tries"], 10)) * random.uniform(0.5, 1.0)  # noqa: S311
        told = {"event_id": row["_id"], "event_type": row["type"], "reason": type(why).__name__, "attempt": row["tries"]}
        log.error("the broker did not take an event", extra=told)
        later: list[Doc] = [{"$set": {"next_at": {"$add": ["$$NOW", int(wait)]}}}, {"$unset": ["claim"]}]
        self._rows.update_one({"_id": row["_id"], "claim": self.id}, later)


def _fate(future: Future[None], until: float) -> BaseException | None:
    try:
        return future.exception(max(0.0, until - time.monotonic()))
    except TimeoutError as error:
        return error
