"""What was said of the programme and of the site. Shown in groups, in the order of random ids."""

from datetime import datetime

from pymongo import IndexModel

from services.matching.domain import Feedback
from services.matching.store import pages
from services.matching.store.pages import Page
from shared.contracts import FeedbackAbout
from shared.documents import to_document
from shared.mongo import Db

INDEXES = [IndexModel([("about", 1), ("is_shown", 1), ("newest_first", 1), ("_id", 1)])]
PAGE = 25


def add(db: Db, feedback: Feedback) -> None:
    """Nothing when it is here already."""
    document = to_document(feedback)
    db.feedback.update_one({"_id": document.pop("_id")}, {"$setOnInsert": {**document, "is_shown": False}}, upsert=True)


def count_hidden(db: Db, about: FeedbackAbout) -> int:
    return db.feedback.count_documents({"about": about, "is_shown": False})


def show_hidden(db: Db, about: FeedbackAbout, moment: datetime) -> None:
    shown = {"is_shown": True, "shown_since": moment, "newest_first": -int(moment.timestamp() * 1000)}
    db.feedback.update_many({"about": about, "is_shown": False}, {"$set": shown})


def page_of_shown(db: Db, about: FeedbackAbout, after: str, before: str) -> Page[Feedback]:
    where = {"about": about, "is_shown": True}
    return pages.read(db.feedback, Feedback, where, "newest_first", PAGE, after=after, before=before)
