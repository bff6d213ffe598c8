"""A web process publishes what it wrote itself, right after the commit. Without the broker it only writes, and the worker of its
service publishes: a page never waits for the broker."""

import threading

from shared.bus.background import run_task
from shared.bus.publisher import Publisher
from shared.bus.relay import Relay
from shared.service import Service

SECONDS_TO_STOP = 1.0


class WebPublishing:
    """For `service`, already connected, in the process that serves."""

    def __init__(self, service: Service, amqp_url: str) -> None:
        self._service, self._publisher = service, Publisher(amqp_url, service.name)
        self._relay = Relay(service.db, self._publisher, claims=False)
        self._stop = threading.Event()
        arguments = (service, "outbox relay", self._relay.run, self._stop)
        self._thread = threading.Thread(target=run_task, args=arguments, name="outbox relay", daemon=True)

    def start(self) -> None:
        self._publisher.start()
        self._thread.start()
        self._service.publish_with(self._relay)

    def ready(self) -> bool:
        return self._publisher.ready()

    def wait_until_ready(self, timeout: float) -> bool:
        return self._publisher.wait_until_ready(timeout)

    def stop(self) -> None:
        """Notes what was confirmed, so that it is not published again."""
        self._service.publish_with(None)
        self._stop.set()
        self._relay.wake_up.stop()
        self._thread.join(SECONDS_TO_STOP)
        self._publisher.close(SECONDS_TO_STOP)  # what is not confirmed by now never is: it is due again at once
        self._thread.join(SECONDS_TO_STOP)
