"""Who asks that a person writes to them gets one message that says all, and every page names the day that it names."""

import re
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from services.intake import rules
from services.matching.handlers.requests import find_request
from services.notify.domain import Notification
from services.notify.handlers.requests import enqueue_coordinator_call, enqueue_suggestions
from services.notify.rendering import Brand, Recipient, render_email
from shared.contracts import CoordinatorNeeded, SuggestionsMade
from shared.documents import from_document
from shared.i18n import day
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners
from tests.pages.intake_site import make_site, post
from tests.three_services import Services

BY_EMAIL = {"reach": ["email", "text"], "email": "wren@example.org", "phone": "202 555 0100"}
ZONES = ("America/New_York", "Pacific/Auckland", "Pacific/Honolulu")
DAYS = 5
SAYS = re.compile(r"writes? to you by ([A-Z]\w+ \d+ \w+|[A-Z]\w+, [A-Z]\w+ \d+)")


@pytest.fixture
def services(intake: Service, matching: Service, notify: Service) -> Services:
    made = Services(intake, matching, notify)
    add_practitioners(matching, "juniper", "kai", places=3, offers_at_once=3)
    made.deliver()
    return made


@pytest.fixture
def visitor(services: Services, keys: Path) -> FlaskClient:
    return make_site(services.intake, keys).test_client()


def ask(visitor: FlaskClient, services: Services, zone: str = "America/New_York", mode: str = "reach_out", **more: Any) -> None:
    """All has happened that follows from it."""
    post(visitor, "/ask/1", mode=mode, **more)
    post(visitor, "/ask/2", name="Wren")
    post(visitor, "/ask/3", words="company on hard mornings")
    post(visitor, "/ask/4", **BY_EMAIL)
    post(visitor, "/ask/5", time_zone=zone)
    post(visitor, "/ask/6")
    post(visitor, "/ask/7")
    assert post(visitor, "/ask/check").headers["Location"] == "/ask/sent"
    services.deliver()


def emails(services: Services) -> list[Notification]:
    rows = services.notify.db.notifications.find({"channel": "email", "person_id": {"$nin": ["juniper", "kai"]}})
    return [from_document(Notification, row) for row in rows]


def read(one: Notification, zone: str) -> str:
    brand = Brand("Kitchen Table", "Kitchen Table", "help@example.org", "https://example.org")
    values = {**one.context, "link": "https://example.org/s"}
    return render_email(one.template, values, Recipient("en", zone, "supportee"), brand).text


def day_of(text: str) -> str:
    found = SAYS.search(text)
    assert found, text
    return found[1]


def test_one_message_says_that_it_arrived_who_writes_and_by_when(visitor: FlaskClient, services: Services) -> None:
    ask(visitor, services)
    [only] = emails(services)
    assert only.template == "request_received"
    text = read(only, "America/New_York")
    assert "Someone from the team writes to you by" in text
    assert "people you could meet" in text
    assert services.notify.db.notifications.count_documents({"channel": "text", "person_id": only.person_id}) == 1


def test_the_page_shows_the_suggestions_that_no_message_told_of(visitor: FlaskClient, services: Services) -> None:
    ask(visitor, services)
    assert "If you would rather choose yourself" in visitor.get("/s").text


@pytest.mark.parametrize("zone", ZONES)
def test_the_email_and_both_pages_name_the_same_day(visitor: FlaskClient, services: Services, zone: str) -> None:
    ask(visitor, services, zone)
    [only] = emails(services)
    assert day_of(read(only, zone)) == day_of(visitor.get("/ask/sent").text) == day_of(visitor.get("/s").text)


@pytest.mark.parametrize("zone", ZONES)
def test_the_day_is_the_fifth_of_their_own_calendar_and_the_desk_has_it_too(
    visitor: FlaskClient, services: Services, zone: str
) -> None:
    ask(visitor, services, zone)
    sent = services.intake.db.requests.find_one({}, {"sent_at": 1}) or {}
    last = sent["sent_at"].replace(tzinfo=UTC) + timedelta(days=DAYS)
    assert day_of(visitor.get("/s").text) == day(last, zone, "en")
    task = services.matching.db.coordinator_tasks.find_one({"reason": "reach_out"}) or {}
    due = task["due_at"].replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    assert (due.date(), due.hour) == (last.astimezone(ZoneInfo(zone)).date(), 23)


@pytest.mark.parametrize("zone", ZONES)
def test_whatever_they_asked_for_the_email_names_the_moment_that_the_page_names(
    visitor: FlaskClient, services: Services, zone: str
) -> None:
    ask(visitor, services, zone, mode="suggest")
    request = services.intake.db.requests.find_one({}) or {}
    first = next(one for one in emails(services) if one.template == "request_received")
    promised = rules.hear_by(request["sent_at"].replace(tzinfo=UTC), DAYS, zone, from_a_person=False)
    assert first.context["hear_by"] == promised


def test_whoever_did_not_ask_for_a_person_hears_of_suggestions(visitor: FlaskClient, services: Services) -> None:
    ask(visitor, services, mode="suggest")
    assert [one.template for one in emails(services)] == ["request_received", "suggestions_ready"]


def test_suggestions_that_a_coordinator_makes_later_are_told(visitor: FlaskClient, services: Services) -> None:
    ask(visitor, services)
    [only] = emails(services)
    assert only.request_id
    about = {"request_id": only.request_id, "supportee_id": only.person_id}
    request = find_request(only.request_id, services.matching.db)
    later = SuggestionsMade(**about, practitioner_ids=("kai",), version=request.version + 1)
    services.notify.run(enqueue_suggestions, later)
    assert [one.template for one in emails(services)] == ["request_received", "suggestions_ready"]


def test_in_whatever_order_matching_is_heard_nothing_is_said_twice(visitor: FlaskClient, services: Services) -> None:
    """Suggestions overtake what says that a person writes."""
    ask(visitor, services)
    [only] = emails(services)
    about: dict[str, Any] = {"request_id": only.request_id, "supportee_id": only.person_id}
    services.notify.db.request_updates.update_one(
        {"_id": only.request_id}, {"$set": {"version": 0, "last_update": "request_received/person"}}
    )
    services.notify.run(
        enqueue_suggestions, SuggestionsMade(**about, practitioner_ids=("kai",), version=2, until_a_person_writes=True)
    )
    services.notify.run(enqueue_coordinator_call, CoordinatorNeeded(**about, reason="reach_out", reaching_out=True, version=1))
    assert len(emails(services)) == 1
