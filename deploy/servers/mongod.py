"""A MongoDB of our own: a replica set of one, on a free port of this machine, small."""

import ctypes
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.servers import containers, debian
from deploy.servers.processes import CannotStart, Server, end, free_port, is_open, spawn, wait_until

HOW_TO_GET_IT = (
    "No MongoDB here. Set MONGODB_URI to a replica set, or install mongod, or install a container engine such as docker."
)
NOT_REPLICATED = 94


def start(home: Path, *, fail_points: bool = False, cache_gb: float = 0.25) -> Server:
    """Its data stays under `home`. `fail_points`: tests may let commands fail."""
    if given := os.environ.get("MONGODB_URI"):
        return Server(given)
    # What a killed worker left half done holds its documents no longer than our own longest transaction.
    options = ["--replSet=rs0", f"--setParameter=enableTestCommands={int(fail_points)}"]
    options += ["--setParameter=transactionLifetimeLimitSeconds=10", f"--wiredTigerCacheSizeGB={cache_gb}"]
    program = None if containers.wanted() else find_program()
    if program:
        return _start_program(home, program, options)
    if containers.is_there():
        return _start_container(home, options)
    raise CannotStart(HOW_TO_GET_IT)


def find_program() -> str | None:
    return shutil.which("mongod") or _program_of_the_wheel()


def _program_of_the_wheel() -> str | None:
    """The mongod that the locked demo requirements carry for Linux on x86_64. It wants the system's libcurl."""
    found = importlib.util.find_spec("fiftyone")
    folders = list(found.submodule_search_locations or []) if found else []
    program = next((path for folder in folders if (path := Path(folder, "db/bin/mongod")).is_file()), None)
    if program is None:
        return None
    if not _has_curl():
        _install_curl()
    program.chmod(0o755)
    return str(program)


def _has_curl() -> bool:
    try:
        ctypes.CDLL("libcurl.so.4")
    except OSError:
        return False
    return True


def _install_curl() -> None:
    if not debian.may_install():
        raise CannotStart("MongoDB needs libcurl. On Debian or Ubuntu: apt-get install libcurl4t64 (older: libcurl4).")
    try:
        debian.install("libcurl4t64")
    except CannotStart:
        debian.install("libcurl4")


def _start_program(home: Path, program: str, options: list[str]) -> Server:
    port, data = free_port(), home / "mongodb"
    data.mkdir(parents=True, exist_ok=True)
    options = [f"--port={port}", f"--dbpath={data}", *options, "--bind_ip=127.0.0.1", "--nounixsocket", "--quiet"]
    options += ["--oplogSize=128", "--setParameter=diagnosticDataCollectionEnabled=false"]
    options += ["--setParameter=shutdownTimeoutMillisForSignaledShutdown=100"]
    process = spawn(home, "mongodb", [program, *options])
    wait_until(lambda: is_open(port), "MongoDB", process)
    _make_primary(port, f"127.0.0.1:{port}")
    return Server(f"mongodb://127.0.0.1:{port}/?replicaSet=rs0", lambda: end([process], 20), process)


def _start_container(home: Path, options: list[str]) -> Server:
    # Not testcontainers' own MongoDbContainer: it sets a root user, and a replica set with one needs a key file.
    image = os.environ.get("MONGO_IMAGE", "mongo:8")
    container = containers.prepare(home, image, 27017).with_command(options)
    if not containers.wanted():  # a demo keeps its data, a test run none
        container.with_volume_mapping(str(home / "mongodb"), "/data/db", "rw")
    container.start()
    port = int(container.get_exposed_port(27017))
    _make_primary(port, "127.0.0.1:27017")
    return Server(f"mongodb://127.0.0.1:{port}/?directConnection=true", container.stop)


def _make_primary(port: int, member: str) -> None:
    """Begin the replica set, or tell it that its one member moved to another port since the last start."""
    uri = f"mongodb://127.0.0.1:{port}/?directConnection=true"
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=60_000) as client:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
            if config["members"][0]["host"] != member:
                config["members"][0]["host"], config["version"] = member, config["version"] + 1
                client.admin.command("replSetReconfig", config, force=True)
        except OperationFailure as error:
            if error.code != NOT_REPLICATED:
                raise
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": member}]})
        wait_until(lambda: _is_primary(client), "MongoDB's replica set")


def _is_primary(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False
