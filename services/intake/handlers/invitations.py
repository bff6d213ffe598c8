"""Somebody says yes, or no, to what was written down for them."""

from dataclasses import dataclass
from datetime import datetime

from services.intake import store
from services.intake.domain import Draft
from services.intake.handlers.supportee import save_draft
from shared.messages import Event
from shared.mongo import Db


class UsedUp(Exception):
    """It was answered before: whoever has the link may not be the person it was for."""


@dataclass(frozen=True, repr=False)
class AnswerInvitation:
    """`link_id`: the digest of what is random in the link. `draft`: what they go on with; None: they do not want it."""

    link_id: str
    expires_at: datetime
    draft: Draft | None


def answer_invitation(command: AnswerInvitation, db: Db) -> list[Event]:
    """Raises UsedUp. A no keeps nothing but that the link opens nothing any more."""
    if not store.use_up_invitation(db, command.link_id, command.expires_at):
        raise UsedUp
    return save_draft(command.draft, db) if command.draft else []
