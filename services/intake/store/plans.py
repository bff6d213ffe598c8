"""Plans for hard days, each a part of its person's request."""

from services.intake.domain import Plan
from shared.documents import to_document
from shared.mongo import Db


def save_plan(db: Db, request_id: str, plan: Plan) -> None:
    """None after they left."""
    db.requests.update_one({"_id": request_id, "ended_at": None}, {"$set": {"plan": to_document(plan)}})
