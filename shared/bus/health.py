"""Three addresses for whoever looks after the worker: /livez, /readyz, /metrics."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Answer = tuple[int, str, bytes]
Parts = Callable[[], Mapping[str, bool]]


def serve_health(host: str, port: int, live: Parts, ready: Parts) -> ThreadingHTTPServer:
    """`live`: each of our own threads, and whether it still works; nothing outside is asked. `ready`: what this worker needs, and
    whether it has it. /livez and /readyz answer 503 while one of them is False."""

    def metrics() -> Answer:
        live(), ready()  # each sets its gauges
        return 200, CONTENT_TYPE_LATEST, generate_latest()

    answers: dict[str, Callable[[], Answer]] = {
        "/livez": lambda: _parts(live),
        "/readyz": lambda: _parts(ready),
        "/metrics": metrics,
    }

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content_type, body = answers.get(self.path, lambda: (404, "text/plain", b""))()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a request line may hold what somebody typed."""

    server = ThreadingHTTPServer((host, port), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server


def _parts(parts: Parts) -> Answer:
    now = dict(parts())
    return (200 if all(now.values()) else 503), "application/json", json.dumps(now).encode() + b"\n"
