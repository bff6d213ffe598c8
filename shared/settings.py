"""Every setting. A missing or wrong one stops the start, naming it. A test compares this file with .env.example and README."""

from collections.abc import Callable
from dataclasses import dataclass, field
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
    keys_dir: Path
    programme_file: Path
    public_url: str
    log_level: str
    metrics_port: int
    worker_threads: int
    metrics_host: str = field(default="127.0.0.1", kw_only=True)

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")


@dataclass(frozen=True)
class NotifySettings(Settings):
    smtp_url: str
    mail_from: str
    mail_reply_to: str
    sms_gateway: str
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


def core(env: Env) -> dict[str, object]:
    return {
        "mongodb_uri": _secret(env, "MONGODB_URI", _url("mongodb", "mongodb+srv")),
        "amqp_url": _secret(env, "AMQP_URL", _url("amqp", "amqps")),
        "keys_dir": env.path("KEYS_DIR", validate=_folder),
        "programme_file": env.path("PROGRAMME_FILE", Path("deploy/programme.toml"), validate=_file),
        "public_url": (env.str("PUBLIC_URL", validate=_url("http", "https")) or "").rstrip("/"),
        "log_level": env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
        "metrics_port": env.int("METRICS_PORT", 0, validate=validate.Range(0, 65535)),
        "metrics_host": env.str("METRICS_HOST", "127.0.0.1"),
        "worker_threads": env.int("WORKER_THREADS", 4, validate=validate.Range(1, 64)),
    }


def notify(env: Env) -> dict[str, object]:
    gateway = env.str("SMS_GATEWAY", "none", validate=validate.OneOf(["kannel", "twilio", "none"]))
    kannel, twilio = gateway == "kannel", gateway == "twilio"
    return {
        **core(env),
        "smtp_url": _secret(env, "SMTP_URL", _url("smtp", "smtp+starttls", "smtps")),
        "mail_from": env.str("MAIL_FROM"),
        "mail_reply_to": env.str("MAIL_REPLY_TO"),
        "sms_gateway": gateway,
        "kannel_url": _needed(env, "KANNEL_URL", kannel),
        "kannel_user": _needed(env, "KANNEL_USER", kannel),
        "kannel_password": _needed(env, "KANNEL_PASSWORD", kannel),
        "kannel_callback_secret": _needed(env, "KANNEL_CALLBACK_SECRET", kannel),
        "twilio_account_sid": _needed(env, "TWILIO_ACCOUNT_SID", twilio),
        "twilio_auth_token": _needed(env, "TWILIO_AUTH_TOKEN", twilio),
        "twilio_from": _needed(env, "TWILIO_FROM", twilio),
        "twilio_api_url": env.str("TWILIO_API_URL", "https://api.twilio.com", validate=_url("http", "https")),
        "sms_callback_url": (env.str("SMS_CALLBACK_URL", "") or env.str("PUBLIC_URL", "")).rstrip("/"),
        "minutes_between_texts": env.int("MINUTES_BETWEEN_TEXTS", 60, validate=validate.Range(0, 24 * 60)),
    }


def read(kind: type[S], fields: Callable[[Env], dict[str, object]]) -> S:
    """Read settings from the environment; on any error leave with one line that names each wrong setting, never its value."""
    env = Env(eager=False)
    values = fields(env)
    try:
        env.seal()
    except EnvError as error:
        named = getattr(error, "error_messages", {}) or {}
        lines = [f"  {name}: {'; '.join(map(str, why))}" for name, why in named.items()]
        raise SystemExit("Settings are missing or wrong (see deploy/.env.example):\n" + "\n".join(lines)) from None
    return kind(**values)


def read_core() -> Settings:
    return read(Settings, core)


def read_notify() -> NotifySettings:
    return read(NotifySettings, notify)


def _secret(env: Env, name: str, check: Callable[[str], None]) -> str:
    """A setting that may stand in a file instead (NAME_FILE), as container secrets do."""
    file = env.str(f"{name}_FILE", "")
    if file:
        value = Path(file).read_text().strip() if Path(file).is_file() else ""
        if not value:
            return env.str(name, validate=_never(f"{name}_FILE names no readable file"))
        return value
    return env.str(name, validate=check)


def _needed(env: Env, name: str, when: bool) -> str:
    if not when:
        return env.str(name, "")
    return _secret(env, name, _not_empty)


def _url(*schemes: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if urlsplit(value).scheme not in schemes:
            raise ValidationError(f"must begin with {' or '.join(s + '://' for s in schemes)}")

    return check


def _never(reason: str) -> Callable[[str], None]:
    def check(_: str) -> None:
        raise ValidationError(reason)

    return check


def _not_empty(value: str) -> None:
    if not value:
        raise ValidationError("must not be empty")


def _folder(path: Path) -> None:
    if not path.is_dir():
        raise ValidationError("is not a folder; deploy/setup makes it")


def _file(path: Path) -> None:
    if not path.is_file():
        raise ValidationError("is not a file")
