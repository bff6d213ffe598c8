"""What the demo's own part (mail server, phones, pages) is told by its environment."""

from dataclasses import dataclass
from pathlib import Path

from environs import Env

from shared.settings import read


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


def read_demo() -> DemoSettings:
    return read(DemoSettings, _fields)


def _fields(env: Env) -> dict[str, object]:
    clock = env.str("CLOCK_FILE", "")
    return {
        "home": env.path("DEMO_HOME", Path(".local/demo")),
        "public_url": env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
        "programme_file": env.path("PROGRAMME_FILE", Path("deploy/programme.toml")),
        "smtp_listen": env.str("SMTP_LISTEN", "127.0.0.1:1025"),
        "reply_url": env.str("REPLY_URL", ""),
        "phone_login": (env.str("KANNEL_USER", "demo"), env.str("KANNEL_PASSWORD", "demo")),
        "clock_file": Path(clock) if clock else None,
    }
