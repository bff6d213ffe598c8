"""Whoever a request is hidden from is not called to the desk about it: who is called and finds nothing could guess why."""

import pytest

from services.intake import store
from services.intake.domain import Draft, TypedAnswers
from services.matching import store as matching_store
from services.matching.coordinators import add_coordinator
from services.matching.handlers.desk import view_desk
from services.matching.handlers.floods import hold_in_flood
from services.matching.handlers.held import look_for_readers
from services.matching.handlers.tasks import call_coordinators
from shared.messages import Event
from shared.mongo import Db
from tests.handlers.matching_steps import run_timer
from tests.lifetimes import ThreeServices, three

__all__ = ["three"]
NAMES_KAI: TypedAnswers = {"mode": "reach_out", "avoid_words": "Kai from the choir"}
NAMES_BOTH: TypedAnswers = {"mode": "reach_out", "avoid_words": "Kai from the choir, and Robin"}


@pytest.fixture
def kai(three: ThreeServices) -> str:
    return comes(three, "Kai Moreno")


def comes(three: ThreeServices, name: str) -> str:
    before = {row["_id"] for row in three.matching.db.coordinators.find()}
    add_coordinator(name, f"{name.split()[0].lower()}@example.org", into=three.matching)
    three.deliver()
    [id] = {row["_id"] for row in three.matching.db.coordinators.find()} - before
    return str(id)


def known(three: ThreeServices) -> set[str]:
    return {row["person_id"] for row in three.notify.db.notifications.find({"template": "reach_out"})}


def called(three: ThreeServices) -> int:
    """How many were written to."""
    return len(known(three))


def page_says_nobody(three: ThreeServices, draft: Draft) -> bool:
    request = store.request(three.intake.db, draft.request_id)
    assert request
    return request.has_no_reader


def test_a_lone_coordinator_who_was_named_hears_nothing(three: ThreeServices, kai: str) -> None:
    three.ask(q1=NAMES_KAI)
    assert three.matching.db.coordinator_tasks.count_documents({"is_open": True}) == 1
    assert called(three) == 0
    assert view_desk(three.matching.db, you=kai).open_tasks == 0


def test_the_others_are_called(three: ThreeServices, kai: str) -> None:
    comes(three, "Robin")
    three.ask(q1=NAMES_KAI)
    assert known(three) == {row["_id"] for row in three.matching.db.coordinators.find()} - {kai}


def test_about_everybody_else_a_named_coordinator_is_called(three: ThreeServices, kai: str) -> None:
    three.ask(q1={"mode": "reach_out"})
    assert known(three) == {kai}


@pytest.mark.parametrize("reason", ["names_somebody", "read_first", "wrote", "nobody_suits", "flood"])
def test_whatever_the_reason_who_was_named_is_not_called(three: ThreeServices, kai: str, reason: str) -> None:
    q1: TypedAnswers = {**NAMES_KAI, "mode": "anyone"}
    if reason == "names_somebody":
        three.ask(q1=q1)
    elif reason == "read_first":
        three.ask(q1=q1, q4={"reach": ["email"], "email": "w@example.org", "before_we_write": "Somebody reads my phone"})
    else:
        _as_it_comes(three, reason, q1)
    assert reason in {row["reason"] for row in three.matching.db.coordinator_tasks.find()}
    assert called(three) == 0


def _as_it_comes(three: ThreeServices, reason: str, q1: TypedAnswers) -> None:
    draft = three.ask(q1=q1)

    def happens(_: None, db: Db) -> list[Event]:
        request = matching_store.requests.find(db, draft.request_id)
        assert request
        if reason == "flood":
            request.state, request.flood = "received", None
        events = hold_in_flood(request, db) if reason == "flood" else call_coordinators(request, reason, db)  # type: ignore[arg-type]
        matching_store.requests.save(db, request)
        return events

    three.matching.run(happens, None)
    three.deliver()


def test_no_id_of_a_coordinator_is_said_in_clear(three: ThreeServices, kai: str) -> None:
    three.ask(q1=NAMES_KAI)
    assert kai not in str(three.events("coordinator.needed.v1"))


def test_the_one_task_about_a_flood_is_not_there_for_whom_all_of_it_is_hidden(three: ThreeServices, kai: str) -> None:
    robin = comes(three, "Robin")
    _as_it_comes(three, "flood", {**NAMES_KAI, "mode": "anyone"})
    three.matching.db.coordinator_tasks.delete_many({"request_id": {"$exists": True}})
    assert view_desk(three.matching.db, you=kai).open_tasks == 0
    assert view_desk(three.matching.db, you=kai).tasks.items == []
    [shown] = view_desk(three.matching.db, you=robin).tasks.items
    assert shown.held == 1


def test_a_flood_counts_only_what_a_named_coordinator_may_see(three: ThreeServices, kai: str) -> None:
    _as_it_comes(three, "flood", {**NAMES_KAI, "mode": "anyone"})
    _as_it_comes(three, "flood", {"mode": "anyone"})
    shown = next(view for view in view_desk(three.matching.db, you=kai).tasks.items if view.task.reason == "flood")
    assert shown.held == 1


def test_whom_nobody_can_write_to_is_told_and_reads_why_on_their_page(three: ThreeServices, kai: str) -> None:
    draft = three.ask(q1=NAMES_KAI)
    assert page_says_nobody(three, draft)
    assert three.told(draft.request_id) == ["request_received", "message"]


def test_whoever_waits_for_no_person_is_not_written_to_about_that(three: ThreeServices, kai: str) -> None:
    draft = three.ask(q1={**NAMES_KAI, "mode": "anyone"})
    assert page_says_nobody(three, draft)
    assert three.told(draft.request_id) == ["request_received"]


def test_a_coordinator_who_comes_later_is_called_and_the_page_says_so_no_more(three: ThreeServices, kai: str) -> None:
    draft = three.ask(q1=NAMES_KAI)
    comes(three, "Robin")
    run_timer(three.matching, look_for_readers)
    three.deliver()
    assert not page_says_nobody(three, draft)
    assert known(three) == {row["_id"] for row in three.matching.db.coordinators.find()} - {kai}


def test_with_somebody_who_may_read_it_nothing_is_said(three: ThreeServices, kai: str) -> None:
    comes(three, "Robin")
    draft = three.ask(q1=NAMES_KAI)
    assert not page_says_nobody(three, draft)
    both = three.ask(q1=NAMES_BOTH)
    assert page_says_nobody(three, both)
