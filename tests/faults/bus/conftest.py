from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bus.kettle import Bench
from tests.faults.bus.proxy import Proxy


@pytest.fixture
def bench(mongodb_uri: str, amqp_url: str, keys: Path) -> Iterator[Bench]:
    made = Bench(mongodb_uri, amqp_url, keys)
    yield made
    made.close()


@pytest.fixture
def proxy(amqp_url: str) -> Iterator[Proxy]:
    made = Proxy(amqp_url)
    yield made
    made.close()
