"""One public origin before the three web processes, as the proxy is in a deployment."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import urllib3

from deploy.demo.settings import DemoSettings

ONE_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
     "server", "date"}
)  # fmt: skip
NOT_YET = b"<!doctype html><meta charset=utf-8><title>Not yet</title><p>This part is still starting. Load the page again soon."


class Front:
    def __init__(self, settings: DemoSettings) -> None:
        self._ways = [
            ("/o", settings.matching_url), ("/me", settings.matching_url), ("/c", settings.matching_url),
            ("/sms", settings.notify_url), ("/", settings.intake_url),
        ]  # fmt: skip
        self._public_host = urlsplit(settings.public_url).netloc
        self._pools = {url: urllib3.connection_from_url(url, maxsize=32) for _, url in self._ways if url}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        pool = self._pools.get(self._way(environ["PATH_INFO"]))
        if pool is None:
            return _say(start_response, "404 Not Found", b"")
        try:
            # Each connection is looked at before it is used again, so a form is never sent into one that was closed.
            answer = pool.urlopen(
                environ["REQUEST_METHOD"], _target(environ), body=_body(environ), headers=self._headers(environ), redirect=False,
                retries=False, assert_same_host=False, decode_content=False, timeout=30,
            )  # fmt: skip
        except urllib3.exceptions.HTTPError:
            return _say(start_response, "503 Service Unavailable", NOT_YET)
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in ONE_HOP]
        start_response(f"{answer.status} {answer.reason}", kept)
        return [answer.data]

    def _way(self, path: str) -> str:
        return next(url for prefix, url in self._ways if prefix == "/" or path == prefix or path.startswith(f"{prefix}/"))

    def _headers(self, environ: dict[str, Any]) -> dict[str, str]:
        given = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")}
        given = {name: value for name, value in given.items() if name.lower() not in ONE_HOP}
        if environ.get("CONTENT_TYPE"):
            given["Content-Type"] = environ["CONTENT_TYPE"]
        host = given.get("Host", self._public_host)
        return {**given, "X-Forwarded-For": environ.get("REMOTE_ADDR", ""), "X-Forwarded-Proto": "http", "X-Forwarded-Host": host}


def _target(environ: dict[str, Any]) -> str:
    return str(environ["RAW_URI"]) if environ.get("RAW_URI", "").startswith("/") else str(environ["PATH_INFO"])


def _body(environ: dict[str, Any]) -> bytes | None:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return environ["wsgi.input"].read(length) if length else None


def _say(start_response: Any, status: str, words: bytes) -> list[bytes]:
    start_response(status, [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(words)))])
    return [words]
