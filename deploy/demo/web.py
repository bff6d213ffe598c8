"""The demo's own process: the one public origin, the mail server, the phones, and the pages that show both."""

import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask

from deploy.demo import mailbox
from deploy.demo.accepted import AcceptedLog
from deploy.demo.front import Front
from deploy.demo.mailbox import Mailbox
from deploy.demo.pages import Sinks, pages
from deploy.demo.people import names_by_address
from deploy.demo.phone import Phone
from deploy.demo.settings import DemoSettings, read_demo
from shared.i18n import day, time_of_day
from shared.programme import read_programme
from shared.service import Service
from shared.web import locale
from shared.web.app import web_app
from shared.web.csrf import protect

OURS = ("/demo", "/cgi-bin")


def make_app(settings: DemoSettings | None = None) -> Callable[[dict[str, Any], Any], Any]:
    """A WSGI application that begins to take mail when it is made: one process, so make it once."""
    settings = settings or read_demo()
    settings.home.mkdir(parents=True, exist_ok=True)
    accepted = AcceptedLog()
    sinks = Sinks(
        mailbox=Mailbox(settings.home / "letters", accepted),
        phone=Phone(settings.home / "texts.jsonl", settings.phone_login, settings.reply_url, accepted),
        accepted=accepted, clock_file=settings.clock_file, names=names_by_address(),
    )  # fmt: skip
    mailbox.serve(sinks.mailbox, settings.smtp_listen)
    own, front = _flask(settings, sinks), Front(settings)
    return lambda environ, start: (own if _is_ours(environ["PATH_INFO"]) else front)(environ, start)


def _flask(settings: DemoSettings, sinks: Sinks) -> Flask:
    base = settings.as_base()
    secret = base.keys_dir / "demo.secret"
    if not secret.exists():
        base.keys_dir.mkdir(parents=True, exist_ok=True)
        secret.write_text(secrets.token_urlsafe(32))
    service = Service("demo")
    service.programme = read_programme(settings.programme_file)
    app = web_app(service, base, __name__)
    app.extensions["sinks"] = sinks
    app.register_blueprint(pages)
    app.context_processor(lambda: {"moment": lambda at: _moment(at, service.programme.time_zone)})
    protect.exempt("deploy.demo.pages.sendsms")
    return app


def _moment(at: Any, zone: str) -> str:
    return f"{day(at, zone, locale.language())}, {time_of_day(at, zone, locale.language())}"


def _is_ours(path: str) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in OURS)
