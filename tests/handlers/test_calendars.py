"""Dates as two independent programs read them, over three years of clock changes; and as a calendar server keeps them."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import requests
import vobject

from shared.calendars import Dates, Title, as_ics
from shared.contracts import Series
from shared.meetings import WEEK, anchored_at, move, skip, start_on

ZONES = ("America/New_York", "America/Mexico_City", "Europe/London", "America/Sao_Paulo", "Australia/Sydney")
MOMENT = datetime(2026, 12, 1, 12, tzinfo=UTC)
TITLE = Title(words="Time set aside", sender="Kitchen Table", write_to="hello@kitchen-table.example")
Read = dict[str, dict[str, Any]]


def by_icalendar(text: bytes) -> Read:
    """UID -> what is said of it."""
    return {
        str(event["uid"]): {
            "start": event.decoded("dtstart").astimezone(UTC),
            "end": event.decoded("dtend").astimezone(UTC),
            "status": str(event["status"]),
            "sequence": int(event["sequence"]),
            "summary": str(event["summary"]),
        }
        for event in icalendar.Calendar.from_ical(text).walk("VEVENT")
    }


def by_vobject(text: bytes) -> Read:
    return {
        event.uid.value: {
            "start": event.dtstart.value.astimezone(UTC),
            "end": event.dtend.value.astimezone(UTC),
            "status": event.status.value,
            "sequence": int(event.sequence.value),
            "summary": event.summary.value,
        }
        for event in vobject.readOne(text.decode()).vevent_list
    }


def read(series: Series | None, version: int = 1, moment: datetime = MOMENT, **facts: Any) -> Read:
    """As both programs read it, which must be the same."""
    text = as_ics([Dates(series=series, version=version, **facts)], TITLE, moment)
    found = by_icalendar(text)
    if found:
        assert by_vobject(text) == found
    return found


def a_series(first: str = "2026-12-03", minute: int = 18 * 60, zone: str = "America/New_York", **facts: Any) -> Series:
    return Series(id="s1", first=first, minute=minute, zone=zone, **facts)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("other", ZONES)
def test_for_three_years_both_programs_show_the_hour_that_was_agreed(zone: str, other: str) -> None:
    series = a_series("2026-01-06", 18 * 60 + 30, zone)
    moment = start_on(series, date(2026, 1, 6)) - timedelta(days=1)
    while moment.year < 2029:
        for uid, event in read(series, moment=moment).items():
            on = date.fromisoformat(uid.removeprefix("s1-").removesuffix("@kitchen-table"))
            local = event["start"].astimezone(ZoneInfo(zone))
            assert (local.date(), local.hour, local.minute) == (on, 18, 30)
            assert event["end"] - event["start"] == timedelta(hours=1)
            abroad = event["start"].astimezone(ZoneInfo(other))
            assert abroad == start_on(series, on)
        moment += 6 * WEEK


def test_the_next_eight_dates_are_there_and_those_of_the_last_four_weeks() -> None:
    series = a_series("2026-01-01")
    starts = sorted(event["start"] for event in read(series).values())
    assert len(starts) == 12
    assert sum(1 for start in starts if start > MOMENT) == 8


def test_nothing_but_a_day_and_a_neutral_title() -> None:
    text = as_ics([Dates(series=a_series(), version=7)], TITLE, MOMENT).decode()
    assert "METHOD:PUBLISH" in text
    assert "SUMMARY:Time set aside" in text
    assert "CLASS:PRIVATE" in text
    assert not re.search(r"ATTENDEE|LOCATION|DESCRIPTION|RRULE|VTIMEZONE|VALARM|URL", text)
    names = {line.split(":", 1)[0].split(";", 1)[0] for line in text.replace("\r\n ", "").splitlines()}
    assert names <= {
        "BEGIN", "END", "VERSION", "PRODID", "METHOD", "REFRESH-INTERVAL", "X-PUBLISHED-TTL", "UID", "DTSTAMP", "DTSTART",
        "DTEND", "SUMMARY", "CLASS", "SEQUENCE", "STATUS", "ORGANIZER",
    }  # fmt: skip


def test_lines_are_as_the_standard_wants_them() -> None:
    text = as_ics([Dates(series=a_series(), version=1)], replace(TITLE, sender="Ñ" * 80), MOMENT)
    assert text.endswith(b"\r\n")
    assert b"\n" not in text.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))


def test_one_skipped_date_is_cancelled_and_no_other() -> None:
    found = read(skip(a_series(), "2026-12-10"), version=2)
    assert [uid for uid, event in found.items() if event["status"] == "CANCELLED"] == ["s1-2026-12-10@kitchen-table"]
    assert {event["sequence"] for event in found.values()} == {2}


def test_a_moved_date_keeps_its_name_and_changes_its_time() -> None:
    to = datetime(2026, 12, 12, 15, tzinfo=UTC)
    assert read(move(a_series(), "2026-12-10", to))["s1-2026-12-10@kitchen-table"]["start"] == to


def test_a_pause_an_end_and_another_hour_cancel_what_was_to_come_and_leave_what_was() -> None:
    series = a_series("2026-11-05")
    for facts in ({"paused_at": MOMENT}, {"ended_at": MOMENT}):
        found = read(replace(series, **facts), version=3)  # type: ignore[arg-type]
        assert {event["status"] for event in found.values() if event["start"] < MOMENT} == {"CONFIRMED"}
        assert {event["status"] for event in found.values() if event["start"] > MOMENT} == {"CANCELLED"}
    ended = replace(series, ended_at=MOMENT)
    later = anchored_at(MOMENT + timedelta(days=2), "Europe/London", id="s2", weekly=True)
    both = read(later, former=(ended,), version=4, moment=MOMENT + timedelta(days=20))
    assert {event["status"] for uid, event in both.items() if uid.startswith("s2")} == {"CONFIRMED"}
    old = {uid for uid, event in both.items() if uid.startswith("s1") and event["status"] == "CANCELLED"}
    assert old == {uid for uid, event in read(series).items() if event["start"] > MOMENT}


def test_an_end_of_the_pair_cancels_what_was_to_come() -> None:
    found = read(a_series(), cancelled_from=MOMENT)
    assert {event["status"] for event in found.values()} == {"CANCELLED"}


def test_a_single_meeting_is_one_date_and_nobody_s_dates_are_an_empty_calendar() -> None:
    assert list(read(a_series(weekly=False))) == ["s1-2026-12-03@kitchen-table"]
    assert read(None) == {}


# A calendar server


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a calendar of its own can be put."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("radicale")
    options = ["--server-hosts", f"127.0.0.1:{port}", "--storage-filesystem-folder", str(folder), "--auth-type", "none"]
    server = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", "", *options, "--rights-type", "authenticated"],
        stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"),
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    _wait_for(url, folder / "log")
    yield f"{url}/wren"
    server.terminate()
    server.wait(10)


def _wait_for(url: str, log: Path) -> None:
    for _ in range(300):
        try:
            requests.get(url, timeout=2)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(log.read_text())


def put(calendar: str, text: bytes) -> None:
    """As a program does that imports a file: the whole of it, in the place of what was there."""
    answer = requests.put(calendar, text, headers={"Content-Type": "text/calendar"}, auth=("wren", "wren"), timeout=20)
    assert answer.status_code in (200, 201, 204), answer.text


def kept(calendar: str) -> Read:
    answer = requests.get(calendar, auth=("wren", "wren"), timeout=20)
    assert answer.status_code == 200, answer.text
    return by_icalendar(answer.content)


def test_a_calendar_server_takes_the_file_and_gives_the_same_dates_back(radicale: str) -> None:
    series, calendar = a_series("2027-03-01"), f"{radicale}/dates/"
    moment = datetime(2027, 3, 1, tzinfo=UTC)
    put(calendar, as_ics([Dates(series=series, version=1)], TITLE, moment))
    assert kept(calendar) == read(series, moment=moment)
    changed = move(skip(series, "2027-03-08"), "2027-03-15", datetime(2027, 3, 16, 15, tzinfo=UTC))
    put(calendar, as_ics([Dates(series=changed, version=3)], TITLE, moment))
    assert kept(calendar) == read(changed, 3, moment)
    assert kept(calendar)["s1-2027-03-08@kitchen-table"]["status"] == "CANCELLED"


def test_one_date_is_changed_on_the_server_by_its_name(radicale: str) -> None:
    """As a program does that keeps one file for each date: the same name, a higher number."""
    series, moment, collection = a_series("2027-10-05"), datetime(2027, 10, 1, tzinfo=UTC), f"{radicale}/one/"
    requests.request("MKCALENDAR", collection, auth=("wren", "wren"), timeout=20)
    for version, each in ((1, series), (2, skip(series, "2027-10-12"))):
        for event in icalendar.Calendar.from_ical(as_ics([Dates(series=each, version=version)], TITLE, moment)).walk("VEVENT"):
            alone = icalendar.Calendar()
            alone.add("version", "2.0")
            alone.add("prodid", "-//test//")
            alone.add_component(event)
            put(f"{collection}{str(event['uid']).split('@')[0]}.ics", alone.to_ical())
    assert kept(collection) == read(skip(series, "2027-10-12"), 2, moment)
