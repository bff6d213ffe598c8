"""MongoDB and RabbitMQ in containers, for `make test CONTAINERS=1`."""

import os
from collections.abc import Iterator
from typing import Any

from pymongo import MongoClient

from deploy.demo import rabbitmq
from deploy.demo.processes import wait_until

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")


def a_mongodb() -> Iterator[str]:
    # Not testcontainers' own MongoDbContainer: it sets a root user, and a replica set with one needs a key file.
    with _container(os.environ.get("MONGO_IMAGE", "mongo:8"), 27017).with_command(
        "--replSet rs0 --setParameter enableTestCommands=1 --setParameter transactionLifetimeLimitSeconds=10"
    ) as it:
        uri = f"mongodb://127.0.0.1:{it.get_exposed_port(27017)}/?directConnection=true"
        client: MongoClient[dict[str, Any]] = MongoClient(uri, serverSelectionTimeoutMS=60_000)
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": "127.0.0.1:27017"}]})
        wait_until(lambda: client.admin.command("hello").get("isWritablePrimary"), "MongoDB's replica set")
        yield uri


def a_rabbitmq() -> Iterator[str]:
    with (
        _container(os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4"), 5672)
        .with_env("RABBITMQ_DEFAULT_USER", "kitchen")
        .with_env("RABBITMQ_DEFAULT_PASS", "kitchen") as it
    ):
        url = f"amqp://kitchen:kitchen@127.0.0.1:{it.get_exposed_port(5672)}/%2F"
        wait_until(lambda: rabbitmq.accepts(url), "RabbitMQ", seconds=120)
        yield url


def _container(image: str, port: int) -> Any:
    from testcontainers.core.container import DockerContainer

    return DockerContainer(image).with_exposed_ports(port)
