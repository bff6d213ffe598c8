"""Zoom's interface as we use it, on this machine: a real HTTP server that answers what Zoom documents, and worse.

    with a_zoom() as zoom:
        zoom_settings(keys, zoom.url)
        zoom.next("POST", "/v2/users", Unkind(429, {"code": 429}, {"Retry-After": "2026-12-02T00:00:00Z"}))
        zoom.meetings, zoom.calls

Recorded: POST /oauth/token with the account's id in the form and Basic credentials (200; 400 or 401 with {"reason", "error"});
POST /v2/users/{user}/meetings (201; 400/300, 404/1001); GET of the same, with agenda and pages; GET and DELETE /v2/meetings/{id}
(200, 204; 404/3001); 401/124 for a token that ended; 400/4711 for one without the scope; 429 with an ISO date in Retry-After, or
without one where a day's 100 rooms are made.
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.settings import NotifySettings
from tests.delivery import notify_settings

ACCOUNT, CLIENT, SECRET = "account-1", "client-1", "sesame"
JOIN = "https://zoom.example/j/"


@dataclass(frozen=True)
class Unkind:
    """An answer instead of the usual one. `does`: what was asked is done all the same. `closes`: without a word.
    `slowly`: a byte of the body after so many seconds."""

    status: int = 500
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    does: bool = False
    closes: bool = False
    slowly: float = 0


@dataclass
class FakeAccount:
    url: str = ""
    meetings: dict[int, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    lasts: int = 3599
    page_size: int = 300
    _next: list[tuple[str, str, Unkind]] = field(default_factory=list)
    _always: list[tuple[str, str, Unkind]] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def next(self, method: str, path: str, *answers: Unkind) -> None:
        """The next calls whose path begins so."""
        self._next += [(method, path, answer) for answer in answers]

    def always(self, method: str, path: str, answer: Unkind) -> None:
        self._always.append((method, path, answer))

    def be_kind(self) -> None:
        self._next, self._always = [], []

    def end_tokens(self) -> None:
        self.tokens.clear()

    def asked(self, method: str, path: str = "") -> int:
        return sum(one == method and where.startswith(path) for one, where in list(self.calls))

    def unkindness(self, method: str, path: str) -> Unkind | None:
        with self._guard:
            self.calls.append((method, path))
            for found in self._next:
                if method == found[0] and path.startswith(found[1]):
                    self._next.remove(found)
                    return found[2]
            return next((answer for one, where, answer in self._always if method == one and path.startswith(where)), None)


Reply = tuple[int, Any]


class Handler(BaseHTTPRequestHandler):
    account: FakeAccount
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        unkind = self.account.unkindness(self.command, parts.path)
        if unkind is None:
            self._answer(*self._usual(parts.path, parse_qs(parts.query), sent))
            return
        if unkind.does:
            self._usual(parts.path, parse_qs(parts.query), sent)
        if unkind.closes:
            self.close_connection = True
            return
        self._answer(unkind.status, unkind.body, unkind.headers, unkind.slowly)

    def _answer(self, status: int, body: Any, headers: dict[str, str] | None = None, slowly: float = 0) -> None:
        raw = body.encode() if isinstance(body, str) else b"" if status == 204 else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        with suppress(OSError):
            for piece in (raw[index : index + 1] for index in range(len(raw))) if slowly else [raw]:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(slowly)

    def _usual(self, path: str, query: dict[str, list[str]], sent: str) -> Reply:
        if path == "/oauth/token":
            return self._token(parse_qs(sent))
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.account.tokens:
            return 401, {"code": 124, "message": "Access token is expired."}
        match path.removeprefix("/v2/").split("/"):
            case ["users", user, "meetings"] if user == "nobody":
                return 404, {"code": 1001, "message": "User does not exist: nobody."}
            case ["users", user, "meetings"] if self.command == "POST":
                return self._create(user, json.loads(sent))
            case ["users", user, "meetings"]:
                return self._list(user, query)
            case ["meetings", number] if int(number) not in self.account.meetings:
                return 404, {"code": 3001, "message": f"Meeting does not exist: {number}."}
            case ["meetings", number] if self.command == "DELETE":
                del self.account.meetings[int(number)]
                return 204, None
            case ["meetings", number]:
                return 200, self.account.meetings[int(number)]
        return 404, {"code": 404, "message": "no such path"}

    def _token(self, form: dict[str, list[str]]) -> Reply:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {basic}":
            return 400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
        if (form.get("grant_type"), form.get("account_id")) != (["account_credentials"], [ACCOUNT]):
            return 400, {"reason": "unsupported grant type", "error": "unsupported_grant_type"}
        token = secrets.token_urlsafe(24)
        self.account.tokens.add(token)
        return 200, {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.account.lasts,
            "scope": "meeting:write:admin",
        }

    def _create(self, user: str, wanted: dict[str, Any]) -> Reply:
        number = 90000000000 + secrets.randbelow(10**9)
        made = {**wanted, "id": number, "host": user, "join_url": f"{JOIN}{number}?pwd={secrets.token_hex(4)}"}
        self.account.meetings[number] = made
        self.account.created.append(made)
        return 201, made

    def _list(self, user: str, query: dict[str, list[str]]) -> Reply:
        theirs = [one for one in self.account.meetings.values() if one["host"] == user]
        begin = int(query.get("next_page_token", ["0"])[0])
        end = begin + self.account.page_size
        page = [{**one, "join_url": one["join_url"].partition("?")[0]} for one in theirs[begin:end]]
        return 200, {"meetings": page, "next_page_token": str(end) if end < len(theirs) else ""}


@contextmanager
def a_zoom() -> Iterator[FakeAccount]:
    account = FakeAccount()
    handler = type("AccountHandler", (Handler,), {"account": account})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    account.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()


def zoom_settings(keys: Path, url: str, **chosen: Any) -> NotifySettings:
    usual = {
        "zoom_account_id": ACCOUNT, "zoom_client_id": CLIENT, "zoom_client_secret": SECRET,
        "zoom_api_url": url, "zoom_token_url": url,
    }  # fmt: skip
    return notify_settings(keys, **{**usual, **chosen})
