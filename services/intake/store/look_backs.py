"""Two questions to two people who have met some times. A document is a LookBack, one for each match."""

from services.intake.domain import LookBack
from shared.documents import load_one, to_document
from shared.mongo import Db


def look_back_of(db: Db, match_id: str) -> LookBack | None:
    return load_one(LookBack, db.look_backs.find_one({"_id": match_id}))


def save_look_back(db: Db, look_back: LookBack) -> None:
    db.look_backs.replace_one({"_id": look_back.id}, to_document(look_back), upsert=True)
