"""Somebody becomes a practitioner: /join, their page at /me, and /c/welcome, against what the three databases hold."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.matching.coordinators import add_coordinator
from services.matching.handlers import welcome
from services.matching.handlers.profiles import public_profile
from services.matching.handlers.reading import find_practitioner
from services.notify.handlers.offers import enqueue_offer_notification
from shared.clock import now
from shared.contracts import MatchMade, OfferMade, PractitionerChanged, PractitionerMovedOn, TeamSignInRequested
from shared.messages import from_json, parse_event
from shared.service import Service
from shared.welcome import Join
from tests.handlers.matching_steps import Clock, answer, open_offer, open_tasks, run_timer, submit
from tests.pages import intake_site, matching_site
from tests.pages.matching_site import press, signed_in
from tests.three_services import Services

ADDRESS = "sol@people.example"
WORDS = "I sat with my brother."
ANSWERS = {"name": "Sol", "email": "Sol@People.example", "words": WORDS, "languages": ["en", "es"], "access": "Breaks."}


@pytest.fixture
def services(intake: Service, matching: Service, notify: Service) -> Services:
    return Services(intake, matching, notify)


@pytest.fixture
def stranger(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with intake_site.make_site(intake, keys).test_client() as client:
        yield client


@pytest.fixture
def applied(stranger: FlaskClient, services: Services) -> str:
    assert apply(stranger).location == "/join/sent"
    services.deliver()
    return application(services)


def apply(stranger: FlaskClient, **more: Any) -> TestResponse:
    return intake_site.post(stranger, "/join", **{**ANSWERS, **more})


def application(services: Services) -> str:
    row = services.matching.db.applications.find_one()
    assert row
    return str(row["_id"])


def state(services: Services) -> str:
    row = services.matching.db.applications.find_one()
    return row["state"] if row else ""


def coordinator(services: Services, keys: Path, name: str) -> FlaskClient:
    add_coordinator(name, f"{name}@example.org", into=services.matching)
    return signed_in(services.matching, keys, "coordinator", f"{name.lower()}@example.org")


def events(service: Service, event_type: type[Any]) -> list[Any]:
    found = (parse_event(from_json(row["body"])) for row in service.db.outbox.find().sort("$natural", 1))
    return [event for event in found if isinstance(event, event_type)]


def letters(services: Services) -> list[str]:
    return [row["template"] for row in services.notify.db.notifications.find().sort("created_at", 1)]


def say(one: FlaskClient, page: str, step: str) -> TestResponse:
    action = f"/me/application/yes/{step}" if page == "/me" else f"{page}/yes/{step}"
    return press(one, page, action)


def test_what_it_asks_comes_first_and_anyone_can_apply(stranger: FlaskClient) -> None:
    html = stranger.get("/join").text
    assert "Anyone can apply. We talk with everyone." in html
    assert html.index("What it asks of you") < html.index("<form")
    form = html.split('<form method="post" action="/join"')[1].split("</form>")[0]
    assert form.count('class="field') == 6
    assert 'href="/join"' in stranger.get("/people").text
    assert "Cualquiera puede apuntarse. Hablamos con todo el mundo." in stranger.get("/join?lang=es").text


def test_what_is_missing_is_said_and_nothing_typed_is_lost(stranger: FlaskClient, intake: Service) -> None:
    page = apply(stranger, name="", email="sol at people", words="")
    assert page.status_code == 422
    for says in ("Write a name we can call you", "Check the email address", "Write a little about what draws you here"):
        assert says in page.text
    assert "sol at people" in page.text
    assert apply(stranger, diagnosis="x").status_code == 422
    assert apply(stranger, words="x" * 4001).status_code == 422
    assert intake.db.outbox.count_documents({"type": "application.sent.v1"}) == 0


@pytest.fixture
def closed(intake: Service) -> Iterator[None]:
    shipped = intake.programme
    intake.programme = replace(shipped, join=Join(opens_on="2099-03-01"))
    yield
    intake.programme = shipped


@pytest.mark.usefixtures("closed")
def test_a_programme_may_close_it_until_a_day(stranger: FlaskClient, intake: Service) -> None:
    html = stranger.get("/join").text
    assert "We talk with everyone." in html
    assert "1 March 2099" in html
    assert '<form method="post" action="/join"' not in html
    assert intake.db.outbox.count_documents({"type": "application.sent.v1"}) == 0


def test_nothing_stays_in_the_part_that_faces_the_internet_and_nothing_is_in_clear(applied: str, services: Services) -> None:
    for where, row in services.rows():
        assert WORDS not in str(row), where
        assert ADDRESS not in str(row).lower(), where
        if where.startswith("intake.") and not where.endswith((".outbox", ".inbox")):
            assert applied not in str(row), where


def test_the_applicant_and_the_coordinators_are_told(services: Services, keys: Path, stranger: FlaskClient) -> None:
    coordinator(services, keys, "Ro")
    services.deliver()
    apply(stranger)
    services.deliver()
    assert "application_received" in letters(services)
    assert "reach_out" in letters(services)
    assert open_tasks(services.matching) == ["welcome"]


def test_the_same_address_again_shows_the_same_page_makes_no_second_row_and_changes_nothing(
    applied: str, services: Services, stranger: FlaskClient, keys: Path
) -> None:
    before = services.matching.db.applications.find_one()
    again = apply(stranger, name="Mallory", words="Other words.", email="SOL@people.example")
    assert (again.status_code, again.location) == (303, "/join/sent")
    services.deliver()
    assert list(services.matching.db.applications.find()) == [before]
    assert letters(services).count("application_received") == 1
    assert letters(services).count("sign_in") == 1
    for _ in range(9):
        apply(stranger)
    services.deliver()
    assert len(events(services.matching, TeamSignInRequested)) <= 5


def test_twice_the_same_form_is_one_application(stranger: FlaskClient, services: Services) -> None:
    html = stranger.get("/join").text
    hidden = {name: html.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf_token", "form_id")}
    for _ in range(2):
        assert stranger.post("/join", data={**hidden, **ANSWERS}).status_code == 303
    services.deliver()
    assert services.matching.db.applications.count_documents({}) == 1


def test_from_applying_to_the_first_offer(applied: str, services: Services, keys: Path, stranger: FlaskClient) -> None:
    page = f"/c/welcome/{applied}"
    ro, kim = coordinator(services, keys, "Ro"), coordinator(services, keys, "Kim")
    sol = signed_in(services.matching, keys, "practitioner", ADDRESS)
    assert "The application came in" in sol.get("/me").text
    assert WORDS in ro.get(page).text
    assert "Waits for an answer" in ro.get("/c/welcome").text
    assert state(services) == "applied"
    press(ro, page, f"{page}/talk")
    assert (state(services), open_tasks(services.matching)) == ("in_conversation", [])
    say(ro, page, "conversation")
    assert state(services) == "in_training"
    assert open_steps(ro, page) == ["training", "two_say_yes"]
    assert open_steps(sol, "/me") == ["promise"]
    say(sol, "/me", "promise")
    say(ro, page, "training")
    say(ro, page, "two_say_yes")
    say_without_a_button(ro, page, "two_say_yes")
    assert state(services) == "in_training"
    assert "one of two said yes" in sol.get("/me").text
    assert find_practitioner(applied, services.matching.db) is None
    say(kim, page, "two_say_yes")
    assert state(services) == "welcomed"
    services.deliver()
    assert letters(services).count("application_news") == 4
    assert press(sol, "/me", "/me/application/begin").location == "/me?done=begun"
    services.deliver()
    assert services.matching.db.applications.count_documents({}) == 0
    practitioner = find_practitioner(applied, services.matching.db)
    assert practitioner
    assert (public_profile(practitioner)["name"], practitioner.languages, practitioner.places) == ("Sol", ("en", "es"), 1)
    assert events(services.matching, PractitionerChanged)[-1].practitioner_id == applied
    assert "Hello Sol" in sol.get("/me").text
    assert "/people/sol" in stranger.get("/people").text
    submit(services.matching, (applied, "ask_me"))
    services.notify.run(enqueue_offer_notification, events(services.matching, OfferMade)[-1])
    assert "offer" in letters(services)
    answer(services.matching, open_offer(services.matching), "yes")
    assert events(services.matching, MatchMade)[-1].practitioner_id == applied


def open_steps(one: FlaskClient, page: str) -> list[str]:
    html = one.get(page).text
    return re.findall(r'action="[^"]+/yes/([^"]+)"', html)


def say_without_a_button(one: FlaskClient, page: str, step: str) -> None:
    html = one.get(page).text
    token = html.split('name="csrf_token" value="')[1].split('"')[0]
    form_id = html.split('name="form_id" value="')[1].split('"')[0]
    assert one.post(f"{page}/yes/{step}", data={"csrf_token": token, "form_id": form_id}).status_code == 303


def test_a_not_now_needs_a_sentence_and_can_be_answered(applied: str, services: Services, keys: Path) -> None:
    page, ro = f"/c/welcome/{applied}", coordinator(services, keys, "Ro")
    sol = signed_in(services.matching, keys, "practitioner", ADDRESS)
    press(ro, page, f"{page}/talk")
    drawn = ro.get(page).text
    hidden = {name: drawn.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf_token", "form_id")}
    assert ro.post(f"{page}/not_now", data={**hidden, "words": "  "}).status_code == 422
    assert state(services) == "in_conversation"
    ro.post(f"{page}/not_now", data={**hidden, "words": "Our training is full until May."})
    assert state(services) == "not_now"
    html = sol.get("/me").text
    assert "Our training is full until May." in html
    assert "It does not go on for now." in html
    press(sol, "/me", "/me/application/write", words="May is good for me.")
    assert open_tasks(services.matching) == ["welcome"]
    assert "May is good for me." in ro.get(page).text
    press(ro, page, f"{page}/talk")
    assert state(services) == "in_conversation"
    for where, row in services.rows():
        assert "May is good" not in str(row), where


def test_they_take_it_back_in_one_step_and_nothing_of_it_stays(applied: str, services: Services, keys: Path) -> None:
    sol = signed_in(services.matching, keys, "practitioner", ADDRESS)
    assert press(sol, "/me", "/me/application/take_back").location == "/me?done=taken_back"
    services.deliver()
    assert services.matching.db.applications.count_documents({}) == 0
    assert open_tasks(services.matching) == []
    assert "It is gone." in sol.get("/me?done=taken_back").text
    assert services.notify.db.contacts.find_one({"_id": applied})["ended_at"] <= now()  # type: ignore[index]
    assert events(services.matching, PractitionerMovedOn)[-1].state == "stepped_back"


def test_what_nobody_continues_ends_after_ninety_days_and_is_told_of_before(
    applied: str, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(tmp_path / "clock", monkeypatch)
    clock.advance(days=74)
    assert run_timer(services.matching, welcome.tell_that_it_ends) == []
    clock.advance(days=2)
    assert [event.news for event in run_timer(services.matching, welcome.tell_that_it_ends)] == ["ending"]  # type: ignore[attr-defined]
    assert run_timer(services.matching, welcome.tell_that_it_ends) == []
    clock.advance(days=12)
    assert run_timer(services.matching, welcome.end_what_nobody_continues) == []
    clock.advance(days=1.5)
    assert [event.state for event in run_timer(services.matching, welcome.end_what_nobody_continues)] == ["ended"]  # type: ignore[attr-defined]
    assert services.matching.db.applications.count_documents({}) == 0


def test_nobody_sees_an_application_who_is_not_signed_in(applied: str, services: Services, keys: Path) -> None:
    nobody = matching_site.make_site(services.matching, keys).test_client()
    assert nobody.get(f"/c/welcome/{applied}").location == "/c"
    assert nobody.get("/c/welcome").location == "/c"
    assert WORDS not in nobody.get("/me").text
    assert coordinator(services, keys, "Ro").get("/c/welcome/nobody").status_code == 404
