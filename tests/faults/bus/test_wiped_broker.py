"""A broker that comes back without its data: everything that was published and not handled is published again by itself."""

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest

from deploy.servers.processes import Server
from shared.bus import topology
from shared.bus.broker_identity import BrokerIdentity
from shared.bus.worker import Worker
from tests.eventually import eventually
from tests.faults.bus import nodes
from tests.faults.bus.echo_service import NAME, BusFixture
from tests.faults.bus.proxy import Proxy

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("own_node")]


@pytest.fixture
def identity(bus: BusFixture) -> Iterator[BrokerIdentity]:
    bus.db.broker.delete_many({})
    yield BrokerIdentity(bus.db, NAME, bus.amqp_url, lambda: 1)
    bus.db.broker.delete_many({})


def declare(bus: BusFixture, node: Server) -> None:
    topology.declare(node.url, {NAME: topology.subscriptions_of(bus.service)})


def knows_its_broker(bus: BusFixture, node: Server) -> bool:
    identity = bus.db.broker.find_one({"_id": "identity"})
    if identity is None:
        return False
    connection = pika.BlockingConnection(pika.URLParameters(node.url))
    try:
        connection.channel().exchange_declare(topology.marker_of(NAME, identity["broker_id"]), passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    finally:
        connection.close()
    return True


def publish_without_handling(bus: BusFixture, node: Server, proxy: Proxy) -> tuple[Worker, list[str]]:
    bus.control.mongo_unavailable.set()
    worker = bus.start_worker(amqp_url=proxy.amqp_url)
    assert eventually(lambda: knows_its_broker(bus, node), 60)
    echoes = [bus.ask() for _ in range(10)]
    assert eventually(lambda: all("sent_at" in bus.outbox_row(echo) for echo in echoes), 60)
    return worker, echoes


def test_a_broker_whose_volume_was_wiped_loses_nothing(bus: BusFixture, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bus.db.broker.delete_many({})
    with nodes.a_node(tmp_path) as node:
        declare(bus, node)
        proxy = Proxy(node.url)
        worker, echoes = publish_without_handling(bus, node, proxy)
        proxy.cut()
    nodes.wipe(tmp_path)
    bus.control.mongo_unavailable.clear()
    with nodes.a_node(tmp_path) as node:
        declare(bus, node)
        assert bus.db.recorded.count_documents({}) == 0
        proxy.lead_to(node.url)
        proxy.heal()
        assert eventually(lambda: all(map(bus.is_recorded, echoes)), 90)
        assert bus.db.answered.count_documents({}) == bus.db.recorded.count_documents({}) == len(echoes)
        assert knows_its_broker(bus, node)
        worker.stop(5)
    [error] = [record for record in caplog.records if record.levelno == logging.ERROR and "lost its data" in record.msg]
    assert error.count == len(echoes)
    proxy.close()
    bus.db.broker.delete_many({})


def test_the_first_broker_gets_nothing_twice(bus: BusFixture, identity: BrokerIdentity) -> None:
    bus.db.outbox.insert_one({"_id": "e", "sent_at": "long ago", "subject": "s"})
    assert identity.check() == 0
    assert "next_at" not in (bus.db.outbox.find_one({"_id": "e"}) or {})


def test_the_same_broker_is_known_again_and_nothing_is_published_twice(bus: BusFixture, identity: BrokerIdentity) -> None:
    assert identity.check() == 0
    bus.db.outbox.insert_one({"_id": "e", "sent_at": "long ago", "subject": "s"})
    assert identity.check() == 0
    assert "next_at" not in (bus.db.outbox.find_one({"_id": "e"}) or {})


def test_another_broker_makes_everything_that_was_sent_due_again(bus: BusFixture, identity: BrokerIdentity) -> None:
    identity.check()
    bus.db.broker.update_one({"_id": "identity"}, {"$set": {"broker_id": str(uuid.uuid4())}})  # as on a broker without the marker
    bus.db.outbox.insert_one({"_id": "e", "sent_at": "long ago", "subject": "s"})
    assert identity.check() == 1
    assert "next_at" in (bus.db.outbox.find_one({"_id": "e"}) or {})
    assert identity.check() == 0
