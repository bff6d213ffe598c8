"""/c: tasks by the time they are due, taken, done and taken back; and every request by its state."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.matching.handlers import desk
from services.matching.handlers.broker_events import forward_note, record_failed_notification, withdraw_request
from services.matching.handlers.coordinator import ChangeTask, ReachOut, reach_out, reopen_task, resolve_task
from services.matching.labels import REQUEST_STATES
from shared.contracts import NoteAnswered, NotificationFailed, RequestWithdrawn
from shared.service import Service
from tests.handlers.matching_steps import Clock, add_practitioners, answer, open_offer, submit
from tests.pages.matching_site import press


def whys(html: str) -> list[str]:
    return [words.strip() for words in re.findall(r'<tr><th scope="row">([^<]+)<p', html)]


def the_task(matching: Service, request_id: str = "r1") -> str:
    row = matching.db.coordinator_tasks.find_one({"request_id": request_id})
    assert row
    return str(row["_id"])


def test_the_desk_shows_what_is_due_first_on_top_and_says_what_is_late(
    ro: FlaskClient, matching: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(matching, ("nobody", "ask_me"), mode="reach_out", id="r1")
    matching.run(forward_note, NoteAnswered(note_id="n1", request_id="r1", encrypted="AQ"))
    html = ro.get("/c").text
    assert whys(html) == ["They wrote to the coordinators", "They asked that a person writes to them"]
    assert "was due" not in html
    Clock(tmp_path / "clock", monkeypatch).advance(days=2, minutes=1)
    again = signed_in_again(matching)
    assert again == {"wrote": "overdue", "reach_out": "this_week"}


def signed_in_again(matching: Service) -> dict[str, str]:
    """Two days on the coordinator's session is over; what the page groups by is read from the view."""
    return {view.task.reason: view.urgency for view in desk.view_desk(matching.db).tasks.items}


def test_done_can_be_taken_back_and_says_so_in_the_record(ro: FlaskClient, matching: Service) -> None:
    submit(matching, mode="reach_out")
    task = the_task(matching)
    location = press(ro, "/c/requests/r1", f"/c/tasks/{task}/done").location
    assert location == f"/c?done=resolved&task={task}"
    html = ro.get(location).text
    assert "Nothing needs a person" in html
    assert "Done today: 1" in html
    assert press(ro, location, f"/c/tasks/{task}/undo").location == "/c?done=reopened"
    assert whys(ro.get("/c").text) == ["They asked that a person writes to them"]
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    record = ro.get("/c/requests/r1").text
    assert record.index("Ro</bdi> said that this is done") < record.index("Ro</bdi> took back that this is done")


def test_nothing_is_taken_back_a_day_later_after_they_left_or_when_the_need_came_again(
    ro: FlaskClient, matching: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in ("late", "left", "again"):
        submit(matching, mode="reach_out", id=id)
        matching.run(resolve_task, ChangeTask(coordinator_id="ro", task_id=the_task(matching, id)))
    tasks = {id: the_task(matching, id) for id in ("late", "left", "again")}
    matching.run(withdraw_request, RequestWithdrawn(request_id="left"))
    matching.run(reach_out, ReachOut(coordinator_id="ro", request_id="again"))
    Clock(tmp_path / "clock", monkeypatch).advance(hours=23)
    for id in ("left", "again"):
        matching.run(reopen_task, ChangeTask(coordinator_id="ro", task_id=tasks[id]))
    Clock(tmp_path / "clock", monkeypatch).advance(hours=25)
    matching.run(reopen_task, ChangeTask(coordinator_id="ro", task_id=tasks["late"]))
    rows = {row["_id"]: row["is_open"] for row in matching.db.coordinator_tasks.find({"_id": {"$in": list(tasks.values())}})}
    assert not any(rows.values())
    assert matching.db.coordinator_tasks.count_documents({"request_id": "again", "is_open": True}) == 1


def test_every_request_is_found_by_its_state_and_number_without_a_name(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    submit(matching, "juniper", id="aaaa1111-1")
    submit(matching, "kai", id="bbbb2222-2")
    answer(matching, open_offer(matching, "bbbb2222-2"), "yes")
    submit(matching, mode="reach_out", id="cccc3333-3")
    shown = {state: ro.get(f"/c/requests?state={state}").text for state in ("asking", "matched", "reaching_out", "waiting")}
    found = {state: re.findall(r'href="/c/requests/([a-c1-3-]+)"', html) for state, html in shown.items()}
    assert found == {"asking": ["aaaa1111-1"], "matched": ["bbbb2222-2"], "reaching_out": ["cccc3333-3"], "waiting": []}
    assert "Juniper" in shown["asking"]
    assert "Kai" in shown["matched"]
    assert not any("Wren" in html for html in shown.values())
    assert press(ro, "/c/requests", "/c/requests/find", number=" BBBB2222 ").location == "/c/requests/bbbb2222-2"
    for written, says in (("ffff0000", "No request has this number"), ("", "Write the number"), ("$gt", "Write the number")):
        refused = press(ro, "/c/requests", "/c/requests/find", number=written)
        assert (refused.status_code, says in refused.text) == (422, True)


@pytest.mark.parametrize("state", REQUEST_STATES)
def test_there_is_a_list_for_every_state_that_lasts(ro: FlaskClient, state: str) -> None:
    assert ro.get(f"/c/requests?state={state}").status_code == 200


def test_somebody_whom_nothing_reaches_is_opened_at_their_own_page(ro: FlaskClient, matching: Service) -> None:
    add_practitioners(matching, "juniper")
    matching.run(record_failed_notification, NotificationFailed(person_id="juniper", template="offer"))
    task = matching.db.coordinator_tasks.find_one({})
    assert task
    press(ro, "/c", f"/c/tasks/{task['_id']}/take")
    assert 'href="/c/people/juniper"' in ro.get("/c").text
    assert "A message could not be delivered" in ro.get("/c/people/juniper").text
    press(ro, "/c/people/juniper", f"/c/tasks/{task['_id']}/done")
    assert "Nothing needs a person" in ro.get("/c").text
