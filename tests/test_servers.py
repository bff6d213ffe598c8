"""The servers that tests and demo start do what the product needs of them, as programs of this machine and in containers."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pika
from pymongo import MongoClient

from deploy.servers.processes import begin_new_logs
from deploy.servers.rabbitmq import accepts


def test_mongodb_has_transactions_and_change_streams(mongodb_uri: str) -> None:
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        rows = client["servers"].get_collection("rows")
        with rows.watch() as changes, client.start_session() as session:
            with session.start_transaction():
                rows.insert_one({"_id": 1}, session=session)
            assert changes.next()["operationType"] == "insert"
        client.drop_database("servers")


def test_rabbitmq_has_quorum_queues_and_confirms(amqp_url: str) -> None:
    assert accepts(amqp_url)
    connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare("servers", durable=True, arguments={"x-queue-type": "quorum"})
    channel.basic_publish("", "servers", b"kept", mandatory=True)
    method, _, body = channel.basic_get("servers", auto_ack=True)
    assert method
    assert body == b"kept"
    channel.queue_delete("servers")
    connection.close()


def test_each_start_begins_new_logs_and_those_of_more_than_a_week_ago_go(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    ages = {"website.log": 1, "mongod.log": 8, "website.log.20261101T090000": 8, "website.log.20261120T090000": 6}
    for name, days in ages.items():
        file = tmp_path / "log" / name
        file.write_text("a line")
        moment = time.time() - days * 86400
        os.utime(file, (moment, moment))
    begin_new_logs(tmp_path, timedelta(days=7))
    kept = sorted(file.name for file in (tmp_path / "log").iterdir())
    assert len(kept) == 2
    assert all(name.startswith("website.log.2026") for name in kept)
