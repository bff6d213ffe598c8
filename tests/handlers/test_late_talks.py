"""An offer that waits for a coordinator to talk with a practitioner does not wait unseen."""

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from services.matching.handlers.coordinator import OpenRequest, SayWhatTheySaid, record_opening, say_what_they_said
from services.matching.handlers.late_talks import call_again_to_talk
from services.matching.handlers.own_list import NotThisNameAgain, put_name_on_list
from shared.contracts import CoordinatorNeeded
from shared.service import Service
from tests.handlers.matching_steps import Clock, add_practitioners, only, open_tasks, run_timer, submit, types_of


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def waits(matching: Service, clock: Clock) -> None:
    add_practitioners(matching, "kai")
    matching.run(put_name_on_list, NotThisNameAgain(practitioner_id="kai", name="Wren"))
    submit(matching, "kai")
    assert open_tasks(matching) == ["ask_in_person"]


def alarm() -> float | None:
    return REGISTRY.get_sample_value("kitchen_late_talks", {"service": "matching"})


@pytest.mark.usefixtures("waits")
def test_after_three_days_the_desk_is_called_again_and_every_three_days_from_then(matching: Service, clock: Clock) -> None:
    clock.advance(days=2, hours=23)
    assert run_timer(matching, call_again_to_talk) == []
    for _ in range(2):
        clock.advance(days=3)
        assert only(CoordinatorNeeded, run_timer(matching, call_again_to_talk)).reason == "nobody_suits"
        assert run_timer(matching, call_again_to_talk) == []


@pytest.mark.usefixtures("waits")
def test_whoever_took_it_and_did_not_have_it_lets_go_of_it(matching: Service, clock: Clock) -> None:
    matching.db.coordinator_tasks.update_many({}, {"$set": {"holder": "ro"}})
    clock.advance(days=4)
    assert types_of(run_timer(matching, call_again_to_talk)) == [CoordinatorNeeded]
    [task] = matching.db.coordinator_tasks.find()
    assert "holder" not in task


@pytest.mark.usefixtures("waits")
def test_after_a_week_there_is_an_alarm_until_they_have_talked(matching: Service, clock: Clock) -> None:
    clock.advance(days=6)
    run_timer(matching, call_again_to_talk)
    assert alarm() == 0
    clock.advance(days=2)
    run_timer(matching, call_again_to_talk)
    assert alarm() == 1
    matching.run(record_opening, OpenRequest(coordinator_id="ro", request_id="r1"))
    matching.run(say_what_they_said, SayWhatTheySaid(coordinator_id="ro", request_id="r1", may_be_asked=True))
    run_timer(matching, call_again_to_talk)
    assert alarm() == 0
