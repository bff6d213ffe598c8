"""The servers that tests and demo start do what the product needs of them, as programs of this machine and in containers."""

import pika
from pymongo import MongoClient

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
