"""Settings of a web process under test, on this machine."""

from pathlib import Path

from shared.settings import Settings


def settings_for_pages(keys: Path, mongodb_uri: str = "mongodb://unused") -> Settings:
    return Settings(
        mongodb_uri=mongodb_uri,
        amqp_url="amqp://unused",
        keys_dir=keys,
        programme_file=Path("deploy/programme.toml"),
        public_url="http://localhost",
        log_level="INFO",
        metrics_port=0,
        worker_threads=1,
    )
