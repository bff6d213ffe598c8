"""MongoDB and RabbitMQ for the demo and for the tests: those that the environment names, else our own."""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo import mongod, rabbitmq
from deploy.demo.containers import Container
from deploy.demo.processes import end

Started = subprocess.Popen[bytes] | Container


@dataclass
class Servers:
    mongodb_uri: str
    amqp_url: str
    started: list[Started] = field(default_factory=list)

    def stop(self) -> None:
        stop(self.started)


def start(home: Path) -> Servers:
    """Both at once, since each takes its time. Whatever was started is ended when the other fails."""
    home.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        database, broker = pool.submit(start_mongodb, home), pool.submit(start_rabbitmq, home)
    failed = [error for future in (database, broker) if (error := future.exception())]
    started = [one for future in (database, broker) if not future.exception() for one in future.result()[1]]
    if failed:
        stop(started)
        raise failed[0]
    return Servers(database.result()[0], broker.result()[0], started)


def start_mongodb(home: Path, *, fail_points: bool = False) -> tuple[str, list[Started]]:
    given = os.environ.get("MONGODB_URI")
    if given:
        return given, []
    uri, process = mongod.start(home, fail_points=fail_points)
    return uri, [process]


def start_rabbitmq(home: Path) -> tuple[str, list[Started]]:
    given = os.environ.get("AMQP_URL")
    return (given, []) if given else rabbitmq.start(home)


def stop(started: Sequence[Started]) -> None:
    """One after the other in the order of the list: a node first, then its port mapper."""
    for one in started:
        if isinstance(one, Container):
            one.stop()
            continue
        one.terminate()
        try:
            one.wait(20)
        except subprocess.TimeoutExpired:
            end([one.pid], 5)
            one.wait(5)
