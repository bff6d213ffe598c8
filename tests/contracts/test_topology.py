"""Every event has a subscriber, every subscription a contract, and the queues are those the workers look for."""

import importlib
import re

import pytest

from deploy import asyncapi
from shared.bus import topology
from shared.service import Service

SERVICES = ("intake", "matching", "notify")


def service_called(name: str) -> Service:
    found = importlib.import_module(f"services.{name}.handlers").service
    assert isinstance(found, Service)
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_name_is_its_folder_its_queue_and_its_key(name: str) -> None:
    assert service_called(name).name == name == topology.queue_of(name)
    assert (name, topology.BACK, name) in topology.bindings_of(name, [])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_subscribes_to_declared_events_only(name: str) -> None:
    assert set(topology.subscriptions_of(service_called(name))) <= {each.event_type for each in asyncapi.our_contracts()}


def test_every_event_has_a_subscriber() -> None:
    """One without would be returned by the broker for ever."""
    subscriptions = {event_type for name in SERVICES for event_type in topology.subscriptions_of(service_called(name))}
    assert {each.event_type for each in asyncapi.our_contracts()} == subscriptions


def test_every_event_has_one_of_the_services_as_its_publisher() -> None:
    assert {each.published_by for each in asyncapi.our_contracts()} <= set(SERVICES)


@pytest.mark.parametrize("broker", [3, 4])
def test_every_queue_is_safe(broker: int) -> None:
    queues = topology.queues_of("intake", broker)
    assert set(queues) == {"intake", "intake.dead", *(f"intake.retry.{tier}" for tier in ("5s", "30s", "2m", "10m", "1h"))}
    assert {arguments["x-queue-type"] for arguments in queues.values()} == {"quorum"}
    for name in set(queues) - {"intake.dead"}:
        assert queues[name]["x-dead-letter-strategy"] == "at-least-once"
        assert queues[name]["x-overflow"] == "reject-publish"
    assert queues["intake"]["x-dead-letter-exchange"] == topology.DEAD
    assert queues["intake.dead"].get("x-delivery-limit") == (-1 if broker == 4 else None)


def test_another_binding_or_argument_is_another_fingerprint() -> None:
    def fingerprint(subscriptions: list[str], broker: int) -> str:
        return topology.fingerprint_exchange("intake", subscriptions, broker)

    assert len({fingerprint(subscriptions, broker) for subscriptions in ([], ["a.b.v1"]) for broker in (3, 4)}) == 4
    assert fingerprint(["a", "b"], 4) == fingerprint(["b", "a"], 4)


def test_a_services_user_declares_nothing_but_its_marker_and_reads_its_own_queues_only() -> None:
    granted = topology.permissions_of("intake")
    assert re.fullmatch(granted.configure, topology.marker_of("intake", "0b7c-1"))
    assert not any(re.search(granted.configure, name) for name in (*topology.EXCHANGES, *topology.queues_of("intake", 4)))
    assert granted.read == r"^intake(\.dead)?$"


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_user_may_publish_its_own_events_and_to_its_own_queues_only(name: str) -> None:
    topics = topology.permissions_of(name).topics
    assert topics.keys() == set(topology.EXCHANGES), "RabbitMQ allows every key of an exchange without an entry"
    for event_class in asyncapi.our_contracts():
        may = bool(re.search(topics[topology.EVENTS], event_class.event_type))
        assert may == (event_class.published_by == name), event_class.event_type
    for other in SERVICES:
        keys = [(topology.BACK, other), (topology.BACK, topology.probe_key_of(other)), (topology.DEAD, other)]
        keys += [(topology.RETRY, topology.retry_queue_of(other, tier)) for tier in topology.TIERS]
        assert {bool(re.search(topics[exchange], key)) for exchange, key in keys} == {other == name}
