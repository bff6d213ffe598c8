"""Queues and indexes of every service: python -m deploy.local.prepare, before the first process starts."""

import importlib

from deploy.local.stack import SERVICES
from shared.bus import topology
from shared.settings import read_core


def prepare() -> None:
    """Leaves the services started in this process."""
    settings = read_core()
    services = [importlib.import_module(f"services.{name}.handlers").service for name in SERVICES]
    topology.declare(settings.amqp_url, {service.name: topology.subscriptions_of(service) for service in services})
    for service in services:
        service.start(settings).make_indexes()


if __name__ == "__main__":
    prepare()
