"""Which facts each service hears. The services' own code is not in the image that declares the queues, so it is written down."""

import importlib
import json
from pathlib import Path

from deploy.setup import SERVICES
from shared.bus.topology import heard_by

WRITTEN = Path(__file__).with_name("hears.json")


def heard_in_the_code() -> dict[str, list[str]]:
    return {name: heard_by(importlib.import_module(f"services.{name}.handlers").service) for name in SERVICES}


def heard() -> dict[str, list[str]]:
    written: dict[str, list[str]] = json.loads(WRITTEN.read_text())
    return written
