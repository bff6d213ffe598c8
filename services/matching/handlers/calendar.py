"""The private address of a practitioner's dates: one at a time, of which only the digest is kept."""

from dataclasses import dataclass, field
from datetime import datetime

from shared import tokens
from shared.messages import Event
from shared.mongo import Db

SUBJECT = "calendar"


@dataclass(frozen=True)
class MakeFeed:
    practitioner_id: str
    token: str = field(repr=False)
    expires_at: datetime


def make_feed(command: MakeFeed, db: Db) -> list[Event]:
    """The one before it stops."""
    tokens.revoke(db, command.practitioner_id, [SUBJECT])
    tokens.issue(
        db,
        command.token,
        purpose="calendar",
        subject_id=SUBJECT,
        person_id=command.practitioner_id,
        expires_at=command.expires_at,
    )
    return []


def stop_feed(practitioner_id: str, db: Db) -> list[Event]:
    tokens.revoke(db, practitioner_id, [SUBJECT])
    return []


def has_feed(practitioner_id: str, db: Db) -> bool:
    return db.links.find_one({"person_id": practitioner_id, "subject_id": SUBJECT}, {"_id": 1}) is not None
