"""What was written down for somebody and is answered, among the links: {_id: digest of the random part of the link, purpose:
invitation, expires_at}. Before an answer there is nothing."""

from datetime import datetime

from shared.mongo import Db

INVITATION = "invitation"


def use_up_invitation(db: Db, link_id: str, expires_at: datetime) -> bool:
    """False: it was before."""
    used = {"purpose": INVITATION, "expires_at": expires_at}
    return db.links.update_one({"_id": link_id}, {"$setOnInsert": used}, upsert=True).upserted_id is not None


def is_used_up(db: Db, link_id: str) -> bool:
    return db.links.find_one({"_id": link_id, "purpose": INVITATION}, {"_id": 1}) is not None
