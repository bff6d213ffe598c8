"""Every fact has a hearer, every hearer a contract, and the queues are those the workers look for."""

import importlib

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
def test_a_service_hears_declared_facts_only(name: str) -> None:
    assert set(topology.heard_by(service_called(name))) <= {kind.event_type for kind in asyncapi.our_contracts()}


def test_every_fact_is_heard_by_somebody() -> None:
    """One that nobody hears would be returned by the broker for ever."""
    heard = {kind for name in SERVICES for kind in topology.heard_by(service_called(name))}
    assert {kind.event_type for kind in asyncapi.our_contracts()} == heard


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


def test_another_binding_or_argument_is_another_seal() -> None:
    seals = {topology.seal_of("intake", kinds, broker) for kinds in ([], ["a.b.v1"]) for broker in (3, 4)}
    assert len(seals) == 4
    assert topology.seal_of("intake", ["a", "b"], 4) == topology.seal_of("intake", ["b", "a"], 4)


def test_a_services_user_declares_nothing_and_reads_its_own_queues_only() -> None:
    rights = topology.rights_of("intake")
    assert (rights.configure, rights.read) == ("^$", r"^intake(\.dead)?$")
