"""Whom somebody wrote that they would never meet: compared with names, read by a person before anybody is asked, and hidden from
coordinators of that name."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.matching.coordinators import add_coordinator
from services.matching.handlers import desk
from services.matching.handlers.broker_events import apply_choice, start_request, withdraw_request
from services.matching.handlers.coordinator import (
    AskPractitioner,
    ChangeTask,
    GoOn,
    OpenRequest,
    ask_practitioner,
    let_go_on,
    record_opening,
    resolve_task,
    write_profile,
)
from services.matching.handlers.corrections import correct_request
from services.matching.handlers.held import go_on_unread
from services.matching.handlers.stored_before import find_practitioners, index_coordinator, index_practitioner
from shared.contracts import ChoiceMade, OfferMade, RequestChanged, RequestWithdrawn
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import (
    Clock,
    add_practitioners,
    answer,
    assign,
    document,
    make_room,
    only,
    open_offer,
    open_tasks,
    places_of,
    run_timer,
    submit,
    types_of,
)
from tests.handlers.test_queries_use_indexes import most_read
from tests.pages.matching_site import press, signed_in
from tests.people import a_profile, a_request_submitted

KAI = {"avoid_words": "Juniper's brother KÁI, and anybody from Elm Street clinic"}


def ask(matching: Service, *choices: object, words: dict[str, str] = KAI, **facts: object) -> list[Event]:
    return submit(matching, *choices, words=words, **facts)


def read_it(matching: Service, request_id: str = "r1") -> list[Event]:
    matching.run(record_opening, OpenRequest(coordinator_id="ro", request_id=request_id))
    return matching.run(let_go_on, GoOn(coordinator_id="ro", request_id=request_id))


def test_nobody_is_asked_or_shown_before_a_person_has_read_it(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai", "ana")
    for number, mode in enumerate(("anyone", "suggest", "chosen")):
        choices = ["ana"] if mode == "chosen" else []
        ask(matching, *choices, id=f"r{number}", mode=mode)
    assert open_tasks(matching) == ["names_somebody"] * 3
    assert matching.db.offers.count_documents({}) == 0
    assert places_of(matching, "ana") == (0, 0)
    make_room(matching, "ana", places=5)
    assert assign(matching) == []


def test_once_it_was_read_it_goes_on_without_those_named(matching: Service) -> None:
    add_practitioners(matching, "kai", "Elm Smith", "ana")
    ask(matching, mode="anyone")
    assert only(OfferMade, read_it(matching)).practitioner_id == "ana"
    assert open_tasks(matching) == []
    answer(matching, open_offer(matching), "not_this_time")
    assert matching.db.offers.count_documents({}) == 1
    assert document(matching, "requests", "r1")["state"] == "waiting"


def test_whom_they_chose_is_not_kept_away_by_being_mentioned(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai")
    ask(matching, ("juniper", "suggest"))
    assert only(OfferMade, read_it(matching)).practitioner_id == "juniper"


def test_unread_it_goes_on_by_itself_at_the_end_of_the_time_to_answer(
    matching: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_practitioners(matching, "kai", "ana")
    ask(matching, mode="anyone")
    clock = Clock(tmp_path / "clock", monkeypatch)
    clock.advance(days=4, hours=23)
    assert run_timer(matching, go_on_unread) == []
    clock.advance(hours=1, minutes=1)
    assert only(OfferMade, run_timer(matching, go_on_unread)).practitioner_id == "ana"
    assert open_tasks(matching) == []
    assert run_timer(matching, go_on_unread) == []


def test_somebody_who_comes_later_with_that_name_is_left_out_too(matching: Service) -> None:
    ask(matching, mode="anyone")
    read_it(matching)
    add_practitioners(matching, "kai")
    assert assign(matching) == []
    matching.run(write_profile, a_profile("kai", name="Robin"))
    assert only(OfferMade, assign(matching)).practitioner_id == "kai"
    assert document(matching, "requests", "r1")["state"] == "asking"


def test_saying_that_it_is_done_lets_nothing_go_on(matching: Service) -> None:
    add_practitioners(matching, "ana")
    ask(matching, mode="anyone")
    task = matching.db.coordinator_tasks.find_one({})
    assert task
    matching.run(resolve_task, ChangeTask(coordinator_id="ro", task_id=task["_id"]))
    assert matching.run(let_go_on, GoOn(coordinator_id="ro", request_id="r1")) == []  # not opened
    assert open_tasks(matching) == ["names_somebody"]
    assert document(matching, "requests", "r1")["state"] == "received"


def test_a_coordinator_may_also_ask_somebody_themselves(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    ask(matching, mode="suggest")
    command = AskPractitioner(coordinator_id="ro", request_id="r1", practitioner_id="kai")
    assert matching.run(ask_practitioner, command) == []
    command = AskPractitioner(coordinator_id="ro", request_id="r1", practitioner_id="ana")
    assert OfferMade in types_of(matching.run(ask_practitioner, command))
    assert open_tasks(matching) == []
    assert "held_until" not in document(matching, "requests", "r1")


def test_whoever_asked_for_a_person_is_shown_nobody_first(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai")
    ask(matching, mode="reach_out")
    assert open_tasks(matching) == ["reach_out"]
    assert document(matching, "requests", "r1")["suggested"] == []


def test_leaving_while_it_is_read_ends_it_and_forgets_the_names(matching: Service) -> None:
    ask(matching, mode="anyone")
    assert document(matching, "requests", "r1")["avoid_index"]
    matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    assert open_tasks(matching) == []
    assert document(matching, "requests", "r1")["avoid_index"] == []
    assert read_it(matching) == []


def test_no_word_of_it_lies_there_in_clear(matching: Service) -> None:
    ask(matching, mode="anyone")
    stored = str(list(matching.db.requests.find())) + str(list(matching.db.coordinator_tasks.find()))
    assert "kai" not in stored.casefold()
    assert "elm" not in stored.casefold()


@pytest.fixture
def both_desks(matching: Service, keys: Path) -> tuple[FlaskClient, FlaskClient]:
    add_coordinator("Kai Moreno", "kai@example.org", into=matching)
    add_coordinator("Ro", "ro@example.org", into=matching)
    return signed_in(matching, keys, "coordinator", "kai@example.org"), signed_in(matching, keys, "coordinator", "ro@example.org")


def test_a_coordinator_of_that_name_never_sees_the_request(
    matching: Service, both_desks: tuple[FlaskClient, FlaskClient]
) -> None:
    kai, ro = both_desks
    ask(matching, id="1a2b3c4d", mode="reach_out")
    matching.run(start_request, a_request_submitted(matching, id="r2", mode="reach_out"))
    task = matching.db.coordinator_tasks.find_one({"request_id": "1a2b3c4d"})
    assert task
    assert "2 things need a person" in ro.get("/c").text
    assert "1 thing needs a person" in kai.get("/c").text
    assert "Request 1a2b3c4d" not in kai.get("/c").text
    assert "/c/requests/1a2b3c4d" in ro.get("/c/requests?state=reaching_out").text
    listed = kai.get("/c/requests?state=reaching_out").text
    assert "/c/requests/1a2b3c4d" not in listed
    assert "/c/requests/r2" in listed
    assert kai.get("/c/requests/1a2b3c4d").status_code == 404
    assert press(kai, "/c/requests", "/c/requests/find", number="1a2b3c4d").status_code == 422
    assert press(ro, "/c/requests", "/c/requests/find", number="1a2b3c4d").status_code == 303
    for path in (
        "/c/requests/1a2b3c4d/open",
        "/c/requests/1a2b3c4d/write",
        "/c/requests/1a2b3c4d/goes_on",
        f"/c/tasks/{task['_id']}/take",
    ):
        hidden = {"form_id": "f1", "csrf_token": token_of(kai), "words": "hello"}
        assert kai.post(path, data=hidden).status_code == 404
    assert matching.db.audit.count_documents({}) == 0
    assert desk.view_desk(matching.db).open_tasks == 2


def token_of(visitor: FlaskClient) -> str:
    html = visitor.get("/c/requests").text
    return html.split('name="csrf_token" value="')[1].split('"')[0]


def test_a_held_request_is_on_the_desk_and_goes_on_from_there(
    matching: Service, both_desks: tuple[FlaskClient, FlaskClient]
) -> None:
    _, ro = both_desks
    add_practitioners(matching, "ana")
    ask(matching, mode="anyone")
    assert "Read whom they would never meet: nobody is asked until then" in ro.get("/c").text
    assert "/c/requests/r1" in ro.get("/c/requests?state=received").text
    assert "I read it: it may go on" not in ro.get("/c/requests/r1").text
    press(ro, "/c/requests/r1", "/c/requests/r1/open")
    html = ro.get("/c/requests/r1").text
    assert "anybody from Elm Street clinic" in html
    assert "This is done" not in html
    place = press(ro, "/c/requests/r1", "/c/requests/r1/goes_on").location
    assert "It goes on, without those whose name they wrote." in ro.get(place).text
    assert open_offer(matching)


def test_their_own_choice_on_the_page_changes_nothing_while_it_is_read(matching: Service) -> None:
    add_practitioners(matching, "ana")
    ask(matching, mode="anyone")
    matching.run(apply_choice, ChoiceMade(request_id="r1", next="ask", practitioner_id="ana"))
    assert matching.db.offers.count_documents({}) == 0


def test_a_correction_brings_new_names_and_keeps_those_that_stand(matching: Service) -> None:
    add_practitioners(matching, "kai", "ana", "mo")
    ask(matching, mode="suggest")
    read_it(matching)
    assert document(matching, "requests", "r1")["suggested"]
    again = a_request_submitted(matching, words={"avoid_words": "Kai, and Mo from the market"})
    changed = RequestChanged(request_id="r1", change=1, time_zone="America/New_York", encrypted=again.encrypted)
    matching.run(correct_request, changed)
    for name, possible in (("kai", False), ("mo", False), ("ana", True)):
        command = AskPractitioner(coordinator_id="ro", request_id="r1", practitioner_id=name)
        assert bool(matching.run(ask_practitioner, command)) == possible


def forget_names(matching: Service) -> None:
    """As an older release stored them, and as this one stores again what it read of that."""
    matching.db.practitioners.update_one({"_id": "kai"}, {"$unset": {"name_index": ""}})
    matching.db.practitioners.update_one({"_id": "elm"}, {"$set": {"name_index": []}})
    matching.db.coordinators.update_many({}, {"$unset": {"name_index": ""}})


def test_whoever_was_stored_before_names_were_compared_is_left_out_too(matching: Service) -> None:
    add_practitioners(matching, "kai", "elm", "ana")
    add_coordinator("Kai Moreno", "kai@example.org", into=matching)
    known = [row["name_index"] for row in matching.db.practitioners.find().sort("_id", 1)]
    forget_names(matching)
    for handler in (index_practitioner, index_coordinator):
        assert run_timer(matching, handler) == []
    assert [row["name_index"] for row in matching.db.practitioners.find().sort("_id", 1)] == known
    assert matching.db.coordinators.count_documents({"name_index": {"$size": 2}}) == 1
    ask(matching, mode="anyone")
    assert only(OfferMade, read_it(matching)).practitioner_id == "ana"


def test_each_is_looked_at_once_also_whose_name_has_no_part_to_compare(matching: Service) -> None:
    add_practitioners(matching, "kai")
    add_practitioners(matching, "li", name="李")
    matching.db.practitioners.update_many({}, {"$unset": {"name_index": ""}})
    assert len(list(find_practitioners(matching.db))) == 2
    run_timer(matching, index_practitioner)
    assert list(find_practitioners(matching.db)) == []
    before = list(matching.db.practitioners.find())
    matching.run(index_practitioner, "kai")
    assert list(matching.db.practitioners.find()) == before


def test_they_are_found_by_an_index(matching: Service) -> None:
    matching.db.practitioners.insert_many([{"_id": f"p{n}", "name_index": ["x"], "email_index": f"p{n}"} for n in range(300)])
    assert most_read(matching.db, lambda db: list(find_practitioners(db))) <= 1
