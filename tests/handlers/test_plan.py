"""A supportee's plan for hard days: theirs alone, shown to their practitioner by a press and taken back by one."""

import json
from itertools import permutations

import pytest

from services.intake import store
from services.intake.domain import Plan
from services.intake.handlers.access import NoteKeys
from services.intake.handlers.erasure import withdraw_request
from services.intake.handlers.plan import ShowPlan, WritePlan, delete_plan, own_plan, show_plan, take_back_plan, write_plan
from services.intake.store import mark_lapsed
from services.matching.handlers import reading
from services.matching.handlers.endings import end_by_practitioner
from services.matching.handlers.plans import keep_plan
from shared import vault
from shared.contracts import PlanShown
from shared.messages import Event, from_json
from shared.service import Service
from tests.whole_journey import Journey, walk

WORDS = {"signs": "SENTINEL signs", "helps": "SENTINEL music"}


@pytest.fixture
def journey(intake: Service, matching: Service, notify: Service) -> Journey:
    made = walk(intake, matching, notify)
    writes(made, "p1", WORDS)
    return made


def writes(journey: Journey, id: str, words: dict[str, str]) -> None:
    command = WritePlan(request_id=journey.draft.request_id, key=journey.draft.key, text_id=id, sections=words)
    journey.services.intake.run(write_plan, command)


def shows(journey: Journey) -> list[Event]:
    command = ShowPlan(request_id=journey.draft.request_id, key=journey.draft.key, keys=journey.note_keys)
    return journey.services.intake.run(show_plan, command)


def takes_back(journey: Journey) -> list[Event]:
    return journey.services.intake.run(take_back_plan, journey.draft.request_id)


def read_by_practitioner(journey: Journey) -> dict[str, str]:
    journey.services.deliver()
    db = journey.services.matching.db
    [offer] = db.offers.find()
    found = reading.offer_of(offer["_id"], "juniper", db)
    assert found
    return dict(reading.view_offer(found, db).plan)


def test_it_is_under_their_own_key_and_nothing_else_opens_it(journey: Journey) -> None:
    for where, row in journey.services.rows():
        assert "SENTINEL" not in repr(row), where
    assert own_plan(journey.request(), journey.draft.key) == WORDS
    assert own_plan(journey.request(), vault.words_key(journey.draft.key)) == {}
    assert own_plan(journey.request(), None) == {}
    assert read_by_practitioner(journey) == {}


def test_it_is_shown_by_a_press_and_taken_back_by_one(journey: Journey) -> None:
    shows(journey)
    assert read_by_practitioner(journey) == WORDS
    takes_back(journey)
    assert read_by_practitioner(journey) == {}
    [match] = journey.services.matching.db.matches.find()
    assert "plan" not in match


def test_a_change_is_shown_only_by_another_press(journey: Journey) -> None:
    shows(journey)
    writes(journey, "p2", {"helps": "Tea."})
    assert read_by_practitioner(journey) == WORDS
    shows(journey)
    assert read_by_practitioner(journey) == {"helps": "Tea."}


def test_deleting_it_takes_it_back_too(journey: Journey) -> None:
    shows(journey)
    journey.services.intake.run(delete_plan, journey.draft.request_id)
    assert read_by_practitioner(journey) == {}
    plan = journey.request().plan
    assert plan
    assert (plan.encrypted, plan.text_id, plan.shown_to) == (None, None, None)
    assert journey.services.intake.run(delete_plan, journey.draft.request_id) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_press_holds_in_whatever_order_they_come(journey: Journey, order: tuple[int, ...]) -> None:
    said = [*shows(journey), *takes_back(journey), *shows(journey)]
    writes(journey, "p2", {"helps": "Tea."})
    for index in order:
        journey.services.matching.run(keep_plan, said[index])
        journey.services.matching.run(keep_plan, said[index])
    [match] = journey.services.matching.db.matches.find()
    assert match["plan"] == said[2].encrypted  # type: ignore[attr-defined]


def test_without_a_practitioner_or_a_key_nothing_is_shown(journey: Journey) -> None:
    command = ShowPlan(request_id=journey.draft.request_id, key=journey.draft.key, keys=NoteKeys(None, {}))
    assert journey.services.intake.run(show_plan, command) == []
    [offer] = journey.services.matching.db.offers.find()
    journey.services.matching.run(end_by_practitioner, offer["_id"])
    journey.services.deliver()
    assert shows(journey) == []


def test_after_the_end_the_practitioner_does_not_read_it(journey: Journey) -> None:
    shows(journey)
    journey.services.deliver()
    [offer] = journey.services.matching.db.offers.find()
    journey.services.matching.run(end_by_practitioner, offer["_id"])
    assert read_by_practitioner(journey) == {}
    late = PlanShown(request_id=journey.draft.request_id, match_id="another", change=9, encrypted="AQ")
    assert journey.services.matching.run(keep_plan, late) == []


def test_leaving_and_the_end_of_the_request_take_it_along(journey: Journey) -> None:
    shows(journey)
    journey.services.deliver()
    said = list(journey.services.intake.db.outbox.find({"type": "plan.shown.v1"}))
    journey.services.intake.run(withdraw_request, journey.draft.request_id)
    journey.services.deliver()
    for row in said:
        journey.services.matching.receive(from_json(row["body"].replace(row["_id"], "again")))
    assert list(journey.services.matching.db.matches.find()) == []
    assert [row["erase"] for row in journey.services.intake.db.outbox.find({"type": "plan.shown.v1"})] == [True]
    assert store.request(journey.services.intake.db, journey.draft.request_id) is None


def test_a_request_that_ends_by_itself_forgets_it_with_their_other_words(journey: Journey) -> None:
    mark_lapsed(journey.services.intake.db, journey.draft.request_id)
    assert journey.request().plan is None
    store.save_plan(journey.services.intake.db, journey.draft.request_id, Plan(text_id="p3", encrypted="AQ"))
    assert journey.request().plan is None
    assert json.dumps(WORDS) not in repr(journey.request())
