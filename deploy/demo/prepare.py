"""Before the demo's processes start: queues, indexes and people. Run in a process of its own, which then goes away.

Prints how many people came in.
"""

import importlib

from deploy.demo import people
from deploy.demo.home import SERVICES
from shared.bus import topology
from shared.settings import read_core


def prepare() -> int:
    settings = read_core()
    services = [importlib.import_module(f"services.{name}.handlers").service for name in SERVICES]
    topology.declare(settings.amqp_url, {service.name: topology.heard_by(service) for service in services})
    for service in services:
        service.start(settings)
        service.make_indexes()
    return people.bring_in()


if __name__ == "__main__":
    print(prepare())
