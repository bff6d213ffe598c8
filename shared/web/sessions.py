"""Server-side sessions: the cookie holds an opaque id only, and only the cookie opens the data key kept with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response, request
from pymongo import IndexModel

from shared import vault
from shared.clock import now
from shared.mongo import Db
from shared.tokens import digest, new_token
from shared.web import cookies

INDEXES = [IndexModel("expires_at", expireAfterSeconds=0), IndexModel("person_id")]
HOW_FINE_IDLE_TIME_IS = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """`subject_id` is what the session is about (a request, an offer). `key` opens the person's encrypted answers, if held."""

    role: str
    person_id: str
    subject_id: str
    key: bytes | None = None


def begin(
    response: Response, db: Db, role: str, person_id: str, *, subject_id: str = "", key: bytes | None = None,
    lasts: timedelta, idle: timedelta | None = None,
) -> Response:  # fmt: skip
    """`idle`: ends after this long without a page; `lasts`: ends then in any case."""
    cookie = new_token()
    row: dict[str, Any] = {"_id": digest(cookie), "role": role, "person_id": person_id, "subject_id": subject_id}
    if key is not None:
        row["wrap"] = vault.wrap_under(cookie, person_id, key)
    if idle is not None:
        row.update(idle_seconds=int(idle.total_seconds()), last_at=now() + lasts)
    db.sessions.insert_one({**row, "expires_at": now() + (idle or lasts)})
    cookies.set_cookie(response, _name(role), cookie, seconds=int(lasts.total_seconds()))
    return response


def current(db: Db, role: str) -> Session | None:
    cookie = request.cookies.get(_name(role), "")
    row = db.sessions.find_one({"_id": digest(cookie), "role": role, "expires_at": {"$gt": now()}}) if cookie else None
    if row is None:
        return None
    _stay_awake(db, row)
    key = vault.unwrap_under(cookie, row["person_id"], row["wrap"]) if "wrap" in row else None
    return Session(role, row["person_id"], row["subject_id"], key)


def end(response: Response, db: Db, role: str) -> Response:
    db.sessions.delete_one({"_id": digest(request.cookies.get(_name(role), ""))})
    cookies.drop_cookie(response, _name(role))
    return response


def end_all(db: Db, person_id: str) -> None:
    db.sessions.delete_many({"person_id": person_id})


def cookie_settings(service: str, secure: bool) -> dict[str, Any]:
    """Flask's own signed cookie carries the CSRF nonce and nothing else."""
    return {
        "SESSION_COOKIE_NAME": f"__Host-{service}" if secure else service,
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=14),
    }


def _stay_awake(db: Db, row: dict[str, Any]) -> None:
    if "idle_seconds" not in row:
        return
    until: datetime = min(now() + timedelta(seconds=row["idle_seconds"]), row["last_at"])
    if until - row["expires_at"] > HOW_FINE_IDLE_TIME_IS:
        db.sessions.update_one({"_id": row["_id"]}, {"$set": {"expires_at": until}})


def _name(role: str) -> str:
    return cookies.bound_to_host(role)
