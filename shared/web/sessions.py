"""The cookies of sessions: each holds an opaque id only."""

from datetime import timedelta
from typing import Any

from flask import Response, request

from shared import sessions
from shared.mongo import Db
from shared.sessions import NewSession, Session
from shared.web import cookies


def begin(response: Response, db: Db, begun: NewSession) -> Response:
    sessions.save(db, begun)
    return set_cookie(response, begun)


def set_cookie(response: Response, begun: NewSession) -> Response:
    """For a session that is saved elsewhere."""
    seconds = int(begun.lasts.total_seconds()) if begun.keep else None
    cookies.set_cookie(response, _cookie_name(begun.session.role), begun.cookie, seconds=seconds)
    return response


def current(db: Db, role: str) -> Session | None:
    return sessions.find(db, role, request.cookies.get(_cookie_name(role), ""))


def end(response: Response, db: Db, role: str) -> Response:
    sessions.delete(db, request.cookies.get(_cookie_name(role), ""))
    cookies.delete_cookie(response, _cookie_name(role))
    return response


def cookie_settings(service: str, secure: bool) -> dict[str, Any]:
    """Flask's own signed cookie carries the CSRF nonce and nothing else."""
    return {
        "SESSION_COOKIE_NAME": f"__Host-{service}" if secure else service,
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=14),
    }


def _cookie_name(role: str) -> str:
    return cookies.host_bound_name(role)
