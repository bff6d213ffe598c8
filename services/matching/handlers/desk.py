"""What coordinators do at the desk. Every look at a request and every deed leaves one line in the audit."""

import uuid
from dataclasses import dataclass

from services.matching import rules, store
from services.matching.handlers.asking import ask, place_in_ranking, suggest
from services.matching.handlers.choosing import SETTLED, offer_what_came_free
from services.matching.handlers.minding import ask_for_a_person
from services.matching.handlers.notes import write_note
from services.matching.handlers.offering import release_open_offer
from shared.clock import now
from shared.messages import Event
from shared.mongo import Db, Doc


@dataclass(frozen=True, kw_only=True)
class RequestOpened:
    coordinator_id: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class PractitionerPicked:
    coordinator_id: str
    request_id: str
    practitioner_id: str


@dataclass(frozen=True, kw_only=True)
class PeoplePicked:
    coordinator_id: str
    request_id: str
    practitioner_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class NoteByCoordinator:
    coordinator_id: str
    request_id: str
    words: str


@dataclass(frozen=True, kw_only=True)
class NeedTaken:
    coordinator_id: str
    need_id: str


def note_who_opened(said: RequestOpened, db: Db) -> list[Event]:
    _note(said.coordinator_id, "opened", said.request_id, db)
    return []


def ask_for_them(said: PractitionerPicked, db: Db) -> list[Event]:
    """Ask this practitioner for the supportee. [] when that is not possible any more: the page then says so."""
    row = _open_request(said.request_id, db)
    person = store.people(db, [said.practitioner_id]).get(said.practitioner_id)
    if row is None or person is None or not rules.may_be_asked(store.facts_of(row), person, now().date()):
        return []
    asked = store.open_offer_of(db, said.request_id)
    if asked and asked["practitioner_id"] == person.id:
        return []
    news = release_open_offer(row, "chose_another", db)
    news += ask(row, person.id, db, at=place_in_ranking(row, person.id))
    _done(said.coordinator_id, "asked", row, db)
    return news + offer_what_came_free(news, db)


def suggest_to_them(said: PeoplePicked, db: Db) -> list[Event]:
    """Only while nobody is being asked: what is on its way is not pulled away from under anyone."""
    row = _open_request(said.request_id, db)
    if row is None or store.open_offer_of(db, said.request_id):
        return []
    people, today = store.people(db, said.practitioner_ids), now().date()
    able = [i for i in said.practitioner_ids if i in people and rules.may_be_asked(store.facts_of(row), people[i], today)]
    if not able:
        return []
    news = suggest(row, tuple(able[: rules.MOST_SUGGESTIONS]))
    _done(said.coordinator_id, "suggested", row, db)
    return news


def say_someone_reaches_out(said: RequestOpened, db: Db) -> list[Event]:
    """Their page says that a person will write. It stays on the desk, with this coordinator's name, until that is done."""
    row = _open_request(said.request_id, db)
    if row is None or store.open_offer_of(db, said.request_id):
        return []
    news = ask_for_a_person(row, "reach_out", db, reaching_out=True, holder=said.coordinator_id)
    store.keep_request(db, row)
    _note(said.coordinator_id, "reaches_out", said.request_id, db)
    return news


def write_to_them(said: NoteByCoordinator, db: Db) -> list[Event]:
    """What they wrote to the coordinators is answered with it; anything else stays on the desk until it is said to be done."""
    row = _open_request(said.request_id, db, also="matched")
    if row is None:
        return []
    news = write_note(row, said.words, db, coordinator_id=said.coordinator_id)
    store.settle_needs(db, row["_id"], now(), only="wrote")
    store.keep_request(db, row)
    _note(said.coordinator_id, "wrote", said.request_id, db)
    return news


def take_on(said: NeedTaken, db: Db) -> list[Event]:
    store.change_need(db, said.need_id, {"holder": said.coordinator_id})
    return []


def settle(said: NeedTaken, db: Db) -> list[Event]:
    need = store.need(db, said.need_id)
    if need and need["open"]:
        store.change_need(db, said.need_id, {"open": False, "settled_at": now()})
        if need["request_id"]:
            _note(said.coordinator_id, "settled", need["request_id"], db)
    return []


def those_who_may_be_asked(row: Doc, db: Db) -> list[str]:
    request, today = store.facts_of(row), now().date()
    asked = store.open_offer_of(db, row["_id"]) or {"practitioner_id": None}
    able = [p for p in store.everyone(db) if p.id != asked["practitioner_id"] and rules.may_be_asked(request, p, today)]
    return [p.id for p in rules.in_order_of_what_matters(request, able, today)]


def _open_request(request_id: str, db: Db, also: str = "") -> Doc | None:
    row = store.request(db, request_id)
    return row if row and row["state"] not in SETTLED - {also} else None


def _done(coordinator_id: str, what: str, row: Doc, db: Db) -> None:
    store.keep_request(db, row)
    store.settle_needs(db, row["_id"], now())
    _note(coordinator_id, what, row["_id"], db)


def _note(coordinator_id: str, what: str, request_id: str, db: Db) -> None:
    row = {"_id": str(uuid.uuid4()), "coordinator_id": coordinator_id, "what": what, "request_id": request_id, "at": now()}
    store.write_audit(db, row)
