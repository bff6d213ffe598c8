"""RabbitMQ nodes of a test's own: they can lose their data, start with users, or raise an alarm."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from deploy.servers import containers, rabbitmq
from deploy.servers.processes import Server

CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
DISK_ALARM, NO_ALARM = ("set_disk_free_limit", "900000000000000"), ("set_disk_free_limit", "50000000")


def are_possible() -> bool:
    """Not where the environment names a broker, or only containers are there."""
    return "AMQP_URL" not in os.environ and not containers.wanted() and rabbitmq.find_program() is not None


@contextmanager
def a_node(home: Path, definitions: Mapping[str, object] | None = None) -> Iterator[Server]:
    folder = home / "rabbitmq"
    folder.mkdir(parents=True, exist_ok=True)
    if definitions:
        (folder / "definitions.json").write_text(json.dumps(definitions))
        (folder / "advanced.config").write_text(f'[{{rabbit, [{{load_definitions, "{folder / "definitions.json"}"}}]}}].\n')
    node = rabbitmq.start(home)
    try:
        yield node
    finally:
        node.stop()


def wipe(home: Path) -> None:
    shutil.rmtree(home / "rabbitmq" / "data")


def url_for(node: Server, user: str, password: str, vhost: str) -> str:
    return f"amqp://{user}:{password}@127.0.0.1:{urlsplit(node.url).port}/{vhost}"


def control(process: psutil.Popen, *arguments: str) -> None:
    program = CONTROL if Path(CONTROL).exists() else "rabbitmqctl"
    subprocess.run([program, *arguments], env=process.environ(), check=True, capture_output=True, timeout=60)
