"""A request comes in, and goes on step by step as the supportee said."""

from services.matching import rules, store
from services.matching.handlers.minding import ask_for_a_person
from services.matching.handlers.offering import make_offer, next_version
from services.matching.handlers.service import service
from services.matching.rules import Step
from shared.clock import now
from shared.contracts import RequestSubmitted, RequestWaiting, SuggestionsMade
from shared.messages import Event
from shared.mongo import Db, Doc


@service.on(RequestSubmitted)
def take_the_first_step(said: RequestSubmitted, db: Db) -> list[Event]:
    if store.request(db, said.request_id):
        return []
    row = store.new_request(said)
    step = next_step(row, db)
    news = _reach_out(row, step, db) if said.mode == "reach_out" else take_step(row, step, db)
    store.keep_request(db, row)
    return news


def _reach_out(row: Doc, step: Step, db: Db) -> list[Event]:
    """A person writes to them; whom they might like to meet is on their page meanwhile, so that is said last."""
    news = ask_for_a_person(row, "reach_out", db, reaching_out=True)
    return news + (take_step(row, step, db) if step.do == "suggest" else [])


def next_step(row: Doc, db: Db) -> Step:
    """By the facts of this moment, and by what the supportee said may happen. `at` is None once they left their ranking."""
    request, today = store.facts_of(row), now().date()
    if row["mode"] == "chosen" and row["at"] is not None:
        named = store.people(db, {choice.practitioner_id for choice in request.choices[row["at"] :]})
        step = rules.next_choice(request, named, row["at"], today)
        return step if step.do != "suggest" else rules.suggest(request, store.everyone(db), today)
    find = rules.ask_anyone if row["mode"] == "anyone" else rules.suggest
    return find(request, store.everyone(db), today)


def take_step(row: Doc, step: Step, db: Db, *, after_waiting: bool = False) -> list[Event]:
    row.update(waiting_for=None, waiting_with=[], suggested=[])
    if step.do == "ask":
        return ask(row, step.practitioner_ids[0], db, at=step.at, after_waiting=after_waiting)
    row["state"] = "waiting"
    if step.do == "suggest":
        return [_suggest(row, step.practitioner_ids)]
    if step.do == "ask_me":
        return [_wait(row, "choice", ())]
    news: list[Event] = [_wait(row, "place", step.practitioner_ids)]
    return news + (ask_for_a_person(row, "nobody_suits", db) if step.do == "nobody_suits" else [])


def ask(row: Doc, practitioner_id: str, db: Db, *, at: int | None, after_waiting: bool = False) -> list[Event]:
    if row["state"] != "received":
        store.settle_needs(db, row["_id"], now(), only="nobody_suits")
    row.update(state="asking", at=at, waiting_for=None, waiting_with=[], suggested=[])
    return make_offer(row, practitioner_id, db, after_waiting=after_waiting)


def place_in_ranking(row: Doc, practitioner_id: str) -> int | None:
    named = [choice["practitioner_id"] for choice in row["choices"]]
    return named.index(practitioner_id) if practitioner_id in named else None


def suggest(row: Doc, practitioner_ids: tuple[str, ...]) -> list[Event]:
    row.update(state="waiting", waiting_with=[])
    return [_suggest(row, practitioner_ids)]


def _suggest(row: Doc, practitioner_ids: tuple[str, ...]) -> SuggestionsMade:
    row.update(waiting_for="choice", suggested=list(practitioner_ids))
    return SuggestionsMade(
        request_id=row["_id"], supportee_id=row["supportee_id"], practitioner_ids=practitioner_ids, version=next_version(row)
    )


def _wait(row: Doc, waiting_for: str, practitioner_ids: tuple[str, ...]) -> RequestWaiting:
    row.update(waiting_for=waiting_for, waiting_with=list(practitioner_ids))
    return RequestWaiting(
        request_id=row["_id"], supportee_id=row["supportee_id"], waiting_for="place" if waiting_for == "place" else "choice",
        practitioner_ids=practitioner_ids, version=next_version(row),
    )  # fmt: skip
