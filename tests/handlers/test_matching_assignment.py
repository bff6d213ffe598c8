"""The assignment job: what comes free goes to those who wait, in order, and nobody's click waits for it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.matching import rules, store
from services.matching.handlers.assignment import (
    SUGGESTIONS_IN_A_RUN,
    AssignPlaces,
    SuggestToWaiting,
    assign_free_places,
    assign_places,
    suggest_to_waiting,
)
from services.matching.handlers.assignment_job import AssignmentJob, run_assignment_job
from services.matching.handlers.broker_events import apply_choice, start_request, withdraw_request
from services.matching.handlers.coordinator import write_profile
from services.matching.rules import Waiting
from shared import metrics
from shared.clock import now
from shared.contracts import ChoiceMade, CoordinatorNeeded, OfferMade, RequestWaiting, RequestWithdrawn, SuggestionsMade
from shared.messages import Event
from shared.mongo import Db
from shared.service import Service
from shared.transaction import StaleObject
from tests.handlers.matching_steps import (
    add_practitioners,
    answer,
    assign,
    document,
    make_room,
    only,
    open_offer,
    places_of,
    profiled,
    submit,
    types_of,
)
from tests.people import MONDAY, a_profile, a_request_submitted
from tests.rules.deferred_acceptance import deferred_acceptance
from tests.waiting_lists import add_practitioners_who_are_full, add_waiting

SECONDS_TO_WAIT = 30.0
LATER = MONDAY + timedelta(hours=1)


def offered(events: list[Event]) -> dict[str, str]:
    return {event.request_id: event.practitioner_id for event in events if isinstance(event, OfferMade)}


def wait_until(reached: Callable[[], object]) -> None:
    waited = threading.Event()
    for _ in range(int(SECONDS_TO_WAIT / 0.02)):
        if reached():
            return
        waited.wait(0.02)
    raise AssertionError("it did not come to that")


# Who gets a place


def test_a_click_that_frees_a_place_leaves_the_assignment_to_the_job(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"))
    assert OfferMade not in types_of(make_room(matching, "juniper", 1))
    assert only(OfferMade, assign(matching)).request_id == "r1"
    assert matching.db.assignment_triggers.count_documents({}) == 0


def test_whoever_is_passed_by_gets_the_next_whom_they_named(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai", state="full")
    for id, names in {"first": ["ana"], "second": ["ana", "kai"]}.items():
        submit(matching, *[(name, "wait") for name in names], id=id, submitted_at=MONDAY + timedelta(hours=id == "second"))
        matching.db.requests.update_one({"_id": id}, {"$set": {"wanted": names}})
    for name in ("ana", "kai"):
        make_room(matching, name, 1)
    assert offered(assign(matching)) == {"first": "ana", "second": "kai"}


def test_whoever_came_to_wait_while_somebody_had_room_is_not_forgotten(matching: Service) -> None:
    """The place came free in the very moment in which they were told to wait, and neither saw the other."""
    add_practitioners(matching, "juniper", state="full")
    assign(matching)
    submit(matching, ("juniper", "wait"))
    matching.db.practitioners.update_one({"_id": "juniper"}, {"$set": {"state": "open", "has_room": True}})
    assert only(OfferMade, assign(matching)).request_id == "r1"


def test_a_place_that_came_free_is_not_taken_by_whoever_comes_just_then(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"), id="waits")
    assign(matching)
    make_room(matching, "juniper", 1)
    assert only(RequestWaiting, submit(matching, ("juniper", "wait"), id="comes", submitted_at=LATER)).practitioner_ids == (
        "juniper",
    )
    assert offered(assign(matching)) == {"waits": "juniper"}


def test_whoever_comes_may_have_what_those_who_wait_leave(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"), id="waits")
    assign(matching)
    make_room(matching, "juniper", 2)
    assert only(OfferMade, submit(matching, ("juniper", "wait"), id="comes", submitted_at=LATER)).practitioner_id == "juniper"
    assert offered(assign(matching)) == {"waits": "juniper"}
    assert places_of(matching, "juniper") == (2, 2)


def test_nobody_is_offered_again_what_they_said_no_to(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    submit(matching, mode="anyone")
    answer(matching, open_offer(matching), "not_this_time")
    assert assign(matching) == []
    assert document(matching, "requests", "r1")["queue"] == "anyone"


def test_a_place_goes_past_those_whom_it_does_not_suit(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full", languages=("es",))
    submit(matching, mode="anyone", languages=("en",), id="english", submitted_at=MONDAY)
    submit(matching, mode="anyone", languages=("es",), avoid=("juniper",), id="avoids", submitted_at=MONDAY)
    submit(matching, mode="anyone", languages=("es",), id="spanish", submitted_at=LATER)
    make_room(matching, "juniper", 1)
    assert offered(assign(matching)) == {"spanish": "juniper"}


def test_an_offer_clears_the_task_that_nobody_suits(matching: Service) -> None:
    assert only(CoordinatorNeeded, submit(matching, mode="anyone")).reason == "nobody_suits"
    add_practitioners(matching, "juniper")
    assert only(OfferMade, assign(matching)).after_waiting
    assert matching.db.coordinator_tasks.count_documents({"is_open": True}) == 0


def test_places_go_before_suggestions_so_that_nobody_is_shown_who_has_no_room_left(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, id="suggestions")
    submit(matching, mode="anyone", id="anyone")
    make_room(matching, "juniper", 1)
    events = assign(matching)
    assert (offered(events), SuggestionsMade in types_of(events)) == ({"anyone": "juniper"}, False)


# What changed between the decision and its transaction


def test_what_changed_meanwhile_is_skipped(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai", state="full")
    for id in ("stays", "leaves", "late"):
        submit(matching, mode="anyone", id=id)
    make_room(matching, "ana", 1)
    matching.run(withdraw_request, RequestWithdrawn(request_id="leaves"))
    pairs = (("leaves", "ana"), ("stays", "kai"), ("stays", "ana"), ("late", "ana"), ("unknown", "ana"), ("late", "unknown"))
    assert offered(matching.run(assign_places, AssignPlaces(pairs=pairs))) == {"stays": "ana"}
    assert matching.run(assign_places, AssignPlaces(pairs=pairs)) == []


def test_limits_that_changed_meanwhile_count(matching: Service) -> None:
    add_practitioners(matching, "ana", languages=("en",))
    assign(matching)
    submit(matching, mode="anyone", languages=("es",))
    command = AssignPlaces(pairs=(("r1", "ana"),))
    assert matching.run(assign_places, command) == []
    matching.run(write_profile, a_profile("ana", languages=("es",)))
    assert offered(matching.run(assign_places, command)) == {"r1": "ana"}


def test_a_suggestion_of_somebody_who_filled_up_meanwhile_is_not_made(matching: Service) -> None:
    add_practitioners(matching, "ana", "kai", state="full")
    submit(matching)
    make_room(matching, "ana", 1)
    command = SuggestToWaiting(suggestions=(("r1", ("kai", "ana")), ("r1", ("ana",)), ("unknown", ("ana",))))
    assert only(SuggestionsMade, matching.run(suggest_to_waiting, command)).practitioner_ids == ("ana",)


def test_a_place_lost_to_somebody_else_is_made_good_with_the_next_best(matching: Service) -> None:
    """Two runs at once over the same list, as after a lease that ended too early: no place is given twice, none is left."""
    random = Random(5)
    ids = add_practitioners_who_are_full(matching, 12, 2, random)
    add_waiting(matching.db, 120, "places", ids, random)
    for id in ids:
        make_room(matching, id, 2)
    threads = [threading.Thread(target=assign, args=(matching,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assign(matching)
    held = Counter(row["practitioner_id"] for row in matching.db.offers.find({"is_open": True}))
    assert all(places_of(matching, id) == (held[id], held[id]) for id in ids)
    assert max(held.values()) <= 2
    assert nobody_could_still_be_asked(matching)


def nobody_could_still_be_asked(matching: Service) -> bool:
    free, today = store.practitioners.with_room(matching.db), now().date()
    waiting = [request for queue in ("named", "anyone") for request in store.requests.waiting_in(matching.db, queue, free, 100)]  # type: ignore[arg-type]
    return not any(
        rules.may_be_asked(request, practitioner, today)
        for request in waiting
        for practitioner in free
        if not request.wanted or practitioner.id in request.wanted
    )


def test_an_object_that_somebody_else_changed_is_not_written_over(matching: Service) -> None:
    """Outside a transaction, where Mongo finds no conflict."""
    add_practitioners(matching, "ana")
    one, other = [store.practitioners.find(matching.db, "ana") for _ in range(2)]
    assert one
    assert other
    one.rest(None)
    store.practitioners.save(matching.db, one)
    other.hold_place(now())
    with pytest.raises(StaleObject):
        store.practitioners.save(matching.db, other)
    assert document(matching, "practitioners", "ana")["state"] == "resting"


# At size


def test_hundreds_get_what_deferred_acceptance_gives_them(matching: Service) -> None:
    random = Random(7)
    ids = add_practitioners_who_are_full(matching, 30, 2, random)
    add_waiting(matching.db, 600, "places", ids, random)
    for id in ids:
        make_room(matching, id, 2)
    expected = expected_assignment(matching)
    assert offered(assign(matching)) == expected
    assert len(expected) == 60


def expected_assignment(matching: Service) -> dict[str, str]:
    """By deferred acceptance over all of them at once; those who would meet anyone rank by what the rules say of this day, which
    depends on who was asked last: so the practitioners are as they are before the run."""
    people = {one.id: one for one in store.practitioners.with_room(matching.db)}
    today, waiting = now().date(), []
    for request in store.requests.waiting_in(matching.db, "named", people.values(), 100):
        ranking = tuple(id for id in request.wanted if id in people and rules.suits(request, people[id], today))
        waiting.append(Waiting(request_id=request.id, since=request.submitted_at, ranking=ranking, named=True))
    for request in store.requests.waiting_in(matching.db, "anyone", people.values(), 100):
        ranking = tuple(one.id for one in rules.rank_candidates(request, people.values(), today))
        waiting.append(Waiting(request_id=request.id, since=request.submitted_at, ranking=ranking, named=False))
    return deferred_acceptance(waiting, {id: one.free_places for id, one in people.items()})


def test_everyone_who_waits_for_suggestions_gets_them(matching: Service) -> None:
    random = Random(8)
    (id,) = add_practitioners_who_are_full(matching, 1, 1, random)
    matching.db.practitioners.update_one({}, {"$unset": dict.fromkeys(("languages", "meeting_types", "parts"), "")})
    add_waiting(matching.db, 700, "suggestions", [id], random)
    make_room(matching, id, 1)
    events = assign(matching)
    assert Counter(types_of(events)) == {SuggestionsMade: 700}
    assert matching.db.requests.count_documents({"queue": {"$exists": True}}) == 0


def test_places_that_come_free_do_not_wait_for_thousands_of_suggestions(matching: Service) -> None:
    random = Random(11)
    (id,) = add_practitioners_who_are_full(matching, 1, 1, random)
    matching.db.practitioners.update_one({}, {"$unset": dict.fromkeys(("languages", "meeting_types", "parts"), "")})
    add_waiting(matching.db, SUGGESTIONS_IN_A_RUN + 200, "suggestions", [id], random)
    make_room(matching, id, 1)
    add_practitioners(matching, "juniper", state="full")
    assign_free_places(matching, threading.Event())
    submit(matching, ("juniper", "wait"))
    make_room(matching, "juniper", 1)
    assign_free_places(matching, threading.Event())
    assert offered_now(matching) == {"r1": "juniper"}
    assert matching.db.requests.count_documents({"queue": {"$exists": True}}) == 0


@pytest.mark.parametrize("kind", ["places", "suggestions"])
def test_a_click_does_not_read_the_waiting_list(matching: Service, kind: Any) -> None:
    random = Random(9)
    ids = add_practitioners_who_are_full(matching, 5, 2, random)
    add_practitioners(matching, "juniper")
    submit(matching, ("juniper", "ask_me"))
    offer_id = open_offer(matching)
    add_waiting(matching.db, 1000, kind, ids, random)
    with profiled(matching) as operations:
        make_room(matching, ids[0], 2)
        answer(matching, offer_id, "not_this_time")
    assert operations
    assert max(operation.get("docsExamined", 0) for operation in operations) <= 5
    assert len(operations) < 40


def test_the_job_reads_by_index_no_more_than_it_needs(matching: Service) -> None:
    random = Random(10)
    ids = add_practitioners_who_are_full(matching, 5, 1, random)
    add_waiting(matching.db, 2000, "places", ids, random)
    make_room(matching, ids[0], 1)
    with profiled(matching) as operations:
        assert len(offered(assign(matching))) == 1
    on_requests = [operation for operation in operations if operation["ns"].endswith(".requests")]
    assert not any("COLLSCAN" in operation.get("planSummary", "") for operation in on_requests)
    assert sum(operation.get("docsExamined", 0) for operation in on_requests) < 200


# The job in a worker


@contextmanager
def jobs(matching: Service, count: int) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=run_assignment_job, args=(matching.db, stop)) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join()


def test_the_job_wakes_up_for_what_any_process_writes(matching: Service) -> None:
    with jobs(matching, 2):
        add_practitioners(matching, "juniper", state="full")
        submit(matching, ("juniper", "wait"))
        wait_until(lambda: matching.db.assignment_triggers.count_documents({}) == 0)
        make_room(matching, "juniper", 1)
        wait_until(lambda: matching.db.offers.count_documents({"is_open": True}) == 1)


def test_among_many_workers_one_has_the_job(matching: Service) -> None:
    make = [AssignmentJob(matching, threading.Event()) for _ in range(3)]
    add_practitioners(matching, "juniper")
    claimed = [job.claim(1) for job in make]
    assert [len(leases) for leases in claimed] == [1, 0, 0]
    make[0].record([(claimed[0][0], 1)])
    assert len(make[2].claim(1)) == 1


def test_without_anything_to_do_nobody_takes_the_job(matching: Service) -> None:
    assert AssignmentJob(matching, threading.Event()).claim(1) == []
    assert matching.db.jobs.count_documents({}) == 0


def test_a_run_that_failed_is_postponed_and_its_triggers_stay(matching: Service) -> None:
    job = AssignmentJob(matching, threading.Event())
    add_practitioners(matching, "juniper")
    (lease,) = job.claim(1)
    job.record([(lease, RuntimeError("the database went away"))])
    assert job.claim(1) == []
    assert matching.db.assignment_triggers.count_documents({}) == 1


def test_a_run_that_is_told_to_stop_leaves_its_triggers(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"))
    make_room(matching, "juniper", 1)
    stop = threading.Event()
    stop.set()
    job = AssignmentJob(matching, stop)
    (future,) = job.start(job.claim(1))
    assert future.result() > 0
    assert matching.db.offers.count_documents({}) == 0
    assert offered(assign(matching)) == {"r1": "juniper"}


def test_two_who_begin_to_wait_and_two_who_free_places_at_once_never_stand_in_each_others_way(matching: Service) -> None:
    """Each trigger is written with what it is about: concurrent clicks do not conflict over a list."""
    add_practitioners(matching, *[f"p{number}" for number in range(8)], state="full")
    ready, errors = threading.Barrier(16), list[BaseException]()

    def both(number: int) -> None:
        ready.wait()
        try:
            if number % 2:
                matching.run(write_profile, a_profile(f"p{number // 2}", state="open"))
            else:
                matching.run(start_request, a_request_submitted(matching, (f"p{number // 2}", "wait"), id=f"r{number // 2}"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=both, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assign(matching)
    assert offered_now(matching) == {f"r{number}": f"p{number}" for number in range(8)}


def offered_now(matching: Service) -> dict[str, str]:
    return {row["request_id"]: row["practitioner_id"] for row in matching.db.offers.find({"is_open": True})}


def write_trigger(matching: Service, id: str) -> None:
    store.assignment.leave_triggers(matching.db, "practitioner_id", [id])


def test_a_trigger_that_was_written_again_meanwhile_is_not_deleted(matching: Service) -> None:
    write_trigger(matching, "juniper")
    write_trigger(matching, "kai")
    triggers = store.assignment.triggers(matching.db, 10)
    write_trigger(matching, "juniper")
    store.assignment.delete_triggers(matching.db, triggers)
    assert [one.practitioner_id for one in store.assignment.triggers(matching.db, 10)] == ["juniper"]


def test_a_trigger_that_an_open_transaction_has_written_again_is_not_deleted(matching: Service) -> None:
    write_trigger(matching, "juniper")
    triggers, db = store.assignment.triggers(matching.db, 10), inside_transactions(matching)
    deletion = threading.Thread(target=store.assignment.delete_triggers, args=(matching.db, triggers))
    with db.client.start_session() as session, session.bind(), session.start_transaction():
        store.assignment.leave_triggers(db, "practitioner_id", ["juniper"])
        deletion.start()
        deletion.join(0.2)
        assert deletion.is_alive(), "it waits for the transaction"
    deletion.join()
    assert len(store.assignment.triggers(matching.db, 10)) == 1


def test_whoever_did_not_see_that_their_trigger_was_deleted_writes_again(matching: Service) -> None:
    write_trigger(matching, "juniper")
    triggers, db, runs = store.assignment.triggers(matching.db, 10), inside_transactions(matching), list[int]()

    def work(_: object) -> None:
        db.assignment_triggers.find_one({"_id": "the snapshot begins"})
        if not runs:
            other = threading.Thread(target=store.assignment.delete_triggers, args=(matching.db, triggers))
            other.start()
            other.join()
        runs.append(1)
        store.assignment.leave_triggers(db, "practitioner_id", ["juniper"])

    with db.client.start_session() as session, session.bind():
        session.with_transaction(work, read_concern=ReadConcern("snapshot"))
    assert len(runs) == 2
    assert len(store.assignment.triggers(matching.db, 10)) == 1


def inside_transactions(matching: Service) -> Db:
    return matching.db.with_options(read_concern=ReadConcern(), write_concern=WriteConcern())


# Whoever steps back


def step_back(matching: Service, id: str) -> None:
    add_practitioners(matching, id, state="stepped_back")


def test_whoever_waits_for_somebody_who_stepped_back_chooses_again(matching: Service) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"))
    assign(matching)
    step_back(matching, "juniper")
    assert only(RequestWaiting, assign(matching)).waiting_for == "choice"
    assert assign(matching) == []


def test_whoever_waits_for_somebody_else_too_goes_on_waiting(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai", state="full")
    submit(matching, ("juniper", "next_choice"), ("kai", "wait"))
    matching.run(apply_choice, ChoiceMade(request_id="r1", next="wait"))
    step_back(matching, "juniper")
    assert assign(matching) == []
    step_back(matching, "kai")
    assert only(RequestWaiting, assign(matching)).waiting_for == "choice"


def test_what_they_said_may_happen_next_happens_when_the_one_they_wait_for_steps_back(matching: Service) -> None:
    add_practitioners(matching, "juniper", "kai", state="full")
    submit(matching, ("juniper", "suggest"))
    matching.run(apply_choice, ChoiceMade(request_id="r1", next="wait", practitioner_id="juniper"))
    assign(matching)
    add_practitioners(matching, "mo")
    step_back(matching, "juniper")
    assert only(SuggestionsMade, assign(matching)).practitioner_ids == ("mo",)


def test_whoever_begins_to_wait_for_somebody_in_the_moment_they_step_back_is_not_forgotten(matching: Service) -> None:
    """Neither transaction saw the other; both left a trigger."""
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"))
    matching.db.practitioners.update_one({"_id": "juniper"}, {"$set": {"state": "stepped_back"}})
    assert only(RequestWaiting, assign(matching)).waiting_for == "choice"


# What cannot be read


@pytest.mark.parametrize("broken", [{"$unset": {"mode": 1}}, {"$set": {"submitted_at": "yesterday"}}, {"$set": {"choices": 7}}])
def test_one_request_that_cannot_be_read_keeps_nobody_else_waiting(
    matching: Service, broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"), id="broken")
    submit(matching, ("juniper", "wait"), id="r1", submitted_at=LATER)
    matching.db.requests.update_one({"_id": "broken"}, broken)
    make_room(matching, "juniper", 1)
    assert offered(assign(matching)) == {"r1": "juniper"}
    (record, *_) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.__dict__["document_id"] == "broken"


@pytest.mark.parametrize(
    "broken", [{"$unset": {"time_zone": 1, "places": 1}, "$set": {"hours": [7]}}, {"$set": {"time_zone": "No/Where"}}]
)
def test_one_practitioner_who_cannot_be_read_keeps_nobody_waiting(matching: Service, broken: dict[str, Any]) -> None:
    add_practitioners(matching, "juniper", "odd", state="full")
    submit(matching, mode="anyone")
    make_room(matching, "juniper", 1)
    make_room(matching, "odd", 1)
    matching.db.practitioners.update_one({"_id": "odd"}, broken)
    assert offered(assign(matching)) == {"r1": "juniper"}


def test_a_run_that_fails_is_counted_and_logged_with_its_place(matching: Service, caplog: pytest.LogCaptureFixture) -> None:
    job = AssignmentJob(matching, threading.Event())
    add_practitioners(matching, "juniper")
    (lease,) = job.claim(1)
    before = failures_of_the_job()
    job.record([(lease, RuntimeError("odd"))])
    assert failures_of_the_job() == before + 1
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info


def failures_of_the_job() -> float:
    return metrics.JOB_FAILURES.labels("matching", "assignment")._value.get()


def test_the_worker_is_not_ready_while_the_same_work_stays_undone_for_long(matching: Service) -> None:
    job = AssignmentJob(matching, threading.Event(), undone_limit=timedelta(seconds=0.5))
    add_practitioners(matching, "juniper")
    (lease,) = job.claim(1)
    job.record([(lease, RuntimeError("odd"))])
    wait_until(lambda: job.claim(1) == [] and not job.makes_progress())
    assign(matching)
    wait_until(lambda: job.claim(1) == [] and job.makes_progress())


def test_the_age_of_the_oldest_work_is_known(matching: Service) -> None:
    add_practitioners(matching, "juniper")
    add_practitioners(matching, "kai")
    oldest = store.assignment.oldest_trigger(matching.db)
    assert oldest
    assert oldest.created_at
    assert oldest.practitioner_id == "juniper"
    assert now() - timedelta(hours=1) < oldest.created_at <= now()


@pytest.mark.parametrize("odd", [{"_id": "t1", "practitioner_id": "juniper"}, {"_id": "t1", "practitioner_id": 7}])
def test_a_trigger_without_a_time_or_of_another_shape_keeps_nobody_waiting(matching: Service, odd: dict[str, Any]) -> None:
    matching.db.assignment_triggers.insert_one(odd)
    add_practitioners(matching, "juniper", state="full")
    submit(matching, ("juniper", "wait"))
    make_room(matching, "juniper", 1)
    job = AssignmentJob(matching, threading.Event())
    (future,) = job.start(job.claim(1))
    assert future.result() > 0
    assert offered_now(matching) == {"r1": "juniper"}
