from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bus.kettle import Bench
from tests.faults.bus.proxy import Proxy


@pytest.fixture(scope="session")
def _bench(mongodb_uri: str, amqp_url: str, keys: Path) -> Iterator[Bench]:
    made = Bench(mongodb_uri, amqp_url, keys)
    yield made
    made.close()


@pytest.fixture
def bench(_bench: Bench) -> Iterator[Bench]:
    _bench.begin()
    yield _bench
    _bench.clear()


@pytest.fixture
def proxy(amqp_url: str) -> Iterator[Proxy]:
    made = Proxy(amqp_url)
    yield made
    made.close()
