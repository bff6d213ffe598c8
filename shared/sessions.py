"""Server-side sessions as they are stored: under the digest of the cookie, and only the cookie opens the key among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared import vault
from shared.clock import now
from shared.mongo import Db
from shared.tokens import digest, new_token

IDLE_TIME_RESOLUTION = timedelta(minutes=1)


@dataclass(frozen=True, repr=False)
class Session:
    """`subject_id`: what the session is about (a request, an offer). `key`: the person's own key, if the session has it.
    `note_keys`: those of their notes that it was let in with, when it has not that one: by match id, the words' as "words"."""

    role: str
    person_id: str
    subject_id: str
    key: bytes | None = None
    note_keys: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, repr=False)
class NewSession:
    """`cookie`: for the browser, never stored. `idle`: ends after this long without a page; `lasts`: ends then in any case.
    `keep`: the browser is to keep the cookie when it is closed."""

    session: Session
    cookie: str
    lasts: timedelta
    idle: timedelta | None = None
    keep: bool = False


def new_session(
    role: str,
    person_id: str,
    *,
    lasts: timedelta,
    subject_id: str = "",
    key: bytes | None = None,
    note_keys: Mapping[str, bytes] | None = None,
    idle: timedelta | None = None,
    keep: bool = False,
) -> NewSession:
    session = Session(role, person_id, subject_id, key, note_keys or {})
    return NewSession(session=session, cookie=new_token(), lasts=lasts, idle=idle, keep=keep)


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
    if session.note_keys:
        document["note_wraps"] = {
            id: vault.wrap_under(begun.cookie, session.person_id, key) for id, key in session.note_keys.items()
        }
    if begun.idle is not None:
        document.update(idle_seconds=int(begun.idle.total_seconds()), ends_at=moment + begun.lasts)
    db.sessions.insert_one(document)


def find(db: Db, role: str, cookie: str) -> Session | None:
    document = db.sessions.find_one({"_id": digest(cookie), "role": role, "expires_at": {"$gt": now()}}) if cookie else None
    if document is None:
        return None
    _extend_idle_time(db, document)
    person_id: str = document["person_id"]
    key = vault.unwrap_under(cookie, person_id, document["wrap"]) if "wrap" in document else None
    note_keys = {id: vault.unwrap_under(cookie, person_id, wrap) for id, wrap in document.get("note_wraps", {}).items()}
    return Session(role, person_id, document["subject_id"], key, note_keys)


def delete(db: Db, cookie: str) -> None:
    db.sessions.delete_one({"_id": digest(cookie)})


def end_all(db: Db, person_id: str, subject_ids: Sequence[str] | None = None) -> None:
    """This person's sessions: all of them, or those about these subjects."""
    about = {} if subject_ids is None else {"subject_id": {"$in": list(subject_ids)}}
    db.sessions.delete_many({"person_id": person_id, **about})


def end_those_without_key(db: Db, person_id: str) -> None:
    """Whoever was let in by something that was sent, not by the person's own key."""
    db.sessions.delete_many({"person_id": person_id, "wrap": {"$exists": False}})


def _extend_idle_time(db: Db, document: dict[str, Any]) -> None:
    if "idle_seconds" not in document:
        return
    until: datetime = min(now() + timedelta(seconds=document["idle_seconds"]), document["ends_at"])
    if until - document["expires_at"] > IDLE_TIME_RESOLUTION:
        db.sessions.update_one({"_id": document["_id"]}, {"$set": {"expires_at": until}})
