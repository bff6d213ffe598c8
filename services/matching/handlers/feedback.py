"""What people say of the programme and of the site. Coordinators read it once there are enough of them."""

from dataclasses import dataclass
from datetime import datetime

from services.matching import store
from services.matching.domain import Feedback
from services.matching.domain.feedback import SHOWN_FROM
from services.matching.handlers.service import service
from services.matching.store.pages import Page
from shared.clock import now
from shared.contracts import FeedbackAbout, FeedbackGiven
from shared.messages import Event
from shared.mongo import Db
from shared.vault import DecryptionError


@dataclass(frozen=True, kw_only=True, repr=False)
class FeedbackView:
    """`shown_since`: of the group it came with. Both texts empty: it cannot be decrypted."""

    id: str
    shown_since: datetime
    good: str
    change: str


@service.on(FeedbackGiven)
def record_feedback(event: FeedbackGiven, db: Db) -> list[Event]:
    store.feedback.add(db, Feedback(id=event.feedback_id, about=event.about, week=event.week, encrypted=event.encrypted))
    if store.feedback.count_hidden(db, event.about) >= SHOWN_FROM:
        store.feedback.show_hidden(db, event.about, now())
    return []


def view_feedback(db: Db, about: FeedbackAbout, after: str = "", before: str = "") -> Page[FeedbackView]:
    return store.feedback.page_of_shown(db, about, after, before).of(_shown)


def _shown(feedback: Feedback) -> FeedbackView:
    try:
        fields = service.vault.decrypt_fields(feedback.encrypted)
    except DecryptionError:
        fields = {}
    assert feedback.shown_since
    return FeedbackView(
        id=feedback.id,
        shown_since=feedback.shown_since,
        good=fields.get("good", ""),
        change=fields.get("change", ""),
    )
