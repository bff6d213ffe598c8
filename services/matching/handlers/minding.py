"""What needs a person: raised once, kept on the desk until somebody settled it."""

import uuid
from typing import Any

from services.matching import store
from services.matching.handlers.offering import next_version
from services.matching.handlers.service import service
from shared.clock import now
from shared.contracts import CoordinatorNeeded, EscalationReason, NotificationFailed
from shared.messages import Event
from shared.mongo import Db, Doc


def ask_for_a_person(row: Doc, why: EscalationReason, db: Db, *, reaching_out: bool = False, **more: Any) -> list[Event]:
    """Put it on the desk and say so; what is on the desk already is only brought up to date."""
    is_new = keep_on_the_desk(row["_id"], why, db, **more)
    if reaching_out:
        row.update(state="reaching_out", waiting_for=None, waiting_with=[])
    elif not is_new:
        return []
    version, taken = next_version(row), "holder" in more
    said = CoordinatorNeeded(
        request_id=row["_id"],
        supportee_id=row["supportee_id"],
        reason=why,
        reaching_out=reaching_out,
        version=version,
        taken=taken,
    )
    return [said]


def keep_on_the_desk(request_id: str, why: EscalationReason, db: Db, **more: Any) -> bool:
    """Raised, or brought up to date where it is there already; True when it is new."""
    known = store.open_need(db, request_id, why)
    if known is None:
        _put_on_the_desk(db, why, request_id=request_id, **more)
    elif more:
        store.change_need(db, known["_id"], more)
    return known is None


@service.on(NotificationFailed)
def tell_the_desk_that_a_letter_failed(said: NotificationFailed, db: Db) -> list[Event]:
    """A letter to a coordinator that fails is only put on the desk: writing to them about it would fail again, for ever."""
    row = store.request(db, said.request_id) if said.request_id else None
    if row is None or row["state"] == "withdrawn" or store.coordinator(db, said.person_id):
        if not store.person_is_on_the_desk(db, said.person_id):
            _put_on_the_desk(db, "not_delivered", request_id=None, person_id=said.person_id)
        return []
    news = ask_for_a_person(row, "not_delivered", db, person_id=said.person_id)
    store.keep_request(db, row)
    return news


def _put_on_the_desk(db: Db, why: EscalationReason, **more: Any) -> None:
    store.add_need(db, {"_id": str(uuid.uuid4()), "why": why, "open": True, "since": now(), "holder": None, **more})
