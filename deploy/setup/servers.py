"""MongoDB: the replica set, and for each service a user with access to that service's database and no other.
RabbitMQ: every exchange and queue; its users come from the definitions that files.py wrote."""

import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.setup import SERVICES
from deploy.setup.subscriptions import read_subscriptions
from shared.bus.topology import declare

SECONDS_TO_WAIT = 120
HOST = "mongo:27017"
NOT_YET_INITIALIZED, NO_SUCH_USER = 94, 11


def prepare_mongodb(secrets: Path) -> None:
    root = _connect((secrets / "mongo_root_password").read_text())
    _begin_replica_set(root)
    _wait_for_primary(root)
    for service in SERVICES:
        _make_user(root, service, (secrets / "mongo_passwords" / service).read_text())
    root.close()


def prepare_rabbitmq(secrets: Path) -> None:
    declare((secrets / "amqp_url").read_text(), read_subscriptions(), wait_seconds=SECONDS_TO_WAIT)


def _connect(password: str) -> MongoClient[dict[str, Any]]:
    """A server that is still making its root user refuses the connection or the password: ask again for a while."""
    until = time.monotonic() + SECONDS_TO_WAIT
    while True:
        client: MongoClient[dict[str, Any]] = MongoClient(
            HOST, username="root", password=password, directConnection=True, serverSelectionTimeoutMS=3000
        )
        try:
            client.admin.command("connectionStatus")
            return client
        except PyMongoError:
            client.close()
            if time.monotonic() > until:
                raise
            time.sleep(1)


def _begin_replica_set(root: MongoClient[dict[str, Any]]) -> None:
    try:
        root.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        root.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": HOST}]})


def _wait_for_primary(root: MongoClient[dict[str, Any]]) -> None:
    until = time.monotonic() + SECONDS_TO_WAIT
    while not root.admin.command("hello").get("isWritablePrimary"):
        if time.monotonic() > until:
            raise SystemExit("MongoDB has no primary; its log says why")
        time.sleep(0.2)


def _make_user(root: MongoClient[dict[str, Any]], service: str, password: str) -> None:
    roles = [{"role": "readWrite", "db": service}]
    try:
        root.admin.command("updateUser", service, pwd=password, roles=roles)
    except OperationFailure as error:
        if error.code != NO_SUCH_USER:
            raise
        root.admin.command("createUser", service, pwd=password, roles=roles)
