"""Links that open one thing for one person for a while. Only the digest is stored; a link is never used up by being opened."""

import hashlib
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import IndexModel

from shared.clock import now
from shared.mongo import Db

BASE62 = string.ascii_letters + string.digits
INDEXES = [IndexModel("person_id")]
"""Of links and of sessions."""


@dataclass(frozen=True)
class Link:
    purpose: str
    subject_id: str
    person_id: str


def new_token() -> str:
    """256 bits, for links in e-mails and for cookies."""
    return secrets.token_urlsafe(32)


def new_short_token() -> str:
    """95 bits in 16 characters, for texts: one segment has no room for more, and it opens one offer only."""
    return "".join(secrets.choice(BASE62) for _ in range(16))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def issue(db: Db, *tokens: str, purpose: str, subject_id: str, person_id: str, expires_at: datetime) -> None:
    link = {"purpose": purpose, "subject_id": subject_id, "person_id": person_id, "expires_at": expires_at}
    db.links.insert_many([{"_id": digest(token), **link} for token in tokens])


def revoke(db: Db, person_id: str, subject_ids: Sequence[str] | None = None) -> None:
    """This person's links: all of them, or those about these subjects."""
    about = {} if subject_ids is None else {"subject_id": {"$in": list(subject_ids)}}
    db.links.delete_many({"person_id": person_id, **about})


def find(db: Db, token: str, purpose: str) -> Link | None:
    """The link behind a token; None alike for wrong, expired and deleted."""
    document = db.links.find_one({"_id": digest(token), "purpose": purpose, "expires_at": {"$gt": now()}})
    return Link(document["purpose"], document["subject_id"], document["person_id"]) if document else None
