"""Calls to the desk. {a DeskCall, and delete_at}"""

from datetime import timedelta

from services.notify.domain import DeskCall, desk_call_id
from shared.contracts import Channel
from shared.documents import load_one, to_document
from shared.mongo import Db

DESK_CALL_KEPT = timedelta(days=2)  # longer than until the next one may be made


def find_desk_call(db: Db, person_id: str, channel: Channel) -> DeskCall | None:
    return load_one(DeskCall, db.desk_calls.find_one({"_id": desk_call_id(person_id, channel)}))


def save_desk_call(db: Db, call: DeskCall) -> None:
    """Of two workers that write the same at the same moment, one has to handle its event again."""
    document = to_document(call, {"delete_at": call.due_at + DESK_CALL_KEPT})
    db.desk_calls.replace_one({"_id": call.id}, document, upsert=True)
