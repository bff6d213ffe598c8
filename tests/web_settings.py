"""Settings of a web process under test, on this machine."""

import tomllib
from dataclasses import replace
from pathlib import Path

from shared.messages import load
from shared.programme import PLACEHOLDER_MARKS, Programme
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


def programme_of_a_collective() -> Programme:
    """The shipped one, with every text written by those whose it is."""
    text = Path("deploy/programme.toml").read_text()
    for mark in PLACEHOLDER_MARKS:
        text = text.replace(mark, "Ours")
    return replace(load(Programme, tomllib.loads(text)), promise_is_ours=True)
