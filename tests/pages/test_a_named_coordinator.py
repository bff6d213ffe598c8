"""A coordinator whose name stands among those whom somebody would never meet: on every page of the desk it is as if that request
were not there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from services.matching.coordinators import add_coordinator
from services.matching.handlers.broker_events import forward_note
from services.matching.handlers.coordinator import ChangeTask, OpenRequest, record_opening, resolve_task
from services.matching.handlers.corrections import correct_request
from shared.contracts import NoteAnswered, RequestChanged
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, answer, open_offer, submit
from tests.pages.matching_site import everything_in, signed_in
from tests.people import NEW_YORK, a_request_submitted

HIDDEN, UNKNOWN = "1a2b3c4d-hidden", "9f8e7d6c-unknown"
FORM_ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
NAMES_KAI = {"avoid_words": "Kai from the choir", "words": "a sentence about willows"}
VARIES = re.compile(r'(?<=name="csrf_token" value=")[^"]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+:\d\d [AP]M')
"""Tokens, ids that are drawn anew, and times."""


@pytest.fixture
def kai(matching: Service, keys: Path) -> FlaskClient:
    add_coordinator("Kai Moreno", "kai@example.org", into=matching)
    add_coordinator("Ro", "ro@example.org", into=matching)
    add_practitioners(matching, "juniper", places=4, offers_at_once=4)
    return signed_in(matching, keys, "coordinator", "kai@example.org")


def in_each_state(matching: Service) -> Iterator[str]:
    """The hidden request, step by step; what the step is."""
    submit(matching, ("juniper", "ask_me"), id=HIDDEN, words={"words": NAMES_KAI["words"]})
    again = a_request_submitted(matching, id=HIDDEN, words=NAMES_KAI)
    matching.run(forward_note, NoteAnswered(note_id="n1", request_id=HIDDEN, encrypted=note(matching)))
    changed = RequestChanged(request_id=HIDDEN, change=1, time_zone=NEW_YORK, encrypted=again.encrypted, read_first=True)
    matching.run(correct_request, changed)
    yield "asking, with a task from before they named anybody"
    task = matching.db.coordinator_tasks.find_one({"request_id": HIDDEN, "reason": "wrote"})
    assert task
    matching.run(resolve_task, ChangeTask(coordinator_id=someone(matching), task_id=task["_id"]))
    yield "asking, with a task that was done today"
    answer(matching, open_offer(matching, HIDDEN), "yes")
    yield "matched"


def note(matching: Service) -> str:
    from shared import vault

    row = matching.db.requests.find_one({"_id": HIDDEN})
    assert row
    key = matching.vault.unwrap(row["encrypted"]["wrap"], f"supportee of {HIDDEN}")
    return vault.encrypt(key, f"supportee of {HIDDEN}", vault.note_field("n1"), "hello")


def someone(matching: Service) -> str:
    row = matching.db.coordinators.find_one({"name_index": {"$size": 1}})
    assert row
    return str(row["_id"])


def address(rule: Rule, request_id: str, task_id: str) -> str:
    values = {
        "request_id": request_id,
        "task_id": task_id,
        "practitioner_id": "juniper",
        "application_id": "none",
        "step": "none",
        "token": "none",
        "start_page": "c",
    }
    allowed = {name: getattr(convert, "items", None) for name, convert in rule._converters.items()}
    values |= {name: next(iter(allowed.get(name) or ["x"])) for name in ("action", "done", "act")}
    return re.sub(r"<(?:[^<>:]+:)?([^<>]+)>", lambda found: values[found[1]], rule.rule)


def desk_rules(visitor: FlaskClient) -> list[Rule]:
    rules = [rule for rule in visitor.application.url_map.iter_rules() if rule.rule.startswith(("/c", "/<any(me, c)"))]
    assert len(rules) > 20
    return [rule for rule in rules if "sign" not in rule.rule]


def every_answer(visitor: FlaskClient, request_id: str, task_id: str) -> dict[str, TestResponse]:
    """Of every address of the desk, looked at and pressed."""
    token = visitor.get("/c/requests").text.split('name="csrf_token" value="')[1].split('"')[0]
    states = ("asking", "received", "waiting", "reaching_out", "matched", "withdrawn", "lapsed")
    found = {f"/c/requests?state={state}": visitor.get(f"/c/requests?state={state}") for state in states}
    found["the desk with a task"] = visitor.get(f"/c?done=resolved&task={task_id}")
    for where in ("after", "before"):
        found[f"the desk {where}"] = visitor.get(f"/c?{where}={task_id}")
        found[f"requests {where}"] = visitor.get(f"/c/requests?state=matched&{where}={request_id}")
    form: dict[str, Any] = {
        "csrf_token": token,
        "form_id": FORM_ID,
        "number": request_id[:8],
        "words": "hello",
        "people": ["juniper"],
    }
    for rule in desk_rules(visitor):
        path = address(rule, request_id, task_id)
        if "GET" in (rule.methods or ()):
            found[f"GET {rule.rule}"] = visitor.get(path)
        else:
            found[f"POST {rule.rule}"] = visitor.post(path, data={**form, "practitioner": "juniper", "who": "juniper"})
    return found


def plain(response: TestResponse, request_id: str, task_id: str) -> tuple[int, str, str]:
    def without(text: str) -> str:
        for id in (request_id, request_id[:8], task_id):
            text = text.replace(id, "ID")
        return VARIES.sub("", text)

    return response.status_code, without(response.headers.get("Location", "")), without(response.text)


def test_every_page_and_button_answers_as_if_it_were_not_there(matching: Service, kai: FlaskClient) -> None:
    nothing = {name: plain(got, UNKNOWN, "no-task") for name, got in every_answer(kai, UNKNOWN, "no-task").items()}
    for step in in_each_state(matching):
        tasks = [row["_id"] for row in matching.db.coordinator_tasks.find({"request_id": HIDDEN}).sort("is_open", 1)]
        before = everything_in(matching)
        answers = every_answer(kai, HIDDEN, tasks[0])
        for name, got in answers.items():
            if name == "POST /c/tasks/<task_id>/<any(take, done, undo):action>":
                assert got.status_code == 404, step
                continue
            if "/c/people" in name:  # how many more a practitioner has room for may differ
                assert HIDDEN[:8] not in got.text, (step, name)
            else:
                assert plain(got, HIDDEN, tasks[0]) == nothing[name], (step, name)
            assert "willows" not in got.text
        after = everything_in(matching)
        assert {name: after[name] for name in ("requests", "coordinator_tasks", "audit", "offers", "notes")} == {
            name: before.get(name, []) for name in ("requests", "coordinator_tasks", "audit", "offers", "notes")
        }, step


def test_the_walk_can_fail_another_coordinator_sees_it_everywhere(matching: Service, kai: FlaskClient, keys: Path) -> None:
    ro = signed_in(matching, keys, "coordinator", "ro@example.org")
    nothing = {name: plain(got, UNKNOWN, "no-task") for name, got in every_answer(ro, UNKNOWN, "no-task").items()}
    next(in_each_state(matching))
    [task, *_] = matching.db.coordinator_tasks.find({"request_id": HIDDEN})
    answers = every_answer(ro, HIDDEN, task["_id"])
    seen = {name for name, got in answers.items() if plain(got, HIDDEN, task["_id"]) != nothing[name]}
    assert {"/c/requests?state=asking", "GET /c", "GET /c/requests/<request_id>", "POST /c/requests/find"} <= seen
    assert {"POST /c/requests/<request_id>/open", "POST /c/requests/<request_id>/way-in"} <= seen
    assert kai


def test_who_had_it_open_when_they_were_named_makes_no_way_in(matching: Service, kai: FlaskClient) -> None:
    submit(matching, mode="reach_out", id=HIDDEN)
    me = matching.db.coordinators.find_one({"name_index": {"$size": 2}})
    assert me
    matching.run(record_opening, OpenRequest(coordinator_id=me["_id"], request_id=HIDDEN))
    assert kai.get(f"/c/requests/{HIDDEN}").status_code == 200
    again = a_request_submitted(matching, id=HIDDEN, words=NAMES_KAI)
    matching.run(correct_request, RequestChanged(request_id=HIDDEN, change=1, time_zone=NEW_YORK, encrypted=again.encrypted))
    token = kai.get("/c/requests").text.split('name="csrf_token" value="')[1].split('"')[0]
    made = kai.post(f"/c/requests/{HIDDEN}/way-in", data={"csrf_token": token, "form_id": FORM_ID})
    assert made.status_code == 404
    assert "0 things" in kai.get("/c").text or "Nothing needs a person" in kai.get("/c").text


def test_a_coordinator_who_is_a_practitioner_whom_they_ticked_sees_it_as_little(matching: Service, kai: FlaskClient) -> None:
    add_practitioners(matching, "moss", email="kai@example.org")
    submit(matching, mode="reach_out", id=HIDDEN, avoid=("moss",))
    assert HIDDEN not in kai.get("/c/requests?state=reaching_out").text
    assert kai.get(f"/c/requests/{HIDDEN}").status_code == 404
    assert "Nothing needs a person" in kai.get("/c").text
    submit(matching, mode="reach_out", id="another", avoid=("juniper",))
    assert kai.get("/c/requests/another").status_code == 200
