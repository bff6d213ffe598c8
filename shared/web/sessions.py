"""Server-side sessions: the cookie holds an opaque id only, and only the cookie opens the data key stored with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response, request

from shared import vault
from shared.clock import now
from shared.mongo import Db
from shared.tokens import digest, new_token
from shared.web import cookies

IDLE_TIME_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True)
class Session:
    """`subject_id`: what the session is about (a request, an offer). `key`: the person's data key, if the session has it."""

    role: str
    person_id: str
    subject_id: str
    key: bytes | None = None


def begin(
    response: Response,
    db: Db,
    role: str,
    person_id: str,
    *,
    subject_id: str = "",
    key: bytes | None = None,
    lasts: timedelta,
    idle: timedelta | None = None,
) -> Response:
    """`idle`: ends after this long without a page; `lasts`: ends then in any case."""
    cookie = new_token()
    document: dict[str, Any] = {"_id": digest(cookie), "role": role, "person_id": person_id, "subject_id": subject_id}
    if key is not None:
        document["wrap"] = vault.wrap_under(cookie, person_id, key)
    if idle is not None:
        document.update(idle_seconds=int(idle.total_seconds()), ends_at=now() + lasts)
    db.sessions.insert_one({**document, "expires_at": now() + (idle or lasts)})
    cookies.set_cookie(response, _cookie_name(role), cookie, seconds=int(lasts.total_seconds()))
    return response


def begin_from(response: Response, db: Db, role: str, earlier: Session, lasts: timedelta) -> Response:
    """In another role, for the same person, subject and key."""
    return begin(response, db, role, earlier.person_id, subject_id=earlier.subject_id, key=earlier.key, lasts=lasts)


def current(db: Db, role: str) -> Session | None:
    cookie = request.cookies.get(_cookie_name(role), "")
    document = db.sessions.find_one({"_id": digest(cookie), "role": role, "expires_at": {"$gt": now()}}) if cookie else None
    if document is None:
        return None
    _extend_idle_time(db, document)
    key = vault.unwrap_under(cookie, document["person_id"], document["wrap"]) if "wrap" in document else None
    return Session(role, document["person_id"], document["subject_id"], key)


def end(response: Response, db: Db, role: str) -> Response:
    db.sessions.delete_one({"_id": digest(request.cookies.get(_cookie_name(role), ""))})
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


def _extend_idle_time(db: Db, document: dict[str, Any]) -> None:
    if "idle_seconds" not in document:
        return
    until: datetime = min(now() + timedelta(seconds=document["idle_seconds"]), document["ends_at"])
    if until - document["expires_at"] > IDLE_TIME_RESOLUTION:
        db.sessions.update_one({"_id": document["_id"]}, {"$set": {"expires_at": until}})


def _cookie_name(role: str) -> str:
    return cookies.host_bound_name(role)
