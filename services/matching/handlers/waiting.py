"""A place came free: whoever waited longest among those it suits is next, those who chose this person first."""

from collections.abc import Iterable
from datetime import date

from services.matching import rules, store
from services.matching.handlers.asking import next_step, place_in_ranking, take_step
from services.matching.handlers.service import service
from services.matching.rules import Practitioner, Step, Waiting
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db, Doc

SECONDS_BETWEEN_LOOKS = 10


def find_free_places(db: Db) -> Iterable[str]:
    """A request may begin to wait in the very moment a place comes free, each unseen by the other: so look again and again."""
    return store.ids_of_those_with_room(db) if store.anybody_waits(db) else []


@service.every(SECONDS_BETWEEN_LOOKS, find_free_places)
def offer_free_places(practitioner_id: str, db: Db) -> list[Event]:
    """Ends by itself: each turn somebody leaves the list of those who wait for a place."""
    news: list[Event] = []
    while turn := _whose_turn(practitioner_id, db):
        for row in turn:
            news += _take_turn(row, practitioner_id, db)
            store.keep_request(db, row)
    return news


def _whose_turn(practitioner_id: str, db: Db) -> list[Doc]:
    row = store.practitioner(db, practitioner_id)
    if row is None or not rules.may_take_one_more(store.practitioner_of(row)):
        return []
    waiting, today = store.waiting_requests(db), now().date()
    free = [p for p in store.everyone(db) if rules.may_take_one_more(p)] if waiting else []
    offered = rules.who_is_offered([_ranked(w, free, today) for w in waiting], {p.id: rules.free_places(p) for p in free})
    return [w for w in waiting if offered.get(w["_id"]) == practitioner_id]


def _ranked(row: Doc, free: list[Practitioner], today: date) -> Waiting:
    request = store.facts_of(row)
    suitable = [p for p in free if rules.may_be_asked(request, p, today)]
    named = row["waiting_with"]
    order = named or [p.id for p in rules.in_order_of_what_matters(request, suitable, today)]
    suiting = {p.id for p in suitable}
    ranking = tuple(practitioner_id for practitioner_id in order if practitioner_id in suiting)
    return Waiting(request_id=row["_id"], since=request.submitted_at, ranking=ranking, chose=bool(named))


def _take_turn(row: Doc, practitioner_id: str, db: Db) -> list[Event]:
    """Whoever asked for suggestions is shown who is free now: nobody reads their words before they chose them."""
    if row["waiting_with"] or row["mode"] == "anyone":
        step = Step("ask", (practitioner_id,), place_in_ranking(row, practitioner_id))
        return take_step(row, step, db, after_waiting=True)
    return take_step(row, next_step({**row, "at": None}, db), db)
