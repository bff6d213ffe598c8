"""A MongoDB of our own: a replica set of one, on a free port of this machine, small."""

import ctypes
import importlib.util
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.demo import debian
from deploy.demo.containers import Container, engine
from deploy.demo.processes import CannotStart, answers, free_port, spawn, wait_until

IMAGE = "mongo:8"
HOW_TO_GET_IT = (
    "No MongoDB here. Set MONGODB_URI to a replica set, or install mongod, or install a container engine (docker or podman)."
)
NOT_REPLICATED, REMOVED = 94, 93
# What a killed worker left half done holds its rows no longer than our own longest transaction.
LET_GO = ["--setParameter", "transactionLifetimeLimitSeconds=10"]


def start(home: Path, *, fail_points: bool = False) -> tuple[str, subprocess.Popen[bytes] | Container]:
    """The address of a MongoDB that keeps its data under `home`, and the process to end."""
    program = find_program()
    port = free_port()
    options = ["--replSet", "rs0", "--setParameter", f"enableTestCommands={int(fail_points)}", *LET_GO]
    if program:
        process: subprocess.Popen[bytes] | Container = _start_program(home, program, port, options)
    elif engine():
        process = Container(home, "mongodb", IMAGE, {port: 27017}, f"{home / 'mongodb'}:/data/db", options)
    else:
        raise CannotStart(HOW_TO_GET_IT)
    watched = process if isinstance(process, subprocess.Popen) else None
    wait_until(lambda: answers(port), "MongoDB", watched)
    inside = 27017 if isinstance(process, Container) else port
    _make_primary(port, inside)
    return f"mongodb://127.0.0.1:{port}/?" + ("directConnection=true" if inside != port else "replicaSet=rs0"), process


def find_program() -> str | None:
    return shutil.which("mongod") or _program_of_the_wheel()


def _program_of_the_wheel() -> str | None:
    """The mongod that the locked demo requirements carry for Linux on x86_64. It wants the system's libcurl."""
    found = importlib.util.find_spec("fiftyone")
    places = list(found.submodule_search_locations or []) if found else []
    program = next((path for place in places if (path := Path(place) / "db" / "bin" / "mongod").is_file()), None)
    if program is None:
        return None
    if not _has_curl():
        _install_curl()
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return str(program)


def _has_curl() -> bool:
    try:
        ctypes.CDLL("libcurl.so.4")
    except OSError:
        return False
    return True


def _install_curl() -> None:
    if not debian.may_install():
        raise CannotStart(
            "MongoDB needs the system's libcurl. On Debian or Ubuntu: apt-get install libcurl4t64 (older: libcurl4)."
        )
    for package in ("libcurl4t64", "libcurl4"):
        try:
            return debian.install(package)
        except CannotStart as error:
            reason = error
    raise reason


def _start_program(home: Path, program: str, port: int, options: list[str]) -> subprocess.Popen[bytes]:
    data = home / "mongodb"
    data.mkdir(parents=True, exist_ok=True)
    return spawn(home, "mongodb", [
        program, "--port", str(port), "--bind_ip", "127.0.0.1", "--dbpath", str(data), "--nounixsocket", "--quiet",
        "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "128", *options,
        "--setParameter", "diagnosticDataCollectionEnabled=false",
        "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100",
    ])  # fmt: skip


def _make_primary(port: int, inside: int) -> None:
    """Begin the replica set, or tell it that its one member moved to another port since the last start."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        f"mongodb://127.0.0.1:{port}/?directConnection=true", serverSelectionTimeoutMS=30_000
    )
    here = f"127.0.0.1:{inside}"
    try:
        config = client.admin.command("replSetGetConfig")["config"]
        if config["members"][0]["host"] != here:
            config["members"][0]["host"], config["version"] = here, config["version"] + 1
            client.admin.command("replSetReconfig", config, force=True)
    except OperationFailure as error:
        if error.code != NOT_REPLICATED:
            raise
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": here}]})
    wait_until(lambda: _is_primary(client), "MongoDB's replica set")
    client.close()


def _is_primary(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False
