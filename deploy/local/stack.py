"""A folder (keys, data, logs, what is running), the environment that each process gets, and the processes' command lines."""

import json
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from deploy.servers.processes import CannotStart, free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("intake", "matching", "notify")


@dataclass(frozen=True)
class LocalStack:
    """`demo_port`: of what stands for the world outside, whoever asks for it."""

    folder: Path
    port: int
    demo_port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def demo_url(self) -> str:
        return f"http://127.0.0.1:{self.demo_port}"

    @property
    def file(self) -> Path:
        """JSON, while it runs: `pid` of the supervisor, `url`, `environment` of its processes, `ready`."""
        return self.folder / "running.json"

    def read(self) -> dict[str, Any]:
        return dict(json.loads(self.file.read_text())) if self.file.exists() else {}

    def write(self, **values: Any) -> None:
        _write_private(self.file, json.dumps({**self.read(), **values}))

    def environment(self) -> dict[str, str]:
        """What a process that works with the running stack needs. Raises CannotStart when none is running."""
        if "environment" not in self.read():
            raise CannotStart("The demo is not running. First: make demo")
        return {**os.environ, **self.read()["environment"]}

    def secret(self) -> str:
        """What the SMS gateway proves itself with; made once."""
        file = self.folder / "gateway.secret"
        if not file.exists():
            _write_private(file, secrets.token_urlsafe(24))
        return file.read_text()


def stack_in_environment() -> LocalStack:
    return LocalStack(Path(os.environ.get("DEMO_HOME") or ".local/demo").resolve(), int(os.environ.get("PORT") or 8000))


def settings(stack: LocalStack, mongodb_uri: str, amqp_url: str) -> dict[str, str]:
    """One environment for all: only a deployment tells the services' settings apart."""
    smtp, secret = f"127.0.0.1:{free_port()}", stack.secret()
    servers = {"MONGODB_URI": mongodb_uri, "AMQP_URL": amqp_url, "SMTP_URL": f"smtp://{smtp}", "SMTP_LISTEN": smtp}
    files = {"KEYS_DIR": str(stack.folder / "keys"), "CLOCK_FILE": str(stack.folder / "clock"), "DEMO_HOME": str(stack.folder)}
    mail = {"MAIL_FROM": "table@kitchen-table.example", "MAIL_REPLY_TO": "hello@kitchen-table.example"}
    phones = {"SMS_GATEWAY": "kannel", "KANNEL_URL": stack.demo_url, "KANNEL_USER": "demo", "KANNEL_PASSWORD": secret}
    phones |= {"KANNEL_CALLBACK_SECRET": secret, "REPLY_URL": f"{stack.url}/sms/kannel/in?secret={secret}&id=%I"}
    addresses = {"PUBLIC_URL": stack.url, "DEMO_URL": stack.demo_url}
    more = {"PROGRAMME_FILE": str(ROOT / "deploy/programme.toml"), "MALLOC_ARENA_MAX": "2"}
    return servers | files | mail | phones | addresses | more | {"PYTHONUNBUFFERED": "1"}


def without_floods(stack: LocalStack, *, from_one_place: int = 0) -> dict[str, str]:
    """Settings for tests and measurements: who asks there types faster than a person, and nothing of that is held."""
    written = (ROOT / "deploy/programme.toml").read_text().partition("[floods]")[0]
    limits = {"from_one_place": from_one_place, "to_one_practitioner": 0, "for_one_address": 0, "seconds_to_type": 0}
    file = stack.folder / "programme.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([f"{written}[floods]", *(f"{name} = {value}" for name, value in limits.items()), ""]))
    return {"PROGRAMME_FILE": str(file)}


def commands(stack: LocalStack) -> Mapping[str, list[str]]:
    """Every process, by name. `web`: the pages of all services in one. `demo`: what stands for the world outside."""
    workers = {name: [sys.executable, "-m", f"services.{name}"] for name in SERVICES}
    web = _gunicorn(stack.url, 32, "deploy.demo.web:make_website()")
    return {**workers, "demo": _gunicorn(stack.demo_url, 16, "deploy.demo.web:make_app()"), "web": web}


def _gunicorn(url: str, threads: int, app: str) -> list[str]:
    options = ["-b", url.removeprefix("http://"), "-w", "1", "--threads", str(threads)]
    return [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", *options, app]


def wait_for_website(stack: LocalStack, processes: Mapping[str, psutil.Popen]) -> None:
    """And for the mail server behind it. Raises CannotStart."""
    wait_until(lambda: is_ready(stack.demo_url, "livez"), "The inbox", processes["demo"])
    wait_until(lambda: is_ready(stack.url), "The website", processes["web"])


def is_ready(url: str, path: str = "readyz") -> bool:
    with suppress(requests.RequestException):
        return requests.get(f"{url}/{path}", timeout=2).ok
    return False


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.replace(file)
