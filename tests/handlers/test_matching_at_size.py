"""Nothing that matching reads grows with all that is stored: by index, and a page or a handful at a time."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.matching import rules, store
from services.matching.domain import CoordinatorTask, Practitioner, Request
from services.matching.handlers import desk, reading
from services.matching.handlers.requests import next_step
from services.matching.store.pages import Page
from shared import documents
from shared.clock import now
from shared.contracts import EncryptedFields, PractitionerState
from shared.mongo import Db
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, assign, make_room, profiled, submit
from tests.people import MONDAY, NEW_YORK, a_practitioner, a_request
from tests.waiting_lists import add_practitioners_who_are_full, add_waiting

MANY = 400
WORDS = EncryptedFields(person_id="s", wrap="w", fields={})
TODAY = MONDAY.date()


def add_tasks(matching: Service, count: int, *, person_id: str | None = None) -> list[str]:
    """What is due first on top. Some are due at the same moment."""
    tasks = [
        CoordinatorTask(
            id=f"task-{number:04}",
            reason="wrote",
            person_id=person_id,
            since=MONDAY,
            due_at=MONDAY + timedelta(hours=number // 3),
        )
        for number in range(count)
    ]
    documents.save(matching.db.coordinator_tasks, *tasks, derived=["is_open"])
    return [task.id for task in tasks]


def walk(read: Callable[..., Page[Any]], id_of: Callable[[Any], str]) -> tuple[list[str], list[str]]:
    """The ids from the first page to the last, and from there back to the first, page by page."""
    page = read()
    there = [id_of(item) for item in page.items]
    while page.has_next:
        page = read(after=id_of(page.items[-1]))
        there += [id_of(item) for item in page.items]
    back = [id_of(item) for item in page.items]
    while page.has_previous:
        page = read(before=id_of(page.items[0]))
        back = [id_of(item) for item in page.items] + back
    return there, back


@pytest.mark.parametrize("count", [0, 1, store.tasks.PAGE, store.tasks.PAGE + 1, 3 * store.tasks.PAGE])
def test_every_open_task_is_on_one_page_of_the_desk_what_is_due_first_on_top(matching: Service, count: int) -> None:
    ids = add_tasks(matching, count)

    def read(**place: str) -> Page[desk.TaskView]:
        return desk.view_desk(matching.db, **place).tasks

    assert walk(read, lambda shown: shown.task.id) == (ids, ids)
    assert desk.view_desk(matching.db).open_tasks == count


def test_a_page_goes_on_after_a_task_that_is_done_meanwhile_and_begins_anew_when_none_is_left(matching: Service) -> None:
    ids = add_tasks(matching, store.tasks.PAGE + 2)
    last = ids[store.tasks.PAGE - 1]
    matching.db.coordinator_tasks.update_one({"_id": last}, {"$set": {"is_open": False}})
    assert [shown.task.id for shown in desk.view_desk(matching.db, after=last).tasks.items] == ids[-2:]
    matching.db.coordinator_tasks.update_many({"_id": {"$in": ids[-2:]}}, {"$set": {"is_open": False}})
    again = desk.view_desk(matching.db, after=last).tasks
    assert (again.items[0].task.id, again.has_previous) == (ids[0], False)


@pytest.mark.parametrize("place", [{"after": "nobody"}, {"before": "nobody"}, {"after": ""}])
def test_an_unknown_place_in_a_list_is_its_beginning(matching: Service, place: dict[str, str]) -> None:
    ids = add_tasks(matching, 3)
    assert [shown.task.id for shown in desk.view_desk(matching.db, **place).tasks.items] == ids


def test_every_practitioner_is_on_one_page_of_the_list_of_their_state(matching: Service) -> None:
    random, expected = Random(4), dict[PractitionerState, list[Practitioner]]()
    for state in ("open", "stepped_back"):
        asked = [None] * 70 + [MONDAY + timedelta(hours=random.randrange(30)) for _ in range(70)]
        expected[state] = [listed(matching, f"{state}-{number}", state, moment) for number, moment in enumerate(asked)]
        store.practitioners.save(matching.db, *expected[state])
    for state, people in expected.items():
        in_order = sorted(people, key=lambda one: (one.last_asked_at is not None, one.last_asked_at or MONDAY, one.id))
        ids = [one.id for one in in_order]
        assert walk(partial(reading.list_practitioners, matching.db, state), lambda shown: shown.practitioner.id) == (ids, ids)


def listed(matching: Service, id: str, state: PractitionerState, asked_at: Any = None) -> Practitioner:
    profile = f'{{"slug": "{id}", "name": "{id}"}}'
    encrypted = matching.vault.encrypt_profile(id, profile)
    facts = {"state": state, "published_state": state, "last_asked_at": asked_at, "slug_index": id}
    return a_practitioner(id, **facts, encrypted_profile=encrypted)


# What is read


@pytest.fixture
def many(matching: Service) -> list[str]:
    """MANY who stepped back, fewer who are full, two with room, a long waiting list and many open tasks."""
    random = Random(6)
    gone = [listed(matching, f"gone-{number:04}", "stepped_back") for number in range(MANY)]
    store.practitioners.save(matching.db, *gone)
    full = add_practitioners_who_are_full(matching, MANY // 4, 1, random)
    add_practitioners(matching, "ana", "kai")
    add_waiting(matching.db, MANY, "places", full, random)
    add_tasks(matching, MANY, person_id="ana")
    submit(matching, mode="reach_out", id="read")
    return full


def first_step(db: Db, *choices: Any, **facts: Any) -> rules.Step:
    return next_step(a_request(*choices, **facts), db)


READ: dict[str, Callable[[Db], object]] = {
    "the desk": desk.view_desk,
    "the desk, further down": lambda db: desk.view_desk(db, after="task-0200"),
    "the desk, back": lambda db: desk.view_desk(db, before="task-0200"),
    "all that are asking": lambda db: desk.list_requests(db, "asking"),
    "all that wait, further down": lambda db: desk.list_requests(db, "waiting", after="read"),
    "a request by its number": lambda db: desk.find_by_number(db, "read"),
    "tasks about a person": lambda db: desk.tasks_about_person(db, "nobody"),
    "a request": lambda db: reading.view_request(store.requests.find(db, "read"), db, "ro"),  # type: ignore[arg-type]
    "whoever is open": lambda db: reading.list_practitioners(db, "open"),
    "whoever stepped back": lambda db: reading.list_practitioners(db, "stepped_back", after="gone-0200"),
    "by address": lambda db: store.practitioners.find_by_email(db, "unknown"),
    "by page": lambda db: store.practitioners.find_by_slug(db, "gone-0007"),
    "a person's open task": lambda db: store.tasks.find_open_about_person(db, "nobody"),
    "a practitioner's page": lambda db: reading.view_practitioner("ana", db),
    "chosen": lambda db: first_step(db, ("ana", "wait")),
    "anyone": lambda db: first_step(db, mode="anyone"),
    "suggest": first_step,
    "nobody speaks their language": lambda db: first_step(db, languages=("zu",), avoid=("ana", "kai")),
}


@pytest.mark.parametrize("what", READ)
def test_what_a_page_or_a_first_step_reads_is_found_by_index(matching: Service, many: list[str], what: str) -> None:
    with profiled(matching) as operations:
        READ[what](matching.db)
    assert operations
    assert [operation["planSummary"] for operation in operations if "COLLSCAN" in operation.get("planSummary", "")] == []
    assert max(operation.get("docsExamined", 0) for operation in operations) <= len(many) + 10
    assert not any(operation.get("hasSortStage") and operation["docsExamined"] > 10 for operation in operations)


def test_beside_a_long_run_a_first_step_looks_only_at_whoever_it_needs(matching: Service) -> None:
    """All have a trigger and room, and nobody waits for them: as many are looked at as are suggested."""
    random = Random(8)
    for id in add_practitioners_who_are_full(matching, 20, 1, random):
        make_room(matching, id, 1)
    with profiled(matching) as operations:
        step = first_step(matching.db)
    assert len(step.practitioner_ids) == rules.MOST_SUGGESTIONS
    assert len(operations) <= 2 + 2 * rules.MOST_SUGGESTIONS


def test_a_coordinator_is_shown_the_best_of_many(matching: Service) -> None:
    people = [listed(matching, f"p{number:02}", "open") for number in range(reading.MOST_AVAILABLE + 10)]
    store.practitioners.save(matching.db, *people)
    request = a_request(mode="reach_out")
    best = [one.id for one in rules.rank_candidates(request, people, now().date())]
    available = reading.view_request(request, matching.db, "ro").available
    assert [id for id, _ in available] == best[: reading.MOST_AVAILABLE]


answers = st.fixed_dictionaries(
    {
        "languages": st.sets(st.sampled_from(["en", "es", "fr"])).map(tuple),
        "meeting_types": st.sets(st.sampled_from(["video", "phone"])).map(tuple),
        "help": st.sets(st.sampled_from(["listening", "forms"])).map(tuple),
    }
)
limits = st.fixed_dictionaries(
    {
        "ages": st.sets(st.sampled_from(["under_18", "26_to_64"])).map(tuple),
        "not_now": st.sets(st.sampled_from(["listening", "forms"])).map(tuple),
        "places": st.integers(0, 1),
        "state": st.sampled_from(["open", "full", "stepped_back"]),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(st.tuples(answers, limits), max_size=12),
    wish=answers,
    age_group=st.sampled_from([None, "under_18", "26_to_64"]),
)
def test_the_query_leaves_out_nobody_who_suits(matching: Service, people: Any, wish: Any, age_group: Any) -> None:
    matching.db.practitioners.delete_many({})
    everyone = [
        a_practitioner(f"p{number}", slug_index=f"p{number}", **facts, **more) for number, (facts, more) in enumerate(people)
    ]
    store.practitioners.save(matching.db, *everyone)
    request: Request = a_request(**wish, age_group=age_group, time_zone=NEW_YORK)
    for found, suits in (
        (store.practitioners.with_room_who_may_suit(matching.db, request), rules.may_be_asked),
        (store.practitioners.who_may_suit(matching.db, request), rules.could_be_asked_later),
    ):
        expected = {one.id for one in everyone if suits(request, one, TODAY)}
        assert {one.id for one in found if suits(request, one, TODAY)} == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wishes=st.lists(st.tuples(answers, st.sampled_from([None, "under_18", "26_to_64"])), max_size=12),
    people=st.lists(st.tuples(answers, limits), min_size=1, max_size=3),
)
def test_the_query_of_the_waiting_list_leaves_out_nobody_who_suits_one_of_them(
    matching: Service, wishes: Any, people: Any
) -> None:
    matching.db.requests.delete_many({})
    numbered = [(f"r{number}", {**wish, "age_group": age_group}) for number, (wish, age_group) in enumerate(wishes)]
    waiting = [a_request(id=id, mode="anyone", encrypted=WORDS, **facts) for id, facts in numbered]
    for request in waiting:
        request.wait_for_place(())
    store.requests.save(matching.db, *waiting)
    free = [a_practitioner(f"p{number}", **facts, **more) for number, (facts, more) in enumerate(people)]

    def one_suits(request: Request) -> bool:
        return any(rules.suits(request, one, TODAY) for one in free)

    found = list(store.requests.waiting_in(matching.db, "anyone", free, 5))
    assert {one.id for one in found if one_suits(one)} == {one.id for one in waiting if one_suits(one)}
    assert all(one.encrypted is None for one in found)


def test_a_place_that_suits_nobody_who_waits_reads_nobody(matching: Service) -> None:
    """However long the list is: it is looked through by the database, and nothing of it is handed over."""
    (id,) = add_practitioners_who_are_full(matching, 1, 1, Random(1))
    matching.db.practitioners.update_one({"_id": id}, {"$set": {"languages": ["zu"]}})
    add_waiting(matching.db, MANY, "suggestions", [id], Random(2))
    make_room(matching, id, 1)
    with profiled(matching) as operations:
        assert assign(matching) == []
    on_requests = [operation for operation in operations if operation["ns"].endswith(".requests")]
    assert sum(operation.get("nreturned", 0) for operation in on_requests) == 0
