"""MongoDB is stopped with its sockets open: nothing is refused, nothing answers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from deploy.servers import mongod
from deploy.servers.processes import Server
from shared.contracts import RequestWithdrawn
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service
from shared.web.app import web_app
from tests.web_settings import settings_for_pages

PROMISED_SECONDS = 10
SECONDS_FOR_A_BUSY_MACHINE = 5


@pytest.fixture(scope="module")
def own_mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = mongod.start(tmp_path_factory.mktemp("hangs"))
    if server.process is None:
        server.stop()
        pytest.skip("needs a mongod of its own, to stop it")
    yield server
    server.stop()


@pytest.fixture
def app(own_mongodb: Server, keys: Path) -> Flask:
    settings = settings_for_pages(keys, own_mongodb.url)
    service = Service("intake").start(settings)
    service.commit_together()  # as the web processes do
    made = web_app(service, settings, __name__)
    made.config["WTF_CSRF_ENABLED"] = False
    made.add_url_rule("/five-reads", "reads", lambda: str([service.db.things.find_one() for _ in range(5)]))
    made.add_url_rule("/form", "form", lambda: str(len(service.run(withdraw, "r1"))), methods=["POST"])
    return made


def withdraw(request_id: str, db: Db) -> list[Event]:
    db.things.insert_one({"request_id": request_id})
    return [RequestWithdrawn(request_id=request_id)]


@contextmanager
def hanging(server: Server) -> Iterator[None]:
    assert server.process
    server.process.suspend()
    try:
        yield
    finally:
        server.process.resume()


def answers(app: Flask, method: str, path: str, times: int = 1) -> list[int]:
    """The statuses of requests made at once, of those that came within the time promised."""
    statuses: list[int] = []

    def visit() -> None:
        statuses.append(app.test_client().open(path, method=method).status_code)

    visits = [threading.Thread(target=visit, daemon=True) for _ in range(times)]
    end = time.monotonic() + PROMISED_SECONDS + SECONDS_FOR_A_BUSY_MACHINE
    for one in visits:
        one.start()
    for one in visits:
        one.join(max(0.0, end - time.monotonic()))
    return list(statuses)


@pytest.mark.parametrize(("method", "path"), [("GET", "/five-reads"), ("POST", "/form")])
def test_whoever_asks_while_the_database_hangs_hears_within_ten_seconds_that_it_is_away(
    app: Flask, own_mongodb: Server, method: str, path: str
) -> None:
    assert answers(app, method, path) == [200]
    with hanging(own_mongodb):
        assert answers(app, method, path, times=4) == [503] * 4
    assert 200 in [status for _ in range(20) for status in answers(app, method, path)]
