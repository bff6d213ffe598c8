"""The echo service behind gunicorn: /ready says whether it can publish, /ask/ID runs a handler."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from shared.service import Service
from shared.settings import Settings
from tests.faults.bus.echo_service import Control, EchoAsked, ask, make_service


class App:
    def __init__(self, service: Service, settings: Settings) -> None:
        self.extensions = {"kitchen": (service, settings)}
        self._service = service

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        what, _, echo_id = environ["PATH_INFO"].strip("/").partition("/")
        if what == "ask":
            self._service.run(ask, EchoAsked(echo_id=echo_id))
        relay = self._service._runner.relay
        return [str(bool(relay and relay.written_lease())).encode()]


def make_app() -> App:
    given = os.environ
    settings = Settings(
        mongodb_uri=given["MONGODB_URI"], amqp_url=given["AMQP_URL"], keys_dir=Path(given["KEYS_DIR"]),
        programme_file=Path("deploy/programme.toml"), public_url="http://127.0.0.1:8000", log_level="INFO", metrics_port=0,
        worker_threads=1,
    )  # fmt: skip
    service = make_service(Control())
    service.start(settings)
    service.commit_together()
    return App(service, settings)
