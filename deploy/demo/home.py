"""The demo's folder: keys, data, logs and what is running; and the environment that each process gets."""

import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("intake", "matching", "notify")


@dataclass(frozen=True)
class Home:
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def notes(self) -> Path:
        """What the running demo wrote down of itself: its pid and every process's environment."""
        return self.folder / "running.json"

    def secret(self) -> str:
        """What the gateway proves itself with; made once."""
        file = self.folder / "gateway.secret"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
        return file.read_text()

    def note(self, **what: Any) -> None:
        known = self.noted()
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.notes.with_suffix(".new")
        beside.touch(mode=0o600)
        beside.write_text(json.dumps({**known, **what}))
        beside.replace(self.notes)

    def noted(self) -> dict[str, Any]:
        return dict(json.loads(self.notes.read_text())) if self.notes.exists() else {}


def this_home() -> Home:
    folder = Path(os.environ.get("DEMO_HOME") or ".local/demo").resolve()
    return Home(folder, int(os.environ.get("PORT") or 8000))


@dataclass(frozen=True)
class Process:
    name: str
    command: list[str]
    environment: dict[str, str]
    port: int | None = None


def processes(home: Home, mongodb_uri: str, amqp_url: str) -> list[Process]:
    """Everything that the supervisor runs. The front comes last, since it answers for the others."""
    ports = {service: free_port() for service in SERVICES}
    smtp = f"127.0.0.1:{free_port()}"
    common = {
        "MONGODB_URI": mongodb_uri, "AMQP_URL": amqp_url, "KEYS_DIR": str(home.folder / "keys"), "PUBLIC_URL": home.url,
        "PROGRAMME_FILE": str(ROOT / "deploy/programme.toml"), "CLOCK_FILE": str(home.folder / "clock"), "LOG_LEVEL": "INFO",
        "METRICS_PORT": "0", "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2", "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    gateway = {"KANNEL_USER": "demo", "KANNEL_PASSWORD": home.secret(), "KANNEL_CALLBACK_SECRET": home.secret()}
    notify = {
        **gateway, "SMTP_URL": f"smtp://{smtp}", "MAIL_FROM": "table@kitchen-table.example", "SMS_GATEWAY": "kannel",
        "MAIL_REPLY_TO": "hello@kitchen-table.example", "KANNEL_URL": home.url, "SMS_CALLBACK_URL": f"http://127.0.0.1:{ports['notify']}",
    }  # fmt: skip
    own = {
        **gateway, "DEMO_HOME": str(home.folder), "PUBLIC_URL": home.url, "PROGRAMME_FILE": common["PROGRAMME_FILE"],
        "CLOCK_FILE": common["CLOCK_FILE"], "SMTP_LISTEN": smtp,
        **{f"{service.upper()}_URL": f"http://127.0.0.1:{ports[service]}" for service in SERVICES},
        "REPLY_URL": f"http://127.0.0.1:{ports['notify']}/sms/kannel/in?secret={home.secret()}&id=%I",
        "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2",
    }  # fmt: skip
    given = {"intake": common, "matching": common, "notify": {**common, **notify}}
    workers = [Process(name, [sys.executable, "-m", f"services.{name}"], given[name]) for name in SERVICES]
    webs = [_web(f"{name}-web", f"services.{name}.web", ports[name], 4, given[name]) for name in SERVICES]
    return [*workers, *webs, _web("demo", "deploy.demo.web", home.port, 16, own)]


def _web(name: str, module: str, port: int, threads: int, given: dict[str, str]) -> Process:
    command = [
        sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "-w", "1",
        "--threads", str(threads), "--no-control-socket", f"{module}:make_app()",
    ]  # fmt: skip
    return Process(name, command, given, port)
