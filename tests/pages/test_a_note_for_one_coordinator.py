"""A note to one coordinator: read by nobody else, and by anybody once its writer waited long enough and says so."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from services.intake.handlers.broker_events import add_opening, save_team_member, show_unreadable_note
from services.matching.coordinators import add_coordinator
from services.matching.handlers.broker_events import forward_note
from services.matching.handlers.coordinator import ChangeTask, OpenRequest, record_opening, resolve_task
from services.matching.handlers.team import ShowOnPages, release_notes, show_on_pages
from shared import vault
from shared.clock import now
from shared.contracts import CoordinatorNeeded, NoteAnswered, NotesReleased, NoteUnreadable, RequestOpened, TeamChanged
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, document, only, open_tasks, submit
from tests.pages.intake_site import ask_for, make_site, post, published
from tests.pages.matching_site import press, signed_in

WORDS = "only for your eyes, about willows"


# At the desk


@pytest.fixture
def desks(matching: Service, keys: Path) -> dict[str, FlaskClient]:
    found = {}
    for name in ("Kai Moreno", "Ro"):
        first = name.split()[0].lower()
        add_coordinator(name, f"{first}@example.org", into=matching)
        found[first] = signed_in(matching, keys, "coordinator", f"{first}@example.org")
    return found


def id_of(matching: Service, name: str) -> str:
    index = matching.vault.blind_index("email", f"{name}@example.org")
    row = matching.db.coordinators.find_one({"email_index": index})
    assert row
    return str(row["_id"])


def write_to(matching: Service, coordinator: str | None, note_id: str = "n1", words: str = WORDS) -> list[Event]:
    row = document(matching, "requests", "r1")
    person = "supportee of r1"
    key = matching.vault.unwrap(row["encrypted"]["wrap"], person)
    encrypted = vault.encrypt(key, person, vault.note_field(note_id), words)
    chosen = id_of(matching, coordinator) if coordinator else None
    note = NoteAnswered(note_id=note_id, request_id="r1", encrypted=encrypted, to="coordinators", coordinator_id=chosen)
    return matching.run(forward_note, note)


def opened(desk: FlaskClient) -> str:
    if "Open this request" in desk.get("/c/requests/r1").text:
        press(desk, "/c/requests/r1", "/c/requests/r1/open")
    return desk.get("/c/requests/r1").text


def test_only_who_was_chosen_reads_it_and_the_others_see_for_whom_it_waits(
    matching: Service, desks: dict[str, FlaskClient]
) -> None:
    submit(matching, mode="reach_out")
    only(CoordinatorNeeded, write_to(matching, "kai"))
    assert "They wrote to the coordinators" in desks["ro"].get("/c").text
    assert "Kai Moreno" in desks["ro"].get("/c").text
    assert WORDS in opened(desks["kai"])
    html = opened(desks["ro"])
    assert WORDS not in html
    assert "They wrote something for Kai Moreno alone." in html
    write_to(matching, None, "n2", "for all of you")
    assert "for all of you" in opened(desks["ro"])


def test_what_that_one_answers_is_between_the_two(matching: Service, desks: dict[str, FlaskClient]) -> None:
    submit(matching, mode="reach_out")
    write_to(matching, "kai")
    opened(desks["kai"])
    press(desks["kai"], "/c/requests/r1", "/c/requests/r1/write", words="I am here")
    assert "I am here" in desks["kai"].get("/c/requests/r1").text
    assert "I am here" not in opened(desks["ro"])
    press(desks["ro"], "/c/requests/r1", "/c/requests/r1/write", words="a note from Ro")
    assert "a note from Ro" in desks["kai"].get("/c/requests/r1").text


def test_nobody_else_says_that_it_is_done_before_that_one_has_read_it(matching: Service, desks: dict[str, FlaskClient]) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, mode="reach_out")
    write_to(matching, "kai")
    task = matching.db.coordinator_tasks.find_one({"reason": "wrote"})
    assert task
    done = ChangeTask(coordinator_id=id_of(matching, "ro"), task_id=task["_id"])
    assert f"/c/tasks/{task['_id']}/done" not in opened(desks["ro"])
    press(desks["ro"], "/c/requests/r1", "/c/requests/r1/write", words="a note from Ro")
    matching.run(resolve_task, done)
    press(desks["ro"], "/c/requests/r1", "/c/requests/r1/ask", practitioner="juniper")
    assert open_tasks(matching) == ["wrote"]
    opened(desks["kai"])
    matching.run(resolve_task, done)
    assert open_tasks(matching) == []


def test_once_they_let_anybody_the_desk_is_called_and_everybody_reads_it(
    matching: Service, desks: dict[str, FlaskClient]
) -> None:
    submit(matching, mode="reach_out")
    write_to(matching, "kai")
    assert only(CoordinatorNeeded, matching.run(release_notes, NotesReleased(request_id="r1"))).reason == "wrote"
    assert WORDS in opened(desks["ro"])
    assert matching.db.coordinator_tasks.count_documents({"reason": "wrote", "holder": {"$exists": True}}) == 0
    assert matching.run(release_notes, NotesReleased(request_id="r1")) == []
    assert sorted(open_tasks(matching)) == ["reach_out", "wrote"]


@pytest.mark.usefixtures("desks")
def test_what_is_for_somebody_who_never_sees_the_request_is_read_by_nobody_before_they_let_others(
    matching: Service, desks: dict[str, FlaskClient]
) -> None:
    submit(matching, mode="reach_out", words={"avoid_words": "Kai"})
    events = write_to(matching, "kai")
    assert events == [NoteUnreadable(request_id="r1", note_id="n1")]
    assert desks["kai"].get("/c/requests/r1").status_code == 404
    assert WORDS not in opened(desks["ro"])
    assert "wrote" not in open_tasks(matching)
    matching.run(release_notes, NotesReleased(request_id="r1"))
    assert WORDS in opened(desks["ro"])
    assert desks["kai"].get("/c/requests/r1").status_code == 404


def test_a_coordinator_agrees_to_be_shown_by_their_first_name_and_takes_it_back(
    matching: Service, desks: dict[str, FlaskClient]
) -> None:
    assert press(desks["kai"], "/c", "/c/shown", shown="yes").location == "/c?done=shown"
    assert "Do not show my name" in desks["kai"].get("/c").text
    command = ShowOnPages(coordinator_id=id_of(matching, "kai"), is_shown=True)
    assert matching.run(show_on_pages, command) == []
    add_coordinator("Kaia Moreno", "kai@example.org", into=matching)
    assert press(desks["kai"], "/c", "/c/shown", shown="no").location == "/c?done=not_shown"
    said = [event for event in published(matching, "team.changed.v1") if isinstance(event, TeamChanged)]
    names = [matching.vault.decrypt_profile(one.coordinator_id, one.encrypted_profile) if one.is_shown else "" for one in said]
    assert names == ['{"name": "Kai"}', '{"name": "Kaia"}', ""]
    assert sorted({one.version for one in said}) == [one.version for one in said]


def test_the_opening_says_to_intake_who_it_was(matching: Service, desks: dict[str, FlaskClient]) -> None:
    assert desks
    submit(matching, mode="reach_out")
    kai = id_of(matching, "kai")
    assert (
        only(RequestOpened, matching.run(record_opening, OpenRequest(coordinator_id=kai, request_id="r1"))).coordinator_id == kai
    )


# On their own page


@pytest.fixture
def wren(intake: Service, keys: Path) -> Iterator[FlaskClient]:
    with make_site(intake, keys).test_client() as client:
        ask_for(client, "juniper")
        post(client, "/ask/check")
        yield client


def show(intake: Service, id: str, name: str, version: int = 1, *, is_shown: bool = True) -> None:
    profile = intake.vault.encrypt_profile(id, f'{{"name": "{name}"}}') if is_shown else ""
    event = TeamChanged(coordinator_id=id, version=version, is_shown=is_shown, encrypted_profile=profile)
    intake.run(save_team_member, event)


def request_id(intake: Service) -> str:
    row = intake.db.requests.find_one()
    assert row
    return str(row["_id"])


def test_without_anybody_shown_nothing_is_asked(wren: FlaskClient) -> None:
    html = wren.get("/s/write/coordinators").text
    assert "Who reads it?" not in html
    assert "One or two coordinators read it." in html


def test_whom_they_choose_travels_as_an_id_and_stands_on_their_page(wren: FlaskClient, intake: Service) -> None:
    show(intake, "c-kai", "Kai")
    show(intake, "c-ro", "Ro")
    html = wren.get("/s/write/coordinators").text
    assert "Any coordinator" in html
    assert "Kai, a coordinator" in html
    assert 'value="coordinators" checked' in html
    assert post(wren, "/s/write", to="c-kai", words="hello Kai").headers["Location"] == "/s"
    post(wren, "/s/write", to="coordinators", words="hello all")
    first, second = published(intake, "note.answered.v1")
    assert isinstance(first, NoteAnswered)
    assert isinstance(second, NoteAnswered)
    assert (first.to, first.coordinator_id, second.coordinator_id) == ("coordinators", "c-kai", None)
    assert "You wrote to Kai" in wren.get("/s").text


def test_whoever_is_shown_no_more_cannot_be_chosen_and_nothing_typed_is_lost(wren: FlaskClient, intake: Service) -> None:
    show(intake, "c-kai", "Kai", 2)
    show(intake, "c-kai", "Kai", 3, is_shown=False)
    show(intake, "c-kai", "Kai", 2)
    assert "Kai" not in wren.get("/s/write/coordinators").text
    answer = post(wren, "/s/write", to="c-kai", words="kept words")
    assert answer.status_code == 422
    assert "kept words" in answer.text
    assert published(intake, "note.answered.v1") == []


LATE = "Kai has not opened what you wrote yet."


@pytest.fixture
def written(wren: FlaskClient, intake: Service) -> FlaskClient:
    show(intake, "c-kai", "Kai")
    post(wren, "/s/write", to="c-kai", words="hello Kai")
    return wren


def wrote_before(intake: Service, **time: float) -> None:
    intake.db.requests.update_one({}, {"$set": {"notes.0.at": now() - timedelta(**time)}})


def test_after_three_days_their_page_says_that_it_waits_and_offers_any(written: FlaskClient, intake: Service) -> None:
    wrote_before(intake, days=2, hours=23)
    assert LATE not in written.get("/s").text
    wrote_before(intake, days=3, hours=1)
    assert LATE in written.get("/s").text
    page = written.get("/s").text
    assert 'action="/s/write/any"' in page
    for _ in range(2):
        post(written, "/s/write/any", at="/s")
    assert LATE not in written.get("/s").text
    assert published(intake, "notes.released.v1") == [NotesReleased(request_id=request_id(intake))]


def test_whoever_never_sees_the_request_is_named_at_once_and_cannot_be_chosen_again(
    written: FlaskClient, intake: Service
) -> None:
    [note] = intake.db.requests.find_one()["notes"]  # type: ignore[index]
    intake.run(show_unreadable_note, NoteUnreadable(request_id=request_id(intake), note_id=note["_id"]))
    assert "Nobody has read it. You can let the other coordinators read it." in written.get("/s").text
    assert "c-kai" not in written.get("/s/write").text
    post(written, "/s/write/any", at="/s")
    assert "Nobody has read it" not in written.get("/s").text


def test_once_it_was_opened_it_says_nothing(written: FlaskClient, intake: Service) -> None:
    wrote_before(intake, days=4)
    for number, who in enumerate(("c-ro", "c-kai")):
        assert LATE in written.get("/s").text
        intake.run(
            add_opening,
            RequestOpened(opening_id=f"o{number}", request_id=request_id(intake), opened_at=now(), coordinator_id=who),
        )
    assert LATE not in written.get("/s").text


def test_a_note_that_has_nothing_to_do_with_one_coordinator_is_as_ever(wren: FlaskClient, intake: Service) -> None:
    post(wren, "/s/write", words="hello")
    [answered] = published(intake, "note.answered.v1")
    assert isinstance(answered, NoteAnswered)
    assert answered.coordinator_id is None
    assert intake.db.requests.count_documents({"notes.coordinator_id": {"$exists": True}}) == 0
