"""The demo's web processes: its own part (inbox and phone, the mail server and the SMS gateway behind them), and the website,
with the pages of all three services."""

import importlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.http_proxy import ProxyMiddleware

from deploy.demo.pages import Demo, pages
from deploy.demo.people import names_by_address
from deploy.local.mail_sink import Accepted, MailSink, serve
from deploy.local.sms_gateway import Phones
from shared import logs
from shared.i18n import day, time_of_day
from shared.programme import read_programme
from shared.service import Service
from shared.settings import Settings
from shared.web import locale
from shared.web.app import web_app
from shared.web.csrf import protect


@dataclass(frozen=True)
class DemoSettings:
    """`reply_url` is Kannel's `post-url`, secret included: where a text from somebody's phone is handed over."""

    home: Path
    public_url: str
    programme_file: Path
    smtp_listen: str
    reply_url: str
    phone_login: tuple[str, str]
    clock_file: Path | None


# As deploy/Caddyfile sends them; everything else is intake's.
PATHS = {"matching": ("/o", "/me", "/c"), "notify": ("/sms",), "demo": ("/demo", "/cgi-bin")}


def make_app(settings: DemoSettings | None = None) -> Flask:
    """Begins to take mail when it is made: make it once, in one process."""
    settings = settings or _settings_in_environment()
    base = _base_settings(settings)
    service = Service("demo")
    service.programme = read_programme(settings.programme_file)
    app = web_app(service, base, __name__)
    accepted: list[Accepted] = []
    mail = MailSink(settings.home / "emails", accepted)
    phones = Phones(settings.home / "texts.jsonl", settings.phone_login, settings.reply_url, accepted)
    demo = Demo(mail, phones, accepted, settings.clock_file, names_by_address())
    serve(demo.mail, settings.smtp_listen)
    app.extensions["demo"] = demo
    app.register_blueprint(pages)
    app.context_processor(lambda: {"moment": lambda at: _moment(at, service.programme.time_zone)})
    protect.exempt("deploy.demo.pages.sendsms")
    return app


class Website:
    """A WSGI application of many: a path says whose it is. The demo's own are asked for at `demo_url`."""

    def __init__(self, apps: dict[str, Flask], demo_url: str) -> None:
        self._by_name, self.apps = apps, list(apps.values())
        targets = {path: {"target": demo_url, "host": None} for path in PATHS["demo"]}
        self._proxy = ProxyMiddleware(self._answer, targets)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._proxy(environ, start_response)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self._by_name[_owner(environ["PATH_INFO"])](environ, start_response)


def make_website() -> Website:
    """One origin. In a deployment each service has a web process of its own behind the proxy."""
    apps = {name: importlib.import_module(f"services.{name}.web").make_app() for name in ("intake", "matching", "notify")}
    logs.set_up("web")
    return Website(apps, os.environ["DEMO_URL"])


def _owner(path: str) -> str:
    first = f"/{path.split('/')[1]}"
    return next((name for name, paths in PATHS.items() if first in paths), "intake")


def _settings_in_environment() -> DemoSettings:
    given = os.environ.get
    return DemoSettings(
        home=Path(given("DEMO_HOME") or ".local/demo"),
        public_url=(given("PUBLIC_URL") or "http://127.0.0.1:8000").rstrip("/"),
        programme_file=Path(given("PROGRAMME_FILE") or "deploy/programme.toml"),
        smtp_listen=given("SMTP_LISTEN") or "127.0.0.1:1025",
        reply_url=given("REPLY_URL", ""),
        phone_login=(given("KANNEL_USER") or "demo", given("KANNEL_PASSWORD") or "demo"),
        clock_file=Path(given("CLOCK_FILE", "")) if given("CLOCK_FILE") else None,
    )


def _base_settings(settings: DemoSettings) -> Settings:
    """What shared.web asks for. The demo's own part has no database, no broker, and a key for its cookies alone."""
    keys = settings.home / "own"
    keys.mkdir(parents=True, exist_ok=True)
    if not (keys / "demo.secret").exists():
        (keys / "demo.secret").write_text(secrets.token_urlsafe(32))
    return Settings(
        "", "", keys, settings.programme_file, settings.public_url, log_level="INFO", metrics_port=0, worker_threads=1
    )


def _moment(at: Any, zone: str) -> str:
    return f"{day(at, zone, locale.language())}, {time_of_day(at, zone, locale.language())}"
