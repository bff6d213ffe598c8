"""What one e-mail a day will say, for those who want that. {_id: the person's, due_at, templates}"""

from datetime import datetime

from shared.mongo import Db


def add_to_digest(db: Db, person_id: str, template: str, due_at: datetime) -> None:
    """What is gathered already says when it goes."""
    changed = {"$setOnInsert": {"due_at": due_at}, "$addToSet": {"templates": template}}
    db.digests.update_one({"_id": person_id}, changed, upsert=True)


def find_due_digests(db: Db, moment: datetime) -> list[str]:
    return [row["_id"] for row in db.digests.find({"due_at": {"$lte": moment}}, {"_id": 1})]


def take_digest(db: Db, person_id: str, moment: datetime) -> tuple[datetime, list[str]] | None:
    """When it was due, and what is new; it is gone from here then."""
    row = db.digests.find_one_and_delete({"_id": person_id, "due_at": {"$lte": moment}})
    return (row["due_at"], sorted(row["templates"])) if row else None
