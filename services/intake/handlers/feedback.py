"""What was good and what should change, from somebody of whom nothing is kept."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.intake.handlers.service import service
from shared.clock import now
from shared.contracts import FeedbackAbout, FeedbackGiven
from shared.messages import Event
from shared.mongo import Db


@dataclass(frozen=True, repr=False)
class GiveFeedback:
    about: FeedbackAbout
    good: str
    change: str


def give_feedback(command: GiveFeedback, db: Db) -> list[Event]:
    feedback_id = str(uuid.uuid4())
    encrypted = service.vault.encrypt_for("matching", feedback_id, {"good": command.good, "change": command.change})
    return [FeedbackGiven(feedback_id=feedback_id, about=command.about, week=_week_of(now()), encrypted=encrypted)]


def _week_of(moment: datetime) -> datetime:
    monday = moment - timedelta(days=moment.weekday())
    return monday.replace(hour=0, minute=0, second=0, microsecond=0)
