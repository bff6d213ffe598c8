"""The supportee chose what happens next, or went their way."""

from services.matching import rules, store
from services.matching.handlers.asking import next_step, place_in_ranking, take_step
from services.matching.handlers.minding import ask_for_a_person
from services.matching.handlers.offering import end_match, release_open_offer
from services.matching.handlers.service import service
from services.matching.handlers.waiting import offer_free_places
from services.matching.rules import Step
from shared.clock import now
from shared.contracts import ChoiceMade, OfferReleased, RequestWithdrawn
from shared.messages import Event
from shared.mongo import Db, Doc
from shared.service import RetryLater

SETTLED = {"matched", "withdrawn", "erased", "no_match"}


@service.on(ChoiceMade)
def go_on_as_they_chose(said: ChoiceMade, db: Db) -> list[Event]:
    row = _known(said.request_id, db)
    if row["state"] in SETTLED:
        return []
    asked = store.open_offer_of(db, row["_id"])
    if said.next == "person":
        news = ask_for_a_person(row, "reach_out", db, reaching_out=asked is None)
    elif said.next == "wait":
        news = [] if asked else take_step(row, _whom_to_wait_for(row, said.practitioner_id, db), db)
    elif asked and asked["practitioner_id"] == said.practitioner_id:
        news = []
    else:
        news = _ask_another(row, said.practitioner_id, db)
    store.keep_request(db, row)
    return news + offer_what_came_free(news, db)


@service.on(RequestWithdrawn)
def let_everyone_off(said: RequestWithdrawn, db: Db) -> list[Event]:
    row = _known(said.request_id, db)
    if row["state"] == "withdrawn":
        return []
    news = release_open_offer(row, "withdrawn", db) + end_match(row, db)
    store.settle_needs(db, row["_id"], now())
    store.drop_notes(db, row["_id"])
    # Their words go at once: nobody has a reason to read them any more.
    row.update(state="withdrawn", waiting_for=None, waiting_with=[], suggested=[], encrypted=None)
    store.keep_request(db, row)
    return news + offer_what_came_free(news, db)


def offer_what_came_free(news: list[Event], db: Db) -> list[Event]:
    freed = [event.practitioner_id for event in news if isinstance(event, OfferReleased)]
    return [event for practitioner_id in freed for event in offer_free_places(practitioner_id, db)]


def step_to(row: Doc, practitioner_id: str, db: Db) -> Step:
    """Ask this person if that is possible now; else show who else is free, else wait for them."""
    request, today = store.facts_of(row), now().date()
    person = store.people(db, [practitioner_id]).get(practitioner_id)
    if person and rules.may_be_asked(request, person, today):
        return Step("ask", (practitioner_id,), place_in_ranking(row, practitioner_id))
    step = rules.suggest(request, store.everyone(db), today)
    if step.do == "wait" and person and rules.could_be_asked_later(request, person, today):
        return Step("wait", (practitioner_id,))
    return step


def _ask_another(row: Doc, practitioner_id: str | None, db: Db) -> list[Event]:
    news = release_open_offer(row, "chose_another", db)
    step = step_to(row, practitioner_id, db) if practitioner_id else next_step({**row, "at": None}, db)
    return news + take_step(row, step, db)


def _whom_to_wait_for(row: Doc, practitioner_id: str | None, db: Db) -> Step:
    request, today = store.facts_of(row), now().date()
    named = [practitioner_id] if practitioner_id else [choice.practitioner_id for choice in request.choices]
    people = store.people(db, named)
    possible = [p for p in named if p in people and rules.could_be_asked_later(request, people[p], today)]
    return Step("wait", tuple(possible))


def _known(request_id: str, db: Db) -> Doc:
    row = store.request(db, request_id)
    if row is None:
        raise RetryLater("the request is not here yet")
    return row
