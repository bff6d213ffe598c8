"""The event types each service subscribes to. The services' own code is not in the image that declares the queues, so they are
written down in a file."""

import importlib
import json
from pathlib import Path

from deploy.setup import SERVICES
from shared.bus.topology import subscriptions_of

WRITTEN = Path(__file__).with_name("subscriptions.json")


def subscriptions_in_the_code() -> dict[str, list[str]]:
    return {name: subscriptions_of(importlib.import_module(f"services.{name}.handlers").service) for name in SERVICES}


def read_subscriptions() -> dict[str, list[str]]:
    written: dict[str, list[str]] = json.loads(WRITTEN.read_text())
    return written
