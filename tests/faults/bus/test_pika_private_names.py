"""Two private names of pika are used, because it has no public way. Tried with the versions named here, no others.

`Connection._terminate_stream(error)` ends a connection at once: the public close() waits for the broker with no deadline.
`BlockingConnection._impl.server_properties` tells the broker's version.
"""

import time
from concurrent.futures import Future

import pika
import pytest
from pika.adapters.select_connection import IOLoop, SelectConnection

from shared.bus.connection import Aborted, _terminate
from shared.bus.topology import major_version
from tests.faults.bus.proxy import Proxy

pytestmark = pytest.mark.broker
TRIED = {"1.4.4"}


def test_this_version_of_pika_was_tried() -> None:
    assert pika.__version__ in TRIED, "run these tests and add the version when they pass"


def test_a_connection_that_gets_no_answers_is_terminated_at_once_and_says_why(proxy: Proxy) -> None:
    loop, closed = IOLoop(), Future[BaseException]()

    def on_open(connection: SelectConnection) -> None:
        proxy.go_silent()
        loop.call_later(0, lambda: _terminate(connection, "it does not answer"))

    def on_close(_: SelectConnection, error: BaseException) -> None:
        closed.set_result(error)
        loop.stop()

    connection = SelectConnection(
        pika.URLParameters(proxy.amqp_url), on_open_callback=on_open, on_close_callback=on_close, custom_ioloop=loop
    )
    loop.call_later(60, loop.stop)
    begun = time.monotonic()
    loop.start()
    error = closed.result(0)
    assert isinstance(error, Aborted)
    assert str(error) == "it does not answer"
    assert connection.is_closed
    assert time.monotonic() - begun < 60


def test_the_brokers_version_is_known_on_both_kinds_of_connection(amqp_url: str) -> None:
    blocking = pika.BlockingConnection(pika.URLParameters(amqp_url))
    assert major_version(blocking) >= 3
    assert major_version(blocking._impl) == major_version(blocking)
    blocking.close()
