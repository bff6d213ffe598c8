"""Three addresses for whoever looks after the worker: /livez, /readyz, /metrics."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

Answer = tuple[int, str, bytes]


def serve_health(host: str, port: int, alive: Callable[[], bool], parts: Callable[[], Mapping[str, bool]]) -> ThreadingHTTPServer:
    """`alive`: our own threads run. `parts`: what this worker needs, and whether it has it."""

    def livez() -> Answer:
        return (200, "text/plain", b"ok\n") if alive() else (503, "text/plain", b"a thread ended\n")

    def readyz() -> Answer:
        now = dict(parts())
        return (200 if all(now.values()) else 503), "application/json", json.dumps(now).encode() + b"\n"

    def metrics() -> Answer:
        parts()  # sets their gauges
        return 200, CONTENT_TYPE_LATEST, generate_latest()

    answers = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answers.get(self.path, lambda: (404, "text/plain", b""))()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a request line may hold what somebody typed."""

    server = ThreadingHTTPServer((host, port), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
