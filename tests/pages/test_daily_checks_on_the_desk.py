"""What the daily checks leave on the desk is said there, and can be done there."""

from flask.testing import FlaskClient

from services.matching.handlers.tasks import add_task, open_task
from services.matching.store import requests
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service
from tests.handlers.matching_steps import document, submit
from tests.pages.matching_site import press


def add_tasks(_: None, db: Db) -> list[Event]:
    request = requests.find(db, "r1")
    assert request
    open_task(request, "no_way_in", db)
    open_task(request, "out_of_step", db)
    add_task("out_of_step", db)
    add_task("kept_too_long", db)
    return []


def test_each_task_is_said_in_words_and_one_of_no_request_is_done_by_saying_so(matching: Service, ro: FlaskClient) -> None:
    submit(matching, id="r1")
    matching.run(add_tasks, None)
    html = ro.get("/c").text
    assert html.count("What the parts of the system hold does not fit together") >= 2
    for words in ("Nothing opens their page", "Something is kept longer than we promise"):
        assert words in html
    [task] = matching.db.coordinator_tasks.find({"reason": "kept_too_long"})
    press(ro, "/c", f"/c/tasks/{task['_id']}/take")
    press(ro, "/c", f"/c/tasks/{task['_id']}/done")
    assert document(matching, "coordinator_tasks", task["_id"])["is_open"] is False


def test_on_a_request_whose_page_nothing_opens_a_new_way_in_is_at_hand(matching: Service, ro: FlaskClient) -> None:
    submit(matching, id="r1")
    matching.run(add_tasks, None)
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    assert "/c/requests/r1/way-in" in ro.get("/c/requests/r1").text
