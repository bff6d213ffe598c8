"""Server-side sessions as they are stored: under the digest of the cookie, and only the cookie opens the key among them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import vault
from shared.clock import now
from shared.mongo import Db
from shared.tokens import digest, new_token

IDLE_TIME_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True, repr=False)
class Session:
    """`subject_id`: what the session is about (a request, an offer). `key`: the person's own key, if the session has it."""

    role: str
    person_id: str
    subject_id: str
    key: bytes | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class NewSession:
    """`cookie`: for the browser, never stored. `idle`: ends after this long without a page; `lasts`: ends then in any case."""

    session: Session
    cookie: str
    lasts: timedelta
    idle: timedelta | None = None


def new_session(
    role: str, person_id: str, *, lasts: timedelta, subject_id: str = "", key: bytes | None = None, idle: timedelta | None = None
) -> NewSession:
    return NewSession(session=Session(role, person_id, subject_id, key), cookie=new_token(), lasts=lasts, idle=idle)


def save(db: Db, begun: NewSession) -> None:
    session, moment = begun.session, now()
    document: dict[str, Any] = {
        "_id": digest(begun.cookie),
        "role": session.role,
        "person_id": session.person_id,
        "subject_id": session.subject_id,
        "expires_at": moment + (begun.idle or begun.lasts),
    }
    if session.key is not None:
        document["wrap"] = vault.wrap_under(begun.cookie, session.person_id, session.key)
    if begun.idle is not None:
        document.update(idle_seconds=int(begun.idle.total_seconds()), ends_at=moment + begun.lasts)
    db.sessions.insert_one(document)


def find(db: Db, role: str, cookie: str) -> Session | None:
    document = db.sessions.find_one({"_id": digest(cookie), "role": role, "expires_at": {"$gt": now()}}) if cookie else None
    if document is None:
        return None
    _extend_idle_time(db, document)
    key = vault.unwrap_under(cookie, document["person_id"], document["wrap"]) if "wrap" in document else None
    return Session(role, document["person_id"], document["subject_id"], key)


def delete(db: Db, cookie: str) -> None:
    db.sessions.delete_one({"_id": digest(cookie)})


def _extend_idle_time(db: Db, document: dict[str, Any]) -> None:
    if "idle_seconds" not in document:
        return
    until: datetime = min(now() + timedelta(seconds=document["idle_seconds"]), document["ends_at"])
    if until - document["expires_at"] > IDLE_TIME_RESOLUTION:
        db.sessions.update_one({"_id": document["_id"]}, {"$set": {"expires_at": until}})
