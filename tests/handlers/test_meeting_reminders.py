"""Reminders of meetings: only for whoever asked, in their waking hours, never of what is off, never once it has begun."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import Contact
from services.notify.handlers.meetings import enqueue_news_of_meetings, find_meetings_to_look_at, send_due_reminders
from services.notify.handlers.requests import erase_supportee
from services.notify.rules import before_quiet_hours, due_reminders, reminders_of
from shared.clock import now
from shared.contracts import MeetingsChanged, RequestWithdrawn, Series
from shared.meetings import anchored_at, keep, move, skip
from shared.mongo import Db
from shared.service import Service
from tests.handlers.matching_steps import Clock
from tests.receivers import ana, record_contact, wren

PAIR = {"match_id": "m1", "offer_id": "o1", "request_id": "r1", "practitioner_id": "ana", "supportee_id": "wren"}
ZONES = {"supportee_zone": "America/New_York", "practitioner_zone": "Europe/London"}
NEW_YORK = "America/New_York"


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(ana(notify), notify.db)
    record_contact(replace(wren(notify), time_zone=NEW_YORK), notify.db)
    notify.db.notifications.delete_many({})
    return notify.db


@pytest.fixture
def start(clock: Clock) -> datetime:
    """Three days ahead at six in New York; it is noon there now."""
    noon = now().astimezone(ZoneInfo(NEW_YORK)).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    clock.advance(seconds=(noon - now()).total_seconds())
    return (noon + timedelta(days=3)).replace(hour=18).astimezone(UTC)


def weekly(start: datetime) -> Series:
    return anchored_at(start, NEW_YORK, id="s1", weekly=True)


def changed(db: Db, series: Series | None, version: int = 2, change: Any = "remind", **facts: Any) -> None:
    wanted = {"remind_supportee": ("day", "hour"), **facts}
    event = MeetingsChanged(**PAIR, **ZONES, change=change, by="supportee", version=version, series=series, **wanted)
    enqueue_news_of_meetings(event, db)


def look(db: Db) -> None:
    for match_id in find_meetings_to_look_at(db):
        send_due_reminders(match_id, db)


def told(db: Db, state: str = "pending") -> list[tuple[str, datetime]]:
    found = db.notifications.find({"template": "meeting_reminder", "channel": "email", "state": state})
    return [(row["person_id"], row["context"]["starts_at"]) for row in found]


def test_a_day_before_and_an_hour_before_and_then_the_next_week(db: Db, start: datetime, clock: Clock) -> None:
    changed(db, weekly(start))
    look(db)
    assert told(db) == []
    clock.advance(days=2, hours=6)  # a day before, at six
    look(db)
    look(db)
    assert told(db) == [("wren", start)]
    clock.advance(hours=23)
    look(db)
    assert told(db) == [("wren", start)] * 2
    clock.advance(days=6, hours=1)
    look(db)
    assert told(db)[2:] == [("wren", start + timedelta(days=7))]


def test_nobody_is_reminded_who_did_not_ask(db: Db, start: datetime, clock: Clock) -> None:
    changed(db, weekly(start), remind_supportee=())
    clock.advance(days=2, hours=23)
    look(db)
    assert told(db) == []
    assert db.meetings.find_one({}, {"next_look_at": 1}) == {"_id": "m1"}


def test_each_chooses_alone(db: Db, start: datetime, clock: Clock) -> None:
    changed(db, weekly(start), remind_supportee=("day",), remind_practitioner=("hour",))
    clock.advance(days=3, hours=5, minutes=1)
    look(db)
    assert sorted(told(db)) == [("ana", start), ("wren", start)]


def test_a_worker_that_stood_still_over_the_beginning_sends_nothing_late(db: Db, start: datetime, clock: Clock) -> None:
    changed(db, weekly(start))
    clock.advance(days=3, hours=6, minutes=1)
    look(db)
    assert told(db) == []


def test_a_worker_that_stood_still_for_a_day_reminds_once(db: Db, start: datetime, clock: Clock) -> None:
    changed(db, weekly(start))
    clock.advance(days=3, hours=5, minutes=30)
    look(db)
    assert told(db) == [("wren", start)]


def test_a_reminder_is_no_use_once_it_has_begun(db: Db, start: datetime, clock: Clock) -> None:
    changed(db, weekly(start))
    clock.advance(days=2, hours=6)
    look(db)
    rows = list(db.notifications.find({"template": "meeting_reminder"}))
    assert rows
    assert {row["expires_at"] for row in rows} == {start}


@pytest.mark.parametrize("what", ["skip", "move", "pause", "end", "hold", "pair_ended"])
def test_what_waits_is_taken_back_when_the_date_is_off(db: Db, start: datetime, clock: Clock, what: str) -> None:
    series = weekly(start)
    changed(db, series)
    clock.advance(days=2, hours=6)
    look(db)
    after: dict[str, tuple[Series | None, dict[str, Any]]] = {
        "skip": (skip(series, series.first), {}),
        "move": (move(series, series.first, start + timedelta(days=2)), {}),
        "pause": (replace(series, paused_at=now()), {}),
        "end": (None, {}),
        "hold": (series, {"on_hold": True}),
        "pair_ended": (series, {"ended_at": now()}),
    }
    then, facts = after[what]
    changed(db, then, 3, "skip", **facts)
    assert told(db) == []
    assert told(db, "cancelled") == [("wren", start)]
    clock.advance(hours=23)
    look(db)
    assert told(db) == []


def test_a_change_that_leaves_the_date_as_it_is_takes_nothing_back_and_sends_nothing_twice(
    db: Db, start: datetime, clock: Clock
) -> None:
    changed(db, weekly(start))
    clock.advance(days=2, hours=6)
    look(db)
    changed(db, weekly(start), 3, "place")
    look(db)
    assert told(db) == [("wren", start)]


def test_a_date_that_is_kept_after_all_is_reminded_of(db: Db, start: datetime, clock: Clock) -> None:
    series = weekly(start)
    changed(db, skip(series, series.first))
    clock.advance(days=2, hours=6)
    look(db)
    changed(db, keep(skip(series, series.first), series.first), 3, "keep")
    look(db)
    assert told(db) == [("wren", start)]


def test_whoever_asks_late_is_not_reminded_at_once(db: Db, start: datetime, clock: Clock) -> None:
    clock.advance(days=2, hours=20)
    changed(db, weekly(start))
    look(db)
    assert told(db) == []


def test_whoever_may_not_be_written_to_gets_none_and_finds_none_later(db: Db, start: datetime, clock: Clock) -> None:
    db.contacts.update_one({"_id": "wren"}, {"$set": {"on_their_word": True}})
    changed(db, weekly(start))
    clock.advance(days=2, hours=6)
    look(db)
    assert db.notifications.count_documents({"person_id": "wren"}) == 0
    contact = db.contacts.find_one({"_id": "wren"})
    assert contact
    assert "withheld" not in contact


def test_only_news_is_said_as_such_and_not_later_than_it_begins(db: Db, start: datetime, clock: Clock) -> None:
    db.contacts.update_one({"_id": "wren"}, {"$set": {"only_news": True}})
    changed(db, weekly(start))
    clock.advance(days=2, hours=6)
    look(db)
    [row] = db.notifications.find({"person_id": "wren", "channel": "email"})
    assert (row["template"], row["expires_at"]) == ("message", start)


def test_leaving_ends_them(db: Db, start: datetime, clock: Clock) -> None:
    changed(db, weekly(start), remind_practitioner=("hour",))
    erase_supportee(RequestWithdrawn(request_id="r1"), db)
    clock.advance(days=3, hours=5)
    look(db)
    assert told(db) == []


# The rule


hours = st.integers(0, 23)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))
zones = st.sampled_from([NEW_YORK, "America/Mexico_City", "Europe/London", "America/Sao_Paulo", "Australia/Sydney"])


def is_quiet(moment: datetime, zone: str, quiet: tuple[int, int]) -> bool:
    hour, (begins, ends) = moment.astimezone(ZoneInfo(zone)).hour, quiet
    return begins <= hour < ends if begins <= ends else hour >= begins or hour < ends


@given(moment=moments, zone=zones, quiet=st.tuples(hours, hours))
def test_a_reminder_never_falls_into_quiet_hours_and_never_after_its_time(
    moment: datetime, zone: str, quiet: tuple[int, int]
) -> None:
    found = before_quiet_hours(moment, zone, *quiet)
    assert moment - timedelta(hours=25) < found <= moment
    assert not is_quiet(found, zone, quiet)
    assert found == moment or is_quiet(moment, zone, quiet)


@given(start=moments, looked=moments, later=st.timedeltas(timedelta(), timedelta(days=20)), zone=zones)
def test_whatever_the_clock_does_a_date_is_reminded_of_once_a_look_and_before_it_begins(
    start: datetime, looked: datetime, later: timedelta, zone: str
) -> None:
    contact = Contact(
        person_id="p", role="supportee", version=1, channels=("email",), language="en", time_zone=zone, quiet_from=21,
        quiet_until=9, encrypted=None,  # type: ignore[arg-type]
    )  # fmt: skip
    series, moment = anchored_at(start, zone, id="s1", weekly=True), looked + later
    due = due_reminders(reminders_of(series, ("day", "hour"), contact, looked), looked, moment)
    assert len({one.on for one in due}) == len(due)
    assert all(looked < one.due_at <= moment < one.starts_at for one in due)
