"""What the two of a match were told of its end. Kept in what is there already: the notifications, and the request's updates."""

import re

from services.notify.domain import MAY_ARRIVE
from shared.mongo import Db


def cause_of_match_news(match_id: str, news: str, version: int) -> str:
    return f"{match_id}/{news}/{version}"


def last_told_of_match(db: Db, person_id: str, match_id: str) -> str | None:
    """What this person has been told, or is being told at this moment."""
    where = {"person_id": person_id, "cause": {"$regex": f"^{re.escape(match_id)}/(ended|go_on)/"}}
    found = db.notifications.find({**where, "state": {"$in": list(MAY_ARRIVE)}}, {"cause": 1})
    causes = [str(row["cause"]).split("/")[-2:] for row in found]
    return max(causes, key=lambda cause: int(cause[1]))[0] if causes else None


def is_newest_of_match(db: Db, request_id: str, version: int) -> bool:
    """Of all that was heard of ends and of those taken back. True once."""
    known = db.request_updates.find_one({"_id": request_id}) or {}
    if known.get("match_version", -1) >= version:
        return False
    db.request_updates.update_one({"_id": request_id}, {"$set": {"match_version": version}}, upsert=True)
    return True
