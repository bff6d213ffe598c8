"""What is measured: pages through Flask's test client, handlers through service.run. Preparing a call is not part of it."""

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.form import FormOnPage
from bench.scale import population
from bench.scale.population import ASKED, OPENED, SAY_FULL, TYPED, WITH_ROOM, WRITTEN, id_of, practitioner_id
from services.intake import handlers as intake
from services.intake.domain import CodeWords, Draft
from services.intake.handlers.supportee import new_draft, save_draft
from services.intake.web import make_app as make_intake
from services.matching import handlers as matching
from services.matching import store
from services.matching.domain import Coordinator
from services.matching.handlers.assignment import assign_free_places
from services.matching.handlers.broker_events import start_request
from services.matching.handlers.coordinator import OpenRequest, record_opening
from services.matching.handlers.practitioner import AnswerOffer, SetAvailability, answer_offer, set_availability
from services.matching.web import make_app as make_matching
from shared.clock import now
from shared.contracts import Choice, Mode, OfferMade, RequestSubmitted, RequestWaiting, SuggestionsMade
from shared.messages import Event
from shared.mongo import Doc, Rows
from shared.service import Service
from shared.sessions import new_session
from shared.web import sessions

Call = Callable[[], object]
Prepare = Callable[[int], Call]
DEEP_PAGE = 40
A_DAY = timedelta(days=1)
NEVER = threading.Event()


class Unexpected(Exception):
    """A call did not do what it is measured for."""


@dataclass(frozen=True)
class View:
    """`prepare` gets a number, another for each repetition, and returns the call to measure."""

    name: str
    prepare: Prepare


@dataclass(frozen=True)
class Visitor:
    """Somebody at the pages of one service, in a session that is theirs."""

    client: FlaskClient
    address: str

    def get(self, path: str, status: int = 200) -> str:
        return self._checked(self.client.get(path, environ_base={"REMOTE_ADDR": self.address}), status)

    def post(self, path: str, form: Mapping[str, Any], status: int = 303) -> str:
        return self._checked(self.client.post(path, data=form, environ_base={"REMOTE_ADDR": self.address}), status)

    def _checked(self, response: TestResponse, status: int) -> str:
        if response.status_code != status:
            raise Unexpected(f"{response.request.path} answered {response.status_code}, not {status}")
        return response.text


@dataclass(frozen=True)
class Site:
    app: Flask
    service: Service

    def visitor(self, number: int) -> Visitor:
        """Each has an address of their own, and so meets no limit."""
        return Visitor(self.app.test_client(), f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}")

    def signed_in(self, number: int, role: str, person_id: str, **session: Any) -> Visitor:
        visitor = self.visitor(number)
        with self.app.test_request_context():
            response = sessions.begin(Response(), self.service.db, new_session(role, person_id, lasts=A_DAY, **session))
        name, _, value = response.headers["Set-Cookie"].split(";")[0].partition("=")
        visitor.client.set_cookie(name, value)
        return visitor

    def page(self, path: Callable[[int], str], visitor: Callable[[int], Visitor] | None = None) -> Prepare:
        def prepare(number: int) -> Call:
            who = (visitor or self.visitor)(number)
            return lambda: who.get(path(number))

        return prepare


def make_views(waiting: int) -> list[View]:
    intake_site = Site(make_intake(), intake.service)
    matching_site = Site(make_matching(), matching.service)
    return [
        *_pages_of_intake(intake_site, waiting),
        *_first_steps(),
        *_free_places(waiting),
        *_pages_of_matching(matching_site, waiting),
    ]


def _at(path: str) -> Callable[[int], str]:
    return lambda _: path


# intake


def _pages_of_intake(site: Site, waiting: int) -> Iterable[View]:
    yield View("front page", site.page(_at("/")))
    for name, query in DIRECTORY.items():
        yield View(f"directory, {name}", site.page(_at(f"/people{query}")))
    yield View("directory, text", site.page(lambda number: f"/people?text=peer+{number}"))
    yield View(
        "directory, nobody found", site.page(lambda number: f"/people?text=nobody+{number}&languages=es&when=weekday_evening")
    )
    yield View("profile", site.page(lambda number: f"/people/peer-{number * 7 % len(population.LISTED)}"))
    yield View("question 1", site.page(_at("/ask/1")))
    yield View("question 1, with somebody", site.page(lambda number: f"/ask/1?with=peer-{number}"))
    yield View("question 1, sent", lambda number: _answer_question_1(site, number))
    yield View("status page", site.page(_at("/s"), lambda number: _supportee(site, _readable(number, waiting))))
    yield View("Send", lambda number: _send(site, number))


DIRECTORY = {
    "page 1": "",
    "deep page": f"?page={DEEP_PAGE}",
    "by meeting": "?meeting_types=phone",
    "by language": "?languages=es",
    "by time": "?when=evening",
    "by help": "?help=listening",
    "all filters": "?meeting_types=phone&languages=en&when=evening&help=listening&text=walk",
}


def _answer_question_1(site: Site, number: int) -> Call:
    visitor = site.visitor(number)
    form = dict(FormOnPage(visitor.get(f"/ask/1?with=peer-{number % len(WITH_ROOM)}")).fields)
    return lambda: visitor.post("/ask/1", form)


def _supportee(site: Site, number: int) -> Visitor:
    person_id, key = population.supportee_id(number), population.own_key(number)
    return site.signed_in(number, "supportee", person_id, subject_id=population.request_id(number), key=key)


def _send(site: Site, number: int) -> Call:
    """The draft is there, code words and all: they are made at the last question."""
    draft = new_draft()
    typed = TYPED | {1: {"mode": "chosen", "choice": [practitioner_id(WITH_ROOM[number % len(WITH_ROOM)])], "if_not": ["ask_me"]}}
    words = CodeWords(words="six words", id=id_of("code words", uuid.uuid4().int), wrap="w" * 120)
    draft = Draft(person_id=draft.person_id, request_id=draft.request_id, key=draft.key, typed=typed, code_words=words)
    site.service.run(save_draft, draft)
    visitor = site.signed_in(number, "draft", draft.person_id, subject_id=draft.request_id, key=draft.key)
    form = dict(FormOnPage(visitor.get("/ask/check")).fields)
    return lambda: visitor.post("/ask/check", form)


# matching's handlers


def _first_steps() -> Iterable[View]:
    yield View("first step, chosen", lambda number: _start(number, "chosen", "es", OfferMade))
    yield View("first step, anyone", lambda number: _start(number, "anyone", "es", OfferMade))
    yield View("first step, suggest", lambda number: _start(number, "suggest", "es", SuggestionsMade))
    yield View("first step, anyone, all are full", lambda number: _start(number, "anyone", "en", RequestWaiting))


def _start(number: int, mode: Mode, language: str, outcome: type[Event]) -> Call:
    service, supportee = matching.service, str(uuid.uuid4())
    chosen = (Choice(practitioner_id=practitioner_id(WITH_ROOM[number % len(WITH_ROOM)]), if_not="ask_me"),)
    event = RequestSubmitted(
        request_id=str(uuid.uuid4()),
        supportee_id=supportee,
        mode=mode,
        choices=chosen if mode == "chosen" else (),
        languages=(language,),
        time_zone=population.ZONES[0],
        submitted_at=now(),
        encrypted=service.vault.encrypt_for("matching", supportee, WRITTEN),
    )

    def call() -> None:
        events = service.run(start_request, event, idempotency_key=str(uuid.uuid4()))
        if not any(isinstance(event, outcome) for event in events):
            raise Unexpected(f"{mode}, {language}: {[type(event).__name__ for event in events]}, and no {outcome.__name__}")

    return call


def _free_places(waiting: int) -> Iterable[View]:
    declined, opened = iter(ASKED), iter(SAY_FULL)
    yield View("decline", lambda _: _after_assignment(_decline(waiting, next(declined))))
    yield View("place of a decline filled", lambda _: _assignment_after(_decline(waiting, next(declined))))
    yield View("open up", lambda _: _after_assignment(open_up(next(opened))))
    yield View("places of opening up filled", lambda _: _assignment_after(open_up(next(opened))))


def _decline(waiting: int, practitioner: int) -> Call:
    offer = population.offer_id(waiting + practitioner - ASKED.start)
    return lambda: matching.service.run(answer_offer, AnswerOffer(offer_id=offer, answer="not_this_time"))


def open_up(practitioner: int) -> Call:
    command = SetAvailability(practitioner_id=practitioner_id(practitioner), state="open", places=2, offers_at_once=2)
    return lambda: matching.service.run(set_availability, command)


def _after_assignment(click: Call) -> Call:
    """Nothing is left to assign when the click comes."""
    assign_free_places(matching.service, NEVER)
    return click


def _assignment_after(click: Call) -> Call:
    assign_free_places(matching.service, NEVER)
    click()

    def call() -> None:
        if not assign_free_places(matching.service, NEVER):
            raise Unexpected("no place came free")

    return call


# matching's pages


def _pages_of_matching(site: Site, waiting: int) -> Iterable[View]:
    coordinator = _add_coordinator()

    def at_the_desk(number: int) -> Visitor:
        return site.signed_in(number, "coordinator", coordinator)

    yield from _ends_of_a_list("desk", "/c", matching.service.db.coordinator_tasks, {"is_open": True}, site, at_the_desk)
    yield from _ends_of_a_list(
        "requests", "/c/requests?state=waiting", matching.service.db.requests, {"state": "waiting"}, site, at_the_desk
    )
    yield View("a request on the desk", lambda number: _open_request(site, coordinator, at_the_desk(number), number, waiting))
    everybody = {"published_state": "open"}
    yield from _ends_of_a_list(
        "practitioners", "/c/people?state=open", matching.service.db.practitioners, everybody, site, at_the_desk
    )
    yield View("a practitioner's own page", site.page(_at("/me"), lambda number: _practitioner(site, number)))


def _ends_of_a_list(
    name: str, path: str, collection: Rows, listed: Doc, site: Site, visitor: Callable[[int], Visitor]
) -> Iterable[View]:
    """Its first page, and the page after one of the items in the middle of it."""
    middle = collection.find(listed, {"_id": 1}).skip(collection.count_documents(listed) // 2).limit(1).next()["_id"]
    deep = f"{path}{'&' if '?' in path else '?'}after={middle}"
    yield View(f"{name}, page 1", site.page(_at(path), visitor))
    yield View(f"{name}, deep page", site.page(_at(deep), visitor))


def _add_coordinator() -> str:
    service, id = matching.service, str(uuid.uuid4())
    profile = service.vault.encrypt_profile(id, '{"name": "Ro"}')
    store.coordinators.save(service.db, Coordinator(id=id, version=1, email_index=id, encrypted_profile=profile))
    return id


def _open_request(site: Site, coordinator: str, visitor: Visitor, number: int, waiting: int) -> Call:
    request_id = population.request_id(_readable(number, waiting))
    site.service.run(record_opening, OpenRequest(coordinator_id=coordinator, request_id=request_id))
    return lambda: visitor.get(f"/c/requests/{request_id}")


def _practitioner(site: Site, number: int) -> Visitor:
    return site.signed_in(number, "practitioner", practitioner_id(ASKED[number % len(ASKED)]))


def _readable(number: int, waiting: int) -> int:
    """One of the requests that can be decrypted."""
    return number * OPENED % waiting
