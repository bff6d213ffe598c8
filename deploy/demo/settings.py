"""What the demo's own process (front, mailbox, phone, pages) is told by its environment."""

from dataclasses import dataclass
from pathlib import Path

from environs import Env

from shared.settings import Settings, read


@dataclass(frozen=True)
class DemoSettings:
    home: Path
    public_url: str
    programme_file: Path
    smtp_listen: str
    intake_url: str
    matching_url: str
    notify_url: str
    reply_url: str
    phone_login: tuple[str, str]
    clock_file: Path | None

    def as_base(self) -> Settings:
        """What shared.web asks for. The demo's process has no database and no broker of its own."""
        return Settings(
            mongodb_uri="", amqp_url="", keys_dir=self.home / "own", programme_file=self.programme_file,
            public_url=self.public_url, log_level="INFO", metrics_port=0, worker_threads=1,
        )  # fmt: skip


def demo(env: Env) -> dict[str, object]:
    clock = env.str("CLOCK_FILE", "")
    return {
        "home": env.path("DEMO_HOME", Path(".local/demo")),
        "public_url": env.str("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
        "programme_file": env.path("PROGRAMME_FILE", Path("deploy/programme.toml")),
        "smtp_listen": env.str("SMTP_LISTEN", "127.0.0.1:1025"),
        # Where a proxy stands before everything, these stay empty and nothing is forwarded here.
        "intake_url": env.str("INTAKE_URL", ""),
        "matching_url": env.str("MATCHING_URL", ""),
        "notify_url": env.str("NOTIFY_URL", ""),
        # Kannel's `post-url`, secret included: where a text from somebody's phone is handed over.
        "reply_url": env.str("REPLY_URL", ""),
        "phone_login": (env.str("KANNEL_USER", "demo"), env.str("KANNEL_PASSWORD", "demo")),
        "clock_file": Path(clock) if clock else None,
    }


def read_demo() -> DemoSettings:
    return read(DemoSettings, demo)
