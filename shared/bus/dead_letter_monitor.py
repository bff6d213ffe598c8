"""Looks into the service's own dead queue: of what lies there for a day a person hears, and after some days it goes."""

import threading
from datetime import timedelta

from pika.exceptions import AMQPError
from pymongo.errors import PyMongoError

from shared.bus.dead_letters import drop_older_than
from shared.clock import now
from shared.heartbeat import Heartbeat
from shared.logs import get_logger
from shared.service import OldDeadLetter, Service

SECONDS_BEFORE_THE_FIRST_LOOK, SECONDS_BETWEEN_LOOKS = 60.0, 600.0
OLD_AFTER = timedelta(hours=24)
LOOK_LIMIT = timedelta(seconds=3 * SECONDS_BETWEEN_LOOKS)
log = get_logger("bus.dead_letters")


class DeadLetterMonitor:
    def __init__(self, service: Service, amqp_url: str) -> None:
        self._service, self._amqp_url = service, amqp_url
        self._heartbeat = Heartbeat(LOOK_LIMIT)

    def alive(self) -> bool:
        return self._heartbeat.alive()

    def run(self, stop: threading.Event) -> None:
        pause = SECONDS_BEFORE_THE_FIRST_LOOK
        while not stop.wait(pause):
            pause = SECONDS_BETWEEN_LOOKS
            self._heartbeat.beat()
            try:
                self.look()
            except (AMQPError, OSError, PyMongoError) as error:
                log.warning("could not look at the dead letters", extra={"reason": type(error).__name__})
        self._heartbeat.stop()

    def look(self) -> None:
        """However many workers look: of each dead letter is told once."""
        moment = now()
        kept = timedelta(days=self._service.programme.days_kept("dead_letter"))
        oldest = drop_older_than(self._amqp_url, self._service.name, moment - kept)
        tell = self._service.old_dead_letter_handler
        if tell and oldest and oldest.failed and oldest.failed <= moment - OLD_AFTER:
            found = OldDeadLetter(oldest.event_id, oldest.failed)
            self._service.run(tell, found, idempotency_key=f"dead letter/{oldest.event_id}")
