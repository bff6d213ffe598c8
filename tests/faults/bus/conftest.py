from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bus import nodes
from tests.faults.bus.echo_service import BusFixture
from tests.faults.bus.proxy import Proxy


@pytest.fixture(scope="session")
def _bus(mongodb_uri: str, amqp_url: str, keys: Path) -> Iterator[BusFixture]:
    made = BusFixture(mongodb_uri, amqp_url, keys)
    yield made
    made.close()


@pytest.fixture
def bus(_bus: BusFixture) -> Iterator[BusFixture]:
    _bus.begin()
    yield _bus
    _bus.clear()


@pytest.fixture
def proxy(amqp_url: str) -> Iterator[Proxy]:
    made = Proxy(amqp_url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def own_node(amqp_url: str) -> None:
    """For tests that start RabbitMQ nodes of their own. `amqp_url` comes first: on a bare machine it installs the program."""
    if not nodes.are_possible():
        pytest.skip("needs a RabbitMQ of its own")
