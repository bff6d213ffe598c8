"""After four meetings both are asked two questions, once; the answers are shown when both are there, or never."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake import store
from services.intake.handlers import look_backs as theirs
from services.intake.handlers.erasure import withdraw_request
from services.matching.handlers import look_backs as ours
from services.matching.handlers import reading
from services.matching.handlers.endings import end_by_practitioner
from services.matching.handlers.meetings import (
    AdjustMeetings,
    ProposeHours,
    adjust_meetings,
    choose_by_supportee,
    propose_hours,
)
from shared.clock import now
from shared.contracts import HourChosen, LookBackAnswered, Proposal
from shared.meetings import WEEK, anchored_at, end_of_nth, move, skip
from shared.messages import from_json
from shared.service import Service
from tests.handlers.matching_steps import Clock, document, run_timer
from tests.people import NEW_YORK
from tests.whole_journey import Journey, walk

HOUR = timedelta(hours=1)


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def journey(intake: Service, matching: Service, notify: Service, clock: Clock) -> Journey:
    """They meet each week, for the first time in a day."""
    made = walk(intake, matching, notify)
    match = match_of(made)
    start = now().replace(second=0, microsecond=0) + timedelta(days=1)
    about: dict[str, Any] = {"starts": (start,), "zone": NEW_YORK, "weekly": True, "meeting_type": "video"}
    proposal = Proposal(id="p1", by="practitioner", **about)
    matching.run(propose_hours, ProposeHours(offer_id=match["offer_id"], proposal=proposal))
    chosen = HourChosen(request_id=match["request_id"], match_id=match["_id"], proposal_id="p1", start=start)
    matching.run(choose_by_supportee, chosen)
    made.services.deliver()
    notify.db.notifications.delete_many({})
    return made


def match_of(journey: Journey) -> dict[str, Any]:
    [match] = journey.services.matching.db.matches.find()
    return match


def look(journey: Journey) -> None:
    run_timer(journey.services.matching, ours.open_look_back)
    journey.services.deliver()


def adjust(journey: Journey, action: Any, on: str = "") -> None:
    match = match_of(journey)
    series = document(journey.services.matching, "meetings", match["_id"])["series"]
    command = AdjustMeetings(offer_id=match["offer_id"], action=action, series_id=series["_id"], on=on)
    journey.services.matching.run(adjust_meetings, command)


def stands(journey: Journey) -> tuple[str, str]:
    """For the supportee, for the practitioner."""
    match, matching = match_of(journey), journey.services.matching
    known = store.look_back_of(journey.services.intake.db, match["_id"])
    offer = reading.offer_of(match["offer_id"], "juniper", matching.db)
    assert offer
    view = reading.view_offer(offer, matching.db).look_back
    return theirs.view_look_back(known, journey.person_id, journey.note_keys).stands, view.stands if view else ""


def wren_answers(journey: Journey, words: str = "SENTINEL mornings") -> list[Any]:
    about = {"request_id": journey.draft.request_id, "person_id": journey.person_id, "match_id": match_of(journey)["_id"]}
    command = theirs.AnswerLookBack(**about, keys=journey.note_keys, answers={"good": words})
    return journey.services.intake.run(theirs.answer_look_back, command)


def juniper_answers(journey: Journey, words: str = "SENTINEL evenings") -> list[Any]:
    command = ours.AnswerLookBack(offer_id=match_of(journey)["offer_id"], answers={"change": words})
    return journey.services.matching.run(ours.answer_look_back, command)


def told(journey: Journey) -> list[str]:
    rows = journey.services.notify.db.notifications.find({"template": "look_back", "channel": "email"})
    return sorted("wren" if row["person_id"] == journey.person_id else row["person_id"] for row in rows)


def test_both_are_asked_once_when_four_meetings_are_over(journey: Journey, clock: Clock) -> None:
    clock.advance(days=22, minutes=59)
    look(journey)
    assert (stands(journey), told(journey)) == (("", ""), [])
    clock.advance(minutes=2)
    look(journey)
    assert (stands(journey), told(journey)) == (("open", "open"), ["juniper", "wren"])
    for _ in range(12):
        clock.advance(days=7)
        look(journey)
    assert told(journey) == ["juniper", "wren"]


def test_what_was_skipped_does_not_count_and_after_a_pause_it_begins_anew(journey: Journey, clock: Clock) -> None:
    match = match_of(journey)
    adjust(journey, "skip", document(journey.services.matching, "meetings", match["_id"])["series"]["first"])
    clock.advance(days=22, hours=2)
    look(journey)
    assert told(journey) == []
    adjust(journey, "pause")
    clock.advance(days=60)
    look(journey)
    adjust(journey, "resume")
    clock.advance(days=20)
    look(journey)
    assert told(journey) == []
    clock.advance(days=8)
    look(journey)
    assert told(journey) == ["juniper", "wren"]


def test_answers_are_shown_when_both_are_there_and_not_before(journey: Journey, clock: Clock) -> None:
    clock.advance(days=23)
    look(journey)
    wren_answers(journey)
    journey.services.deliver()
    assert stands(journey) == ("answered", "open")
    assert wren_answers(journey, "again") == []
    for where, row in journey.services.rows():
        assert "SENTINEL" not in repr(row), where
    assert not [
        row for row in journey.services.matching.db.outbox.find({"type": "look_back.changed.v1"}) if "shown" in row["body"]
    ]
    juniper_answers(journey)
    journey.services.deliver()
    assert stands(journey) == ("shown", "shown")
    known = store.look_back_of(journey.services.intake.db, match_of(journey)["_id"])
    view = theirs.view_look_back(known, journey.person_id, journey.note_keys)
    assert (view.mine, view.theirs) == ({"good": "SENTINEL mornings"}, {"change": "SENTINEL evenings"})


def test_nothing_says_who_answered_when(journey: Journey, clock: Clock) -> None:
    clock.advance(days=23)
    look(journey)
    wren_answers(journey)
    journey.services.deliver()
    for service in (journey.services.intake, journey.services.matching):
        [row] = service.db.look_backs.find()
        assert not [value for value in row.values() if isinstance(value, datetime)]
    assert journey.services.notify.db.notifications.count_documents({"template": {"$ne": "look_back"}}) == 0


def test_not_now_is_for_oneself_alone(journey: Journey, clock: Clock) -> None:
    clock.advance(days=23)
    look(journey)
    journey.services.matching.run(ours.put_off_look_back, match_of(journey)["offer_id"])
    journey.services.intake.run(theirs.put_off_look_back, match_of(journey)["_id"])
    journey.services.deliver()
    assert stands(journey) == ("not_now", "not_now")
    wren_answers(journey)
    juniper_answers(journey)
    journey.services.deliver()
    assert stands(journey) == ("shown", "shown")


def test_facts_that_come_twice_or_in_reverse_change_nothing(journey: Journey, clock: Clock) -> None:
    clock.advance(days=23)
    look(journey)
    wren_answers(journey)
    journey.services.deliver()
    juniper_answers(journey)
    said = list(journey.services.matching.db.outbox.find({"type": "look_back.changed.v1"}))
    for number, row in enumerate([*reversed(said), *said]):
        journey.services.intake.receive(from_json(row["body"].replace(row["_id"], f"again-{number}")))
    assert stands(journey) == ("shown", "shown")
    late = LookBackAnswered(request_id=journey.draft.request_id, match_id=match_of(journey)["_id"], encrypted="AQ")
    assert journey.services.matching.run(ours.answer_by_supportee, late) == []


def test_after_the_end_nobody_is_asked_and_it_ends_with_the_pair(journey: Journey, clock: Clock) -> None:
    clock.advance(days=23)
    look(journey)
    journey.services.matching.run(end_by_practitioner, match_of(journey)["offer_id"])
    journey.services.deliver()
    assert juniper_answers(journey) == []
    for service in (journey.services.intake, journey.services.matching):
        [row] = service.db.look_backs.find()
        assert row["ended_at"]


def test_who_ended_before_is_never_asked(journey: Journey, clock: Clock) -> None:
    journey.services.matching.run(end_by_practitioner, match_of(journey)["offer_id"])
    clock.advance(days=29)
    look(journey)
    assert told(journey) == []


def test_leaving_takes_it_along(journey: Journey, clock: Clock) -> None:
    clock.advance(days=23)
    look(journey)
    wren_answers(journey)
    journey.services.deliver()
    said = [row for service in journey.services.all() for row in service.db.outbox.find() if "look_back" in row["type"]]
    journey.services.intake.run(withdraw_request, journey.draft.request_id)
    journey.services.deliver()
    for row in said:
        for service in journey.services.all():
            service.receive(from_json(row["body"].replace(row["_id"], f"late-{row['_id']}")))
    for service in (journey.services.intake, journey.services.matching):
        assert service.db.look_backs.count_documents({}) == 0


def test_the_fourth_meeting_that_takes_place() -> None:
    start = now().replace(second=0, microsecond=0)
    series = anchored_at(start, "UTC", id="s1", weekly=True)
    dates = [(start + week * WEEK).date().isoformat() for week in range(6)]
    assert end_of_nth(series, 4) == start + 3 * WEEK + HOUR
    assert end_of_nth(skip(skip(series, dates[0]), dates[2]), 4) == start + 5 * WEEK + HOUR
    assert end_of_nth(move(series, dates[3], start + 5 * WEEK - HOUR), 4) == start + 4 * WEEK + HOUR
    assert end_of_nth(series, 4, start + 10 * WEEK + HOUR) == start + 14 * WEEK + HOUR
    assert end_of_nth(anchored_at(start, "UTC", id="s2", weekly=False), 4) is None
