"""Two people find an hour: one proposes, the other chooses; either changes it by one press, and the other side hears of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from services.matching.handlers.broker_events import withdraw_request
from services.matching.handlers.corrections import correct_request
from services.matching.handlers.endings import end_by_practitioner, end_by_supportee, hold_match, undo_by_practitioner
from services.matching.handlers.meetings import (
    AdjustMeetings,
    ChooseHour,
    FindPlace,
    ProposeHours,
    adjust_by_supportee,
    adjust_meetings,
    choose_by_supportee,
    choose_hour,
    find_place,
    propose_by_supportee,
    propose_hours,
)
from shared import vault
from shared.clock import now
from shared.contracts import (
    HourChosen,
    HoursProposed,
    MatchHoldChanged,
    MatchLeft,
    MeetingsAdjusted,
    MeetingsChanged,
    PairMember,
    Proposal,
    RequestChanged,
    RequestWithdrawn,
)
from shared.meetings import WEEK
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import Clock, add_practitioners, answer, document, only, open_offer, submit
from tests.people import NEW_YORK


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def made(matching: Service) -> MeetingsChanged:
    """Ana and the supportee of r1 said yes: what is published about when they could meet."""
    add_practitioners(matching, "ana", parts=("weekday_evening",))
    submit(matching, "ana", parts=("weekday_evening",))
    return only(MeetingsChanged, answer(matching, open_offer(matching), "yes"))


def proposal(by: PairMember = "practitioner", id: str = "p1", weekly: bool = True, days: int = 3) -> Proposal:
    starts = tuple(now().replace(second=0, microsecond=0) + timedelta(days=days + each) for each in range(2))
    return Proposal(id=id, by=by, starts=starts, zone=NEW_YORK, weekly=weekly, meeting_type="video", doing="walk")


def ana_proposes(matching: Service, made: MeetingsChanged, **facts: Any) -> Proposal:
    wanted = proposal(**facts)
    only(MeetingsChanged, matching.run(propose_hours, ProposeHours(offer_id=made.offer_id, proposal=wanted)))
    return wanted


def wren_chooses(matching: Service, made: MeetingsChanged, wanted: Proposal, index: int = 0) -> list[Event]:
    about = {"request_id": "r1", "match_id": made.match_id, "proposal_id": wanted.id}
    return matching.run(choose_by_supportee, HourChosen(**about, start=wanted.starts[index]))


@pytest.fixture
def series(matching: Service, made: MeetingsChanged) -> MeetingsChanged:
    """They meet each week."""
    return only(MeetingsChanged, wren_chooses(matching, made, ana_proposes(matching, made)))


def ana_adjusts(matching: Service, known: MeetingsChanged, action: Any, on: str = "", to: datetime | None = None) -> list[Event]:
    assert known.series
    return matching.run(
        adjust_meetings, AdjustMeetings(offer_id=known.offer_id, action=action, series_id=known.series.id, on=on, to=to)
    )


def wren_adjusts(matching: Service, known: MeetingsChanged, action: Any, **facts: Any) -> list[Event]:
    assert known.series
    about = {"request_id": "r1", "match_id": known.match_id, "series_id": known.series.id}
    return matching.run(adjust_by_supportee, MeetingsAdjusted(**about, action=action, **facts))


def stored(matching: Service, made: MeetingsChanged) -> dict[str, Any]:
    return document(matching, "meetings", made.match_id)


# A time is found


def test_a_yes_brings_hours_that_lie_in_both_weeks(made: MeetingsChanged) -> None:
    assert (made.change, made.by, made.version) == ("hours_found", None, 1)
    assert made.hours
    assert all(hour.day < 5 and 17 * 60 <= hour.minute <= 21 * 60 for hour in made.hours)


def test_one_of_the_hours_proposed_is_chosen_and_they_meet_each_week(matching: Service, made: MeetingsChanged) -> None:
    wanted = ana_proposes(matching, made)
    chosen = only(MeetingsChanged, wren_chooses(matching, made, wanted, 1))
    assert (chosen.change, chosen.by, chosen.proposal) == ("set", "supportee", None)
    assert chosen.series
    assert (chosen.series.weekly, chosen.series.zone, chosen.meeting_type, chosen.doing) == (True, NEW_YORK, "video", "walk")
    assert chosen.encrypted, "the practitioner is told, and needs a link"


def test_a_second_choice_from_the_same_proposal_changes_nothing(matching: Service, made: MeetingsChanged) -> None:
    wanted = ana_proposes(matching, made)
    wren_chooses(matching, made, wanted, 0)
    before = stored(matching, made)
    assert wren_chooses(matching, made, wanted, 1) == []
    assert stored(matching, made) == before


def test_two_choices_at_the_same_moment_are_one(matching: Service, made: MeetingsChanged) -> None:
    wanted = ana_proposes(matching, made)
    barrier = Barrier(2)

    def choose(index: int) -> list[Event]:
        barrier.wait()
        return wren_chooses(matching, made, wanted, index)

    with ThreadPoolExecutor(2) as pool:
        done = [found.result() for found in [pool.submit(choose, 0), pool.submit(choose, 1)]]
    assert sorted(len(events) for events in done) == [0, 1]
    assert stored(matching, made)["version"] == 3


def test_nobody_chooses_from_their_own_proposal(matching: Service, made: MeetingsChanged) -> None:
    wanted = ana_proposes(matching, made)
    command = ChooseHour(offer_id=made.offer_id, proposal_id=wanted.id, start=wanted.starts[0])
    assert matching.run(choose_hour, command) == []


def test_an_hour_that_was_not_proposed_or_has_passed_is_not_chosen(
    matching: Service, made: MeetingsChanged, clock: Clock
) -> None:
    wanted = ana_proposes(matching, made)
    other = HourChosen(request_id="r1", match_id=made.match_id, proposal_id="p1", start=wanted.starts[0] + timedelta(minutes=1))
    assert matching.run(choose_by_supportee, other) == []
    clock.advance(days=30)
    assert wren_chooses(matching, made, wanted) == []


def test_the_newest_proposal_stands_whoever_made_it(matching: Service, made: MeetingsChanged) -> None:
    ana_proposes(matching, made)
    theirs = HoursProposed(request_id="r1", match_id=made.match_id, proposal=proposal("practitioner", "p2"))
    event = only(MeetingsChanged, matching.run(propose_by_supportee, theirs))
    assert event.proposal
    assert (event.proposal.id, event.proposal.by) == ("p2", "supportee")
    command = ChooseHour(offer_id=made.offer_id, proposal_id="p2", start=theirs.proposal.starts[0])
    assert only(MeetingsChanged, matching.run(choose_hour, command)).change == "set"


def test_the_same_proposal_twice_is_one(matching: Service, made: MeetingsChanged) -> None:
    wanted = ana_proposes(matching, made)
    assert matching.run(propose_hours, ProposeHours(offer_id=made.offer_id, proposal=wanted)) == []


def test_a_proposal_is_taken_back_by_whoever_made_it(matching: Service, made: MeetingsChanged) -> None:
    ana_proposes(matching, made)
    about = {"request_id": "r1", "match_id": made.match_id, "series_id": "p1"}
    assert matching.run(adjust_by_supportee, MeetingsAdjusted(**about, action="take_back")) == []
    command = AdjustMeetings(offer_id=made.offer_id, action="take_back", series_id="p1")
    assert only(MeetingsChanged, matching.run(adjust_meetings, command)).proposal is None


# It is changed by one press


def test_both_skip_keep_move_pause_resume_and_end(matching: Service, series: MeetingsChanged) -> None:
    assert series.series
    first = series.series.first
    skipped = only(MeetingsChanged, wren_adjusts(matching, series, "skip", on=first))
    assert skipped.series
    assert (skipped.by, skipped.change, skipped.series.skipped) == ("supportee", "skip", (first,))
    kept = only(MeetingsChanged, ana_adjusts(matching, series, "keep", on=first))
    assert kept.series == series.series
    to = now() + timedelta(days=4)
    moved = only(MeetingsChanged, ana_adjusts(matching, series, "move", on=first, to=to))
    assert moved.series
    assert moved.series.moved_to(first) == to
    assert only(MeetingsChanged, wren_adjusts(matching, series, "pause")).series.paused_at  # type: ignore[union-attr]
    assert only(MeetingsChanged, ana_adjusts(matching, series, "resume")).series == moved.series
    ended = only(MeetingsChanged, wren_adjusts(matching, series, "end"))
    assert ended.series is None
    assert [one.id for one in ended.former] == [series.series.id]


@pytest.mark.parametrize(
    ("action", "facts"),
    [
        ("skip", {"on": "2020-01-01"}),
        ("skip", {"on": "nonsense"}),
        ("move", {"on": "first"}),
        ("move", {"on": "first", "to": datetime.fromisoformat("2020-01-01T00:00:00+00:00")}),
        ("resume", {}),
        ("keep", {"on": "first"}),
    ],
)
def test_what_is_not_possible_changes_nothing(
    matching: Service, series: MeetingsChanged, action: Any, facts: dict[str, Any]
) -> None:
    assert series.series
    facts = {name: series.series.first if value == "first" else value for name, value in facts.items()}
    assert wren_adjusts(matching, series, action, **facts) == []
    assert ana_adjusts(matching, series, action, **facts) == []


def test_a_press_on_an_older_page_does_not_touch_the_new_hour(matching: Service, series: MeetingsChanged) -> None:
    wren_chooses(matching, series, ana_proposes(matching, series, id="p2", days=6))
    assert wren_adjusts(matching, series, "pause") == []


def test_a_new_hour_takes_the_place_of_the_old_one_only_when_it_is_chosen(matching: Service, series: MeetingsChanged) -> None:
    assert series.series
    wanted = ana_proposes(matching, series, id="p2", days=6)
    assert stored(matching, series)["series"]["_id"] == series.series.id
    chosen = only(MeetingsChanged, wren_chooses(matching, series, wanted))
    assert chosen.series
    assert chosen.series.id != series.series.id
    assert [one.id for one in chosen.former] == [series.series.id]


def test_a_pair_of_two_hundred_days_skips_and_moves_and_keeps_little(
    matching: Service, series: MeetingsChanged, clock: Clock
) -> None:
    assert series.series
    on = datetime.fromisoformat(series.series.first).date()
    for week in range(28):
        one = (on + week * WEEK).isoformat()
        assert ana_adjusts(matching, series, "skip", on=one)
        if week % 2:
            assert wren_adjusts(matching, series, "move", on=one, to=now() + timedelta(days=5))
        clock.advance(days=7)
    row = stored(matching, series)["series"]
    assert len(row["skipped"]) + len(row["moved"]) < 8


# Where


def test_where_they_meet_is_readable_by_the_two_alone(matching: Service, made: MeetingsChanged) -> None:
    said = only(
        MeetingsChanged, matching.run(find_place, FindPlace(offer_id=made.offer_id, place="https://rooms.example/quince"))
    )
    assert "quince" not in str(stored(matching, made))
    assert said.encrypted_place
    request = document(matching, "requests", "r1")
    words = matching.vault.unwrap(request["encrypted"]["wrap"], "supportee of r1")
    key = vault.pair_key(words, made.match_id)
    assert vault.decrypt(key, "supportee of r1", "place", said.encrypted_place) == "https://rooms.example/quince"
    assert only(MeetingsChanged, matching.run(find_place, FindPlace(offer_id=made.offer_id, place=""))).encrypted_place is None


# With the pair it belongs to


def test_an_end_of_the_pair_ends_the_meetings_and_its_undo_brings_them_back(matching: Service, series: MeetingsChanged) -> None:
    ended = only(MeetingsChanged, matching.run(end_by_practitioner, series.offer_id))
    assert (ended.change, bool(ended.ended_at)) == ("pair_ended", True)
    assert ana_adjusts(matching, series, "skip", on=series.series.first) == []  # type: ignore[union-attr]
    resumed = only(MeetingsChanged, matching.run(undo_by_practitioner, series.offer_id))
    assert (resumed.change, resumed.ended_at, resumed.series) == ("pair_resumed", None, series.series)
    assert ana_adjusts(matching, series, "skip", on=series.series.first)  # type: ignore[union-attr]


def test_a_supportee_who_ends_the_pair_ends_the_meetings(matching: Service, series: MeetingsChanged) -> None:
    events = matching.run(end_by_supportee, MatchLeft(request_id="r1", practitioner_id="ana", then="wait"))
    assert only(MeetingsChanged, events).ended_at
    assert matching.run(propose_hours, ProposeHours(offer_id=series.offer_id, proposal=proposal())) == []


def test_leaving_erases_them(matching: Service, series: MeetingsChanged) -> None:
    events = matching.run(withdraw_request, RequestWithdrawn(request_id="r1"))
    assert not [event for event in events if isinstance(event, MeetingsChanged)]
    assert matching.db.meetings.count_documents({}) == 0


def test_a_pause_of_the_supportee_holds_all_of_it(matching: Service, series: MeetingsChanged) -> None:
    about = {"request_id": "r1", "match_id": series.match_id}
    held = only(MeetingsChanged, matching.run(hold_match, MatchHoldChanged(**about, on_hold=True, change=1)))
    assert held.on_hold
    assert ana_adjusts(matching, series, "pause") == []
    back = only(MeetingsChanged, matching.run(hold_match, MatchHoldChanged(**about, on_hold=False, change=2)))
    assert (back.on_hold, back.series) == (False, series.series)


def test_hours_are_looked_for_again_when_one_of_the_two_weeks_changes(matching: Service, made: MeetingsChanged) -> None:
    encrypted = matching.vault.encrypt_for("matching", "supportee of r1", {"name": "Wren"})
    changed = RequestChanged(
        request_id="r1", change=1, time_zone="Europe/London", parts=("weekend_morning",), encrypted=encrypted
    )
    event = only(MeetingsChanged, matching.run(correct_request, changed))
    assert (event.change, event.supportee_zone, event.hours) == ("hours_found", "Europe/London", ())
    add_practitioners(matching, "ana", parts=("weekend_morning",), time_zone="Europe/London")
    assert stored(matching, made)["hours"]
    assert stored(matching, made)["practitioner_zone"] == "Europe/London"
