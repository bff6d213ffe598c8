"""Two practitioners who are there for each other, and asking somebody to call after something heavy."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.matching.coordinators import add_coordinator
from services.matching.handlers.team import ShowOnPages, show_on_pages
from services.notify.handlers.welcome import ask_to_call
from shared.contracts import CallAsked
from shared.messages import from_json, parse_event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, document
from tests.pages.matching_site import everything_in, press, signed_in
from tests.receivers import a_coordinator, record_contact

PAGE, HEAVY = "/me/beside", "That was heavy: ask somebody to call me"


@pytest.fixture
def kai(juniper: FlaskClient, matching: Service, keys: Path) -> FlaskClient:
    add_practitioners(matching, "kai")
    return signed_in(matching, keys, "practitioner", "kai@example.org")


def calls(matching: Service) -> list[CallAsked]:
    found = [parse_event(from_json(row["body"])) for row in matching.db.outbox.find({"type": "call.asked.v1"})]
    return [event for event in found if isinstance(event, CallAsked)]


def buddy_of(matching: Service, id: str) -> str | None:
    return document(matching, "practitioners", id).get("buddy_id")


def test_both_say_yes_and_either_ends_it(juniper: FlaskClient, kai: FlaskClient, matching: Service) -> None:
    assert press(juniper, PAGE, f"{PAGE}/name", name="Kai").status_code == 303
    assert "You asked Kai." in juniper.get(PAGE).text
    assert HEAVY not in juniper.get(PAGE).text
    assert "would like the two of you to be there for each other." in kai.get(PAGE).text
    press(kai, PAGE, f"{PAGE}/yes")
    for one, name in ((juniper, "Kai"), (kai, "Juniper")):
        assert f"You and {name} are there for each other." in one.get(PAGE).text
        assert HEAVY in one.get(PAGE).text
    press(kai, PAGE, f"{PAGE}/let_go")
    assert (buddy_of(matching, "juniper"), buddy_of(matching, "kai")) == (None, None)


def test_a_not_now_leaves_nothing(juniper: FlaskClient, kai: FlaskClient, matching: Service) -> None:
    press(juniper, PAGE, f"{PAGE}/name", name="Kai")
    press(kai, PAGE, f"{PAGE}/no")
    assert buddy_of(matching, "juniper") is None
    assert "Another practitioner with whom you can talk" in juniper.get(PAGE).text


@pytest.mark.parametrize("name", ["Juniper", "nobody-at-all", "kai@example.org", ""])
def test_neither_oneself_nor_an_address_nor_nobody(name: str, juniper: FlaskClient, kai: FlaskClient, matching: Service) -> None:
    assert press(juniper, PAGE, f"{PAGE}/name", name=name).status_code == 422
    assert buddy_of(matching, "juniper") is None


def test_stepping_back_ends_it(juniper: FlaskClient, kai: FlaskClient, matching: Service) -> None:
    press(juniper, PAGE, f"{PAGE}/name", name="Kai")
    press(kai, PAGE, f"{PAGE}/yes")
    press(kai, "/me/step-back", people="go_on")
    assert HEAVY not in juniper.get(PAGE).text


def test_a_call_is_asked_of_the_one_who_was_chosen_and_kept_nowhere(
    juniper: FlaskClient, matching: Service, notify: Service
) -> None:
    add_coordinator("Coco Quill", "coco@example.org", into=matching)
    row = matching.db.coordinators.find_one()
    assert row
    matching.run(show_on_pages, ShowOnPages(coordinator_id=row["_id"], is_shown=True))
    assert press(juniper, PAGE, f"{PAGE}/heavy").status_code == 422
    before = {name: rows for name, rows in everything_in(matching).items() if name not in ("outbox", "inbox")}
    assert press(juniper, PAGE, f"{PAGE}/heavy", person=row["_id"]).location == f"{PAGE}?done=call_asked"
    after = {name: rows for name, rows in everything_in(matching).items() if name not in ("outbox", "inbox")}
    assert after == before
    assert not [found for found in matching.db.inbox.find() if "heavy" in str(found)]
    (call,) = calls(matching)
    assert call.person_id == row["_id"]
    assert "Juniper" not in str(list(matching.db.outbox.find()))
    record_contact(a_coordinator(notify, row["_id"]), notify.db)
    ask_to_call(call, notify.db)
    assert [(found["template"], found["channel"]) for found in notify.db.notifications.find()][-1] == ("please_call", "email")


def test_nobody_else_can_be_asked(juniper: FlaskClient, kai: FlaskClient, matching: Service) -> None:
    press(juniper, PAGE, f"{PAGE}/name", name="Kai")
    press(kai, PAGE, f"{PAGE}/yes")
    add_practitioners(matching, "ana")
    press(juniper, PAGE, f"{PAGE}/heavy", person="ana")
    assert calls(matching) == []
    press(juniper, PAGE, f"{PAGE}/heavy", person="kai")
    assert [call.person_id for call in calls(matching)] == ["kai"]
