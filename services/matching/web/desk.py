"""/c: what needs a person and why, oldest first. What somebody wrote is shown only after an opening that was written down."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request

from services.matching import forms, labels, store
from services.matching.handlers import desk as deeds
from services.matching.handlers import service
from services.matching.handlers.choosing import SETTLED
from services.matching.handlers.signing_in import coordinator_name
from services.matching.web.here import name_of, notes_in, page, run, see, words_of
from services.matching.web.signing_in import at_the_door, must_be, who_is_here
from shared.clock import now
from shared.messages import Event
from shared.mongo import Doc
from shared.service import Handler, M
from shared.web.errors import error_page

desk = Blueprint("desk", __name__)
AN_OPENING_LASTS = timedelta(minutes=15)


@desk.get("/c")
def what_needs_a_person() -> Response:
    if who_is_here("coordinator") is None:
        return at_the_door("coordinator")
    needs, names = store.needs_by_age(service.db), _coordinators()
    people = {row["_id"]: row for row in store.practitioners(service.db)}
    rows = [
        {**need, "held_by": names.get(need["holder"], ""), "about": name_of(people.get(need.get("person_id", "")))}
        for need in needs
    ]
    days = (now() - needs[0]["since"]).days if needs else 0
    return page("desk.html", needs=rows, moving=store.how_many_move(service.db), oldest_days=days, at=now())


@desk.post("/c/requests/<request_id>/open")
def open_request(request_id: str) -> Response:
    if store.request(service.db, request_id) is None:
        return error_page(404)
    run(deeds.note_who_opened, deeds.RequestOpened(coordinator_id=must_be("coordinator"), request_id=request_id))
    return see(f"/c/requests/{request_id}")


@desk.get("/c/requests/<request_id>")
def one_request(request_id: str) -> Response:
    return _show(request_id)


@desk.post("/c/requests/<request_id>/ask")
def ask_a_practitioner(request_id: str) -> Response:
    def message(who: str, said: dict[str, Any]) -> deeds.PractitionerPicked:
        return deeds.PractitionerPicked(coordinator_id=who, request_id=request_id, practitioner_id=said["practitioner"])

    return _do(request_id, forms.PickOneForm(), "asked", deeds.ask_for_them, message)


@desk.post("/c/requests/<request_id>/suggest")
def suggest_people(request_id: str) -> Response:
    def message(who: str, said: dict[str, Any]) -> deeds.PeoplePicked:
        return deeds.PeoplePicked(coordinator_id=who, request_id=request_id, practitioner_ids=tuple(said["people"]))

    return _do(request_id, forms.PickPeopleForm(), "suggested", deeds.suggest_to_them, message)


@desk.post("/c/requests/<request_id>/write")
def write_to_them(request_id: str) -> Response:
    def message(who: str, said: dict[str, Any]) -> deeds.NoteByCoordinator:
        return deeds.NoteByCoordinator(coordinator_id=who, request_id=request_id, words=said["words"])

    return _do(request_id, forms.NoteForm(), "wrote", deeds.write_to_them, message)


@desk.post("/c/requests/<request_id>/reach-out")
def write_that_someone_reaches_out(request_id: str) -> Response:
    opened = deeds.RequestOpened(coordinator_id=must_be("coordinator"), request_id=request_id)
    return _told(request_id, "reaching", run(deeds.say_someone_reaches_out, opened))


@desk.post("/c/needs/<need_id>/<any(take, done):deed>")
def take_or_settle(need_id: str, deed: str) -> Response:
    said = deeds.NeedTaken(coordinator_id=must_be("coordinator"), need_id=need_id)
    run(deeds.take_on if deed == "take" else deeds.settle, said)
    return see("/c?said=settled" if deed == "done" else "/c")


def _do(
    request_id: str, form: forms.Form, done: str, handler: Handler[M], message: Callable[[str, dict[str, Any]], M]
) -> Response:
    """A form of the desk: its answers become the message for `handler`, from the coordinator who is here."""
    coordinator_id = must_be("coordinator")
    said, errors = forms.read(form, request.form)
    return _show(request_id, errors) if errors else _told(request_id, done, run(handler, message(coordinator_id, said)))


def _told(request_id: str, done: str, news: list[Event]) -> Response:
    return see(f"/c/requests/{request_id}?said={done if news else 'not_now'}")


def _show(request_id: str, errors: dict[str, str] | None = None) -> Response:
    coordinator_id, row = must_be("coordinator"), store.request(service.db, request_id)
    if row is None:
        return error_page(404)
    is_open = store.opened_lately(service.db, coordinator_id, request_id, now() - AN_OPENING_LASTS)
    return page("desk_request.html", errors, asks=row, is_open=is_open, **(_inside(row) if is_open else {}))


def _inside(row: Doc) -> dict[str, Any]:
    people = {p["_id"]: name_of(p) for p in store.practitioners(service.db)}
    able = deeds.those_who_may_be_asked(row, service.db) if row["state"] not in SETTLED else []
    asked = store.open_offer_of(service.db, row["_id"])
    return {
        "words": words_of(row, tuple(labels.WORDS)), "needs": store.needs_about(service.db, row["_id"]), "notes": notes_in(row),
        "offers": store.offers_about(service.db, row["_id"]), "audit": store.audit_about(service.db, row["_id"]),
        "people": people, "able": [(i, people[i]) for i in able], "coordinators": _coordinators(), "being_asked": asked,
        "typed": request.form,
    }  # fmt: skip


def _coordinators() -> dict[str, str]:
    return {i: coordinator_name(row) for i, row in store.coordinators(service.db).items()}
