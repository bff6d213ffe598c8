"""Real servers for every test that needs one: each started once in a run, with an empty database for each test."""

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from deploy.servers import mongod, rabbitmq
from shared import vault
from shared.mongo import Db, connect
from shared.programme import Floods, read_programme
from shared.service import Service

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs an error at each try to reach a broker that is still starting
settings.register_profile("any_machine", deadline=None)  # no test depends on how fast a machine is
settings.load_profile("any_machine")
PUBLIC_URL = "https://kt.example"
NO_LIMITS = Floods(from_one_place=0, to_one_practitioner=0, for_one_address=0, seconds_to_type=0)
"""Tests type faster than people, all from one place."""


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    vault.generate_keys(folder)
    return folder


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def mongodb_uri(server_home: Path) -> Iterator[str]:
    """MONGODB_URI when it is set; else a container with CONTAINERS=1; else a server of our own, started once in a run."""
    server = mongod.start(server_home, fail_points=True)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def broker(server_home: Path) -> Iterator[tuple[str, psutil.Popen | None]]:
    """AMQP_URL when it is set; else as above. With it the node's process, when it is one of our own."""
    server = rabbitmq.start(server_home)
    yield server.url, server.process
    server.stop()


@pytest.fixture(scope="session")
def amqp_url(broker: tuple[str, psutil.Popen | None]) -> str:
    return broker[0]


def _configured(service: Service, uri: str, keys: Path) -> Iterator[Service]:
    """The service on a database of its own. Indexes are made once; between tests only the rows go."""
    if "db" not in service.__dict__:
        client_db = connect(uri, service.name)
        db = client_db.client.get_database(
            f"{service.name}_{os.getpid()}", read_concern=client_db.read_concern, write_concern=client_db.write_concern
        )
        programme = replace(read_programme(Path("deploy/programme.toml")), floods=NO_LIMITS)
        service.configure(db, vault.load_vault(keys, service.name), programme, PUBLIC_URL)
        service.make_indexes()
    yield service
    for name in service.db.list_collection_names():
        service.db[name].delete_many({})


@pytest.fixture
def intake(mongodb_uri: str, keys: Path) -> Iterator[Service]:
    from services.intake.handlers import service

    yield from _configured(service, mongodb_uri, keys)


@pytest.fixture
def matching(mongodb_uri: str, keys: Path) -> Iterator[Service]:
    from services.matching.handlers import service

    yield from _configured(service, mongodb_uri, keys)


@pytest.fixture
def notify(mongodb_uri: str, keys: Path) -> Iterator[Service]:
    from services.notify.handlers import service

    yield from _configured(service, mongodb_uri, keys)


@pytest.fixture
def intake_db(intake: Service) -> Db:
    return intake.db


@pytest.fixture
def matching_db(matching: Service) -> Db:
    return matching.db


@pytest.fixture
def notify_db(notify: Service) -> Db:
    return notify.db
