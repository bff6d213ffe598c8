"""Is this still the broker that has what we published? One whose volume was wiped comes back empty, and nobody else would notice.

The service keeps a random id in its own database (collection `broker`, the document {_id: "identity", broker_id}) and an exchange
named after it on the broker. On each new connection it looks for that exchange. When it is missing, everything that was published
and is still in the outbox becomes due again, under the same ids, and a new id is made.
"""

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker
from pymongo.errors import DuplicateKeyError, PyMongoError

from shared import metrics, outbox
from shared.bus.topology import marker_of
from shared.heartbeat import Heartbeat
from shared.logs import get_logger
from shared.mongo import Db

CHECK_EVERY = 1.0
NOT_FOUND = 404
LIMIT = timedelta(seconds=90)
log = get_logger("bus.broker_identity")


class BrokerIdentity:
    """`connections`: how often the publisher has connected; a new number is a broker to look at."""

    def __init__(self, db: Db, service: str, amqp_url: str, connections: Callable[[], int]) -> None:
        self._db, self._service, self._connections = db, service, connections
        self._parameters = pika.URLParameters(amqp_url)
        self._parameters.socket_timeout = self._parameters.blocked_connection_timeout = 10
        self._heartbeat = Heartbeat(LIMIT)
        self._checked = 0

    def alive(self) -> bool:
        return self._heartbeat.alive()

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(CHECK_EVERY):
            self._heartbeat.beat()
            connections = self._connections()
            if connections != self._checked and self._checked_well():
                self._checked = connections
        self._heartbeat.stop()

    def _checked_well(self) -> bool:
        try:
            self.check()
        except (AMQPError, OSError, PyMongoError) as error:
            log.warning("broker identity check failed", extra={"reason": type(error).__name__})
            return False
        return True

    def check(self) -> int:
        """Look for the marker; when it is gone, publish everything again. Returns how many messages are due again. Without an id
        in the database this is the service's first broker. Raises AMQPError."""
        connection = pika.BlockingConnection(self._parameters)
        try:
            known = self._known_id()
            if known and self._has_marker(connection, known):
                return 0
            count = self._reemit_all() if known else 0
            connection.channel().exchange_declare(marker_of(self._service, self._new_id(known)), "fanout", durable=True)
            return count
        finally:
            if connection.is_open:
                connection.close()

    def _known_id(self) -> str | None:
        document = self._db.broker.find_one({"_id": "identity"})
        return document["broker_id"] if document else None

    def _has_marker(self, connection: pika.BlockingConnection, broker_id: str) -> bool:
        try:
            connection.channel().exchange_declare(marker_of(self._service, broker_id), passive=True)
        except ChannelClosedByBroker as closed:
            if closed.reply_code != NOT_FOUND:
                raise
            return False
        return True

    def _reemit_all(self) -> int:
        """Before the new id is kept: a crash in between publishes twice, which the inbox of every consumer absorbs."""
        count = outbox.reemit(self._db)
        if count:
            metrics.REEMITTED.labels(self._service, "broker lost its data").inc(count)
            log.error("the broker has lost its data: everything is published again", extra={"count": count})
        return count

    def _new_id(self, known: str | None) -> str:
        """Of several workers that notice at once, one makes the id and the others take it."""
        fresh = str(uuid.uuid4())
        with suppress(DuplicateKeyError):
            self._db.broker.update_one({"_id": "identity", "broker_id": known}, {"$set": {"broker_id": fresh}}, upsert=True)
        return self._known_id() or fresh
