"""The private address of somebody's dates: one at a time, of which only the digest is kept."""

from dataclasses import dataclass
from datetime import datetime

from services.intake import store
from shared.messages import Event
from shared.mongo import Db


@dataclass(frozen=True)
class MakeFeed:
    request_id: str
    person_id: str
    link_id: str
    expires_at: datetime


def make_feed(command: MakeFeed, db: Db) -> list[Event]:
    """The one before it stops."""
    store.delete_feeds(db, command.person_id)
    store.add_feed(db, command.link_id, command.request_id, command.person_id, command.expires_at)
    return []


def stop_feed(person_id: str, db: Db) -> list[Event]:
    store.delete_feeds(db, person_id)
    return []
