"""`web_app`: what every web process of every service has, before its first own page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Blueprint, Flask, abort, current_app, g, request
from flask_babel import get_locale
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from shared import logs
from shared.i18n import day, short_day, time_of_day, written_date, zone_city
from shared.programme import Programme, read_programme, reason_not_to_serve
from shared.service import Service
from shared.settings import Settings, read_for
from shared.tokens import digest
from shared.vault import load_vault
from shared.web import csrf, cups, deadline, display_preferences, errors, headers, health, limits, locale, sessions, views

HERE = Path(__file__).parent
LARGEST_BODY = 32 * 1024
LARGEST_OF_LONG_TEXTS = 384 * 1024  # six texts of 4,000 characters, each of four bytes, as a browser sends them
View = TypeVar("View", bound=Callable[..., object])


def check_start(service_name: str) -> Settings:
    """Raises SystemExit, naming what is wrong: a setting, a key or the programme."""
    settings = read_for(service_name)
    load_vault(settings.keys_dir, service_name)
    _check_programme(read_programme(settings.programme_file), settings.public_url)
    return settings


def _check_programme(programme: Programme, public_url: str) -> None:
    reason = reason_not_to_serve(programme, public_url)
    if reason:
        raise SystemExit(reason)


def make_service_app(service: Service, settings: Settings, import_name: str, *blueprints: Blueprint) -> Flask:
    """`web_app` with the service's own pages; connects the service first, unless it is connected."""
    if "db" not in service.__dict__:
        service.start(settings)
    service.commit_together()
    app = web_app(service, settings, import_name)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    return app


def web_app(service: Service, settings: Settings, import_name: str) -> Flask:
    """A Flask application for `service`, already connected. Call it in the process that will serve: after fork."""
    logs.set_up(service.name, settings.log_level)
    _check_programme(service.programme, settings.public_url)
    app = _configured_app(service, settings, import_name)
    app.register_blueprint(
        Blueprint("base", __name__, static_folder="static", static_url_path="/static", template_folder="templates")
    )
    app.before_request(_refuse_a_long_body)
    for part in (deadline, locale, display_preferences, headers, csrf, limits, health, errors, views, cups):
        part.add_to(app)
    app.context_processor(lambda: _template_context(service))
    return app


def _configured_app(service: Service, settings: Settings, import_name: str) -> Flask:
    app = Flask(import_name, static_folder=None)
    app.config.update(
        SECRET_KEY=(settings.keys_dir / f"{service.name}.secret").read_text().strip(),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        **sessions.cookie_settings(service.name, settings.secure),
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.wsgi_app = ProxyFix(app.wsgi_app, x_proto=1, x_host=1)  # type: ignore[method-assign]
    app.extensions["kitchen"] = service, settings
    return app


def takes_long_texts(view: View) -> View:
    """A view whose form has room for more than others."""
    view.largest_body = LARGEST_OF_LONG_TEXTS  # type: ignore[attr-defined]
    return view


def _refuse_a_long_body() -> None:
    """Without Content-Length (chunked), Werkzeug cuts a body at its limit where it should refuse it."""
    view = current_app.view_functions.get(request.endpoint or "")
    largest: int = getattr(view, "largest_body", LARGEST_BODY)
    request.max_content_length = request.max_form_memory_size = largest
    if request.content_length is None and len(request.get_data()) >= largest:
        abort(413)


def _template_context(service: Service) -> dict[str, Any]:
    return {
        "programme": service.programme,
        "words": service.programme.words_in(locale.language()),
        "language": locale.language(),
        "get_locale": get_locale,
        "display": display_preferences.current(),
        "static": _static,
        "url_in_language": _url_in_language,
        "errors": g.get("errors", {}),
        "day": lambda moment, zone=service.programme.time_zone: day(moment, zone, locale.language()),
        "written_date": lambda text: written_date(text, locale.language()),
        "short_day": lambda moment, zone=service.programme.time_zone: short_day(moment, zone, locale.language()),
        "zone_city": lambda zone: zone_city(zone, locale.language()),
        "time_of_day": lambda moment, zone=service.programme.time_zone: time_of_day(moment, zone, locale.language()),
    }


VERSIONS = {
    file.name: digest(file.read_text())[:8] for file in (HERE / "static").iterdir() if file.suffix in {".css", ".js", ".svg"}
}


def _static(name: str) -> str:
    return f"/static/{name}?v={VERSIONS[name]}"


def _url_in_language(language: str) -> str:
    """This page in another language: same path and query."""
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'lang': language})}"
