"""Drafts. {_id: person's id, request_id, encrypted: what was typed and the code words, expires_at}"""

import json
from datetime import datetime

from services.intake.domain import CodeWords, Draft
from shared import vault
from shared.clock import now
from shared.documents import load_one, to_document
from shared.mongo import Db


def draft(db: Db, person_id: str, key: bytes) -> Draft | None:
    document = db.drafts.find_one({"_id": person_id, "expires_at": {"$gt": now()}})
    if document is None:
        return None
    content = json.loads(vault.decrypt(key, person_id, "draft", document["encrypted"]))
    code_words = load_one(CodeWords, content["code_words"])
    typed = {int(question): answers for question, answers in content["typed"].items()}
    begun_at = datetime.fromisoformat(content["begun_at"]) if content.get("begun_at") else None
    return Draft(
        person_id=person_id,
        request_id=document["request_id"],
        key=key,
        typed=typed,
        code_words=code_words,
        begun_at=begun_at,
    )


def save_draft(db: Db, draft: Draft, expires_at: datetime) -> bool:
    """A draft whose request was sent, or erased since, does not come back: a page left open may still try to save it."""
    if db.requests.find_one({"person_id": draft.person_id}, {"_id": 1}) or db.erasures.find_one({"_id": draft.request_id}):
        return False
    content = {
        "typed": draft.typed,
        "code_words": to_document(draft.code_words) if draft.code_words else None,
        "begun_at": draft.begun_at.isoformat() if draft.begun_at else None,
    }
    encrypted = vault.encrypt(draft.key, draft.person_id, "draft", json.dumps(content))
    document = {"request_id": draft.request_id, "encrypted": encrypted, "expires_at": expires_at}
    db.drafts.replace_one({"_id": draft.person_id}, document, upsert=True)
    return True


def delete_draft(db: Db, person_id: str) -> None:
    db.drafts.delete_one({"_id": person_id})
