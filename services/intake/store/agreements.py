"""What two people agree on. A document is an Agreement, one for each match."""

from services.intake.domain import Agreement
from shared.documents import load_all, load_one, to_document
from shared.mongo import Db


def agreement_of(db: Db, match_id: str) -> Agreement | None:
    return load_one(Agreement, db.agreements.find_one({"_id": match_id}))


def agreements_about(db: Db, request_id: str) -> list[Agreement]:
    """With everybody whom they met, as long as that is kept."""
    return load_all(Agreement, db.agreements.find({"request_id": request_id}))


def save_agreement(db: Db, agreement: Agreement) -> None:
    db.agreements.replace_one({"_id": agreement.id}, to_document(agreement), upsert=True)
