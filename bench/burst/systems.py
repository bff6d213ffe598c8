"""What is put under load: the product as docker-compose.yml runs it, and the floor, the same job written straight down."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import pika
import psutil
from pymongo import MongoClient

from bench.burst.load import Visitor
from deploy.local.stack import ROOT, SERVICES, is_ready
from deploy.servers.processes import end, free_port, is_open, spawn, wait_until
from shared import vault


@dataclass(frozen=True)
class Servers:
    mongodb_uri: str
    amqp_url: str
    smtp_url: str


class System(Protocol):
    name: str
    port: int
    processes: dict[str, psutil.Popen]

    def prepare(self, addresses: Sequence[str]) -> list[Visitor]:
        """A practitioner with one place and a visitor about to press Send for each address."""


class Product:
    """Three web processes and three workers, each with its own environment, as compose starts them."""

    name = "product"

    def __init__(self, folder: Path, servers: Servers) -> None:
        self._folder, self.processes = folder, dict[str, psutil.Popen]()
        self._ports = {f"{service} {part}": free_port() for service in SERVICES for part in ("web", "worker")}
        self.port = self._ports["intake web"]
        self._environment = {
            "MONGODB_URI": servers.mongodb_uri, "AMQP_URL": servers.amqp_url, "SMTP_URL": servers.smtp_url, "SMS_GATEWAY": "none",
            "KEYS_DIR": str(folder / "keys"), "PROGRAMME_FILE": str(ROOT / "deploy/programme.toml"),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}", "MAIL_FROM": "table@kitchen-table.example",
            "MAIL_REPLY_TO": "hello@kitchen-table.example", "LOG_LEVEL": "INFO", "METRICS_PORT": "0", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip

    def start(self) -> None:
        vault.generate_keys(self._folder / "keys")
        self._run([sys.executable, "-m", "deploy.local.prepare"])
        for name in self._ports:
            self.start_process(name)
        for name, port in self._ports.items():
            wait_until(partial(is_ready, f"http://127.0.0.1:{port}"), name, self.processes[name])

    def stop(self) -> None:
        end(list(self.processes.values()))

    def start_process(self, name: str) -> None:
        service, part = name.split()
        port = self._ports[name]
        web = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "-b", f"127.0.0.1:{port}", f"services.{service}.web:make_app()"]
        module = web if part == "web" else ["-m", f"services.{service}"]
        environment = self._environment | ({} if part == "web" else {"METRICS_PORT": str(port)})
        self.processes[name] = spawn(self._folder, name.replace(" ", "-"), [sys.executable, *module], environment, ROOT)

    def kill(self, name: str) -> None:
        """kill -9 of a worker; of a web process one of gunicorn's children, which it starts again by itself."""
        process = self.processes[name]
        if name.endswith("web"):
            process.children()[-1].kill()
            return
        process.kill()
        process.wait()
        time.sleep(1)
        self.start_process(name)

    def prepare(self, addresses: Sequence[str]) -> list[Visitor]:
        command = [sys.executable, "-m", "bench.burst.visitors", f"http://127.0.0.1:{self.port}"]
        return [Visitor(**json.loads(line)) for line in self._run(command, "\n".join(addresses)).splitlines()]

    def _run(self, command: Sequence[str], given: str = "") -> str:
        environment = {**os.environ, **self._environment, "LOG_LEVEL": "ERROR"}
        return subprocess.run(
            command, input=given, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        ).stdout


class Floor:
    """`program`: the folder with floor.py. `code`: the product of the commit whose encryption, contracts and letters it uses."""

    name = "floor"
    COMMIT = "67f5c78"
    WORKERS = ("matching", "notify", "intake")
    FRONT = ("-m", "gunicorn", "-w", "2", "-k", "gthread", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--keep-alive", "30")

    def __init__(self, folder: Path, servers: Servers, program: Path, code: Path) -> None:
        self._folder, self._servers, self._program = folder, servers, program
        self.port, self.processes = free_port(), dict[str, psutil.Popen]()
        self._environment = {
            "MONGODB_URI": servers.mongodb_uri, "AMQP_URL": servers.amqp_url, "SMTP_URL": servers.smtp_url,
            "KEYS_DIR": str(folder / "keys"), "PYTHONPATH": f"{code}:{program}", "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def start(self) -> None:
        self._run("init")
        for name in self.WORKERS:
            self._spawn(name, [str(self._program / "floor.py"), name])
        self._spawn("front", [*self.FRONT, "-b", f"127.0.0.1:{self.port}", "floor:front()"])
        wait_until(lambda: is_open(self.port), self.name, self.processes["front"])
        time.sleep(3)  # its workers say nothing when they are ready

    def stop(self) -> None:
        end(list(self.processes.values()))
        with MongoClient[dict[str, object]](self._servers.mongodb_uri) as mongodb:
            for name in self.WORKERS:
                mongodb.drop_database(f"floor_{name}")
        with pika.BlockingConnection(pika.URLParameters(self._servers.amqp_url)) as connection:
            channel = connection.channel()
            for name in self.WORKERS:
                channel.queue_delete(f"floor_{name}")
            channel.exchange_delete("floor")

    def prepare(self, addresses: Sequence[str]) -> list[Visitor]:
        cookies: Mapping[str, str] = json.loads(self._run("prepare", "\n".join(addresses)))
        return [Visitor(address, f"Cookie: draft={cookie}\r\n", "pressed=1") for address, cookie in cookies.items()]

    def _spawn(self, name: str, arguments: Sequence[str]) -> None:
        self.processes[name] = spawn(self._folder, name, [sys.executable, *arguments], self._environment)

    def _run(self, what: str, given: str = "") -> str:
        command, environment = [sys.executable, str(self._program / "floor.py"), what], {**os.environ, **self._environment}
        return subprocess.run(command, input=given, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def code_of_floor(folder: Path) -> bool:
    """Unpack the product as it was at Floor.COMMIT, so that the floor stays the same while the product changes. False: this clone
    does not reach back so far."""
    files = subprocess.run(["git", "archive", Floor.COMMIT], cwd=ROOT, capture_output=True)
    if files.returncode == 0:
        folder.mkdir()
        subprocess.run(["tar", "-x", "-C", str(folder)], input=files.stdout, check=True)
    return files.returncode == 0


@contextmanager
def started(system: Product | Floor) -> Iterator[System]:
    try:
        system.start()
        yield system
    finally:
        system.stop()
