"""Every setting. A missing or wrong one stops the start, naming it. A test compares this file with .env.example and README."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from environs import Env, EnvError, validate
from marshmallow import ValidationError

S = TypeVar("S")


@dataclass(frozen=True)
class Settings:
    mongodb_uri: str
    amqp_url: str
    keys_dir: Path  # the service's keys (shared/vault.py)
    programme_file: Path
    public_url: str  # the origin that people see, without a slash at the end
    log_level: str
    metrics_port: int  # 0: none
    worker_threads: int  # transactions of events at the same time, each of up to 64 events
    zoom_account_id: str = field(default="", kw_only=True)  # empty: no rooms at Zoom
    metrics_host: str = field(default="127.0.0.1", kw_only=True)

    @property
    def secure(self) -> bool:
        """Cookies are sent over https only. False on this machine alone, where a browser would otherwise refuse them."""
        return self.public_url.startswith("https://") or not is_loopback(self.public_url)


@dataclass(frozen=True)
class NotifySettings(Settings):
    smtp_url: str
    mail_from: str
    mail_reply_to: str
    sms_gateway: str  # kannel, twilio or none
    kannel_url: str
    kannel_user: str
    kannel_password: str
    kannel_callback_secret: str
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_from: str
    twilio_api_url: str
    sms_callback_url: str
    minutes_between_texts: int
    zoom_client_id: str = field(default="", kw_only=True)
    zoom_client_secret: str = field(default="", kw_only=True, repr=False)
    zoom_hosts: tuple[str, ...] = field(default=("me",), kw_only=True)  # users of the account whose rooms they are
    zoom_api_url: str = field(default="https://api.zoom.us", kw_only=True)
    zoom_token_url: str = field(default="https://zoom.us", kw_only=True)


def core(env: Env) -> dict[str, object]:
    return {
        "mongodb_uri": _secret(env, "MONGODB_URI", _url("mongodb", "mongodb+srv")),
        "amqp_url": _secret(env, "AMQP_URL", _url("amqp", "amqps")),
        "keys_dir": env.path("KEYS_DIR", validate=_folder),
        "programme_file": env.path("PROGRAMME_FILE", Path("deploy/programme.toml"), validate=_file),
        "public_url": (env.str("PUBLIC_URL", validate=_public_url) or "").rstrip("/"),
        "log_level": env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
        "metrics_port": env.int("METRICS_PORT", 0, validate=validate.Range(0, 65535)),
        "metrics_host": env.str("METRICS_HOST", "127.0.0.1"),
        "worker_threads": env.int("WORKER_THREADS", 1, validate=validate.Range(1, 64)),
        "zoom_account_id": env.str("ZOOM_ACCOUNT_ID", ""),
    }


def notify(env: Env) -> dict[str, object]:
    gateway = env.str("SMS_GATEWAY", "none", validate=validate.OneOf(["kannel", "twilio", "none"]))
    kannel, twilio = gateway == "kannel", gateway == "twilio"
    return {
        **core(env),
        "smtp_url": _secret(env, "SMTP_URL", _url("smtp", "smtp+starttls", "smtps")),
        "mail_from": env.str("MAIL_FROM", validate=_not_empty),
        "mail_reply_to": env.str("MAIL_REPLY_TO", validate=_not_empty),
        "sms_gateway": gateway,
        "kannel_url": _needed(env, "KANNEL_URL", kannel, _url("http", "https")),
        "kannel_user": _needed(env, "KANNEL_USER", kannel),
        "kannel_password": _needed(env, "KANNEL_PASSWORD", kannel),
        "kannel_callback_secret": _needed(env, "KANNEL_CALLBACK_SECRET", kannel),
        "twilio_account_sid": _needed(env, "TWILIO_ACCOUNT_SID", twilio),
        "twilio_auth_token": _needed(env, "TWILIO_AUTH_TOKEN", twilio),
        "twilio_from": _needed(env, "TWILIO_FROM", twilio),
        "twilio_api_url": env.str("TWILIO_API_URL", "https://api.twilio.com", validate=_url("http", "https")),
        "sms_callback_url": (env.str("SMS_CALLBACK_URL", "") or env.str("PUBLIC_URL", "")).rstrip("/"),
        "minutes_between_texts": env.int("MINUTES_BETWEEN_TEXTS", 60, validate=validate.Range(0, 24 * 60)),
        **_zoom(env),
    }


def _zoom(env: Env) -> dict[str, object]:
    wanted = any(env.str(name, "") for name in ("ZOOM_ACCOUNT_ID", "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET"))
    hosts = env.str("ZOOM_HOSTS", "me", validate=_users) or ""
    return {
        "zoom_account_id": _needed(env, "ZOOM_ACCOUNT_ID", wanted),
        "zoom_client_id": _needed(env, "ZOOM_CLIENT_ID", wanted),
        "zoom_client_secret": _needed(env, "ZOOM_CLIENT_SECRET", wanted),
        "zoom_hosts": tuple(host.strip() for host in hosts.split(",")),
        "zoom_api_url": env.str("ZOOM_API_URL", "https://api.zoom.us", validate=_public_url),
        "zoom_token_url": env.str("ZOOM_TOKEN_URL", "https://zoom.us", validate=_public_url),
    }


def read(settings_class: type[S], fields: Callable[[Env], dict[str, object]]) -> S:
    """Read settings from the environment; on any error leave with one line that names each wrong setting, never its value."""
    env = Env(eager=False)
    values = fields(env)
    try:
        env.seal()
    except EnvError as error:
        named = getattr(error, "error_messages", {}) or {}
        lines = [f"  {name}: {'; '.join(map(str, why))}" for name, why in named.items()]
        raise SystemExit("Settings are missing or wrong (see deploy/.env.example):\n" + "\n".join(lines)) from None
    return settings_class(**values)


def read_core() -> Settings:
    return read(Settings, core)


def read_notify() -> NotifySettings:
    return read(NotifySettings, notify)


def read_for(service: str) -> Settings:
    return read_notify() if service == "notify" else read_core()


def _secret(env: Env, name: str, check: Callable[[str], None]) -> str:
    """A setting that may stand in a file instead (NAME_FILE), as container secrets do. Either way it is checked."""
    if not env.str(f"{name}_FILE", ""):
        return env.str(name, validate=check)
    file = env.str(f"{name}_FILE", validate=lambda file: check(_content(file)))
    return _content(file) if file else ""


def _content(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except (OSError, ValueError):
        raise ValidationError("names no readable file") from None


def _needed(env: Env, name: str, when: bool, check: Callable[[str], None] | None = None) -> str:
    return _secret(env, name, check or _not_empty) if when else env.str(name, "")


def is_loopback(url: str) -> bool:
    """Whether this address can be reached from this machine only."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _public_url(value: str) -> None:
    _url("http", "https")(value)
    if value.startswith("http://") and not is_loopback(value):
        raise ValidationError("must begin with https:// (http:// is for localhost only)")


def _url(*schemes: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        try:
            parts = urlsplit(value)
        except ValueError:
            raise ValidationError("is not an address") from None
        if parts.scheme not in schemes:
            raise ValidationError(f"must begin with {' or '.join(s + '://' for s in schemes)}")
        if not parts.netloc.rpartition("@")[2]:
            raise ValidationError("names no host")

    return check


def _users(value: str) -> None:
    """Ids or addresses of users, with commas between them."""
    if not all(re.fullmatch(r"[A-Za-z0-9_.+@-]+", one.strip()) for one in value.split(",")):
        raise ValidationError("has to name users, with commas between them")


def _not_empty(value: str) -> None:
    if not value:
        raise ValidationError("must not be empty")


def _folder(path: Path) -> None:
    if not path.is_dir():
        raise ValidationError("is not a folder; deploy/setup makes it")


def _file(path: Path) -> None:
    if not path.is_file():
        raise ValidationError("is not a file")
