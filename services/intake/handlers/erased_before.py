"""After a copy of the databases was brought back: whoever left since it was made leaves again, by a ledger saved elsewhere."""

from collections.abc import Iterable
from datetime import datetime

from services.intake import store
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.service import service
from shared.clock import now
from shared.contracts import RequestWithdrawn
from shared.messages import Event
from shared.mongo import Db


def ledger() -> list[tuple[str, datetime]]:
    """(request id, when they left): names nobody."""
    return store.all_erasures(service.db)


def unknown_here(request_ids: Iterable[str]) -> list[str]:
    """Those of whom this copy does not know yet that they left."""
    wanted = list(dict.fromkeys(request_ids))
    known = set(store.known_erasures(service.db, wanted))
    return [id for id in wanted if id not in known]


def erase_again(request_id: str, db: Db) -> list[Event]:
    """Also where intake holds nothing of it: the others may."""
    if store.known_erasures(db, [request_id]):
        return []
    if store.request(db, request_id):
        return withdraw_request(request_id, db)
    store.begin_erasure(db, request_id, now())
    return [RequestWithdrawn(request_id=request_id)]
