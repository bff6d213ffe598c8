"""Dates in a calendar program: a file and a private address, on both sides; the address can be stopped and names nobody."""

import re
from pathlib import Path

import icalendar
import pytest
from flask.testing import FlaskClient

from services.intake.handlers.erasure import withdraw_request
from services.matching.handlers.endings import end_by_practitioner
from shared.clock import now
from shared.contracts import RequestSubmitted
from shared.service import Service
from tests.pages import matching_site
from tests.pages.intake_site import post
from tests.pages.matching_site import everything_in, press
from tests.pages.test_meetings import a_series, ana, meetings_row, pair, said, wren, wren_proposes

__all__ = ["ana", "pair", "wren"]


def dates_in(text: bytes) -> list[str]:
    return [str(event["status"]) for event in icalendar.Calendar.from_ical(text).walk("VEVENT")]


def address_on(html: str) -> str:
    found = re.search(r"<code[^>]*>https?://[^/<]+(/[^<]+\.ics)</code>", html)
    assert found, html
    return found[1]


def make_address(wren: FlaskClient) -> str:
    return address_on(post(wren, "/s/calendar").text)


@pytest.fixture
def series(wren: FlaskClient, pair: RequestSubmitted, intake: Service) -> RequestSubmitted:
    said(intake, pair, series=a_series(), meeting_type="video")
    return pair


def test_the_file_has_the_next_eight_dates_and_no_name(wren: FlaskClient, series: RequestSubmitted) -> None:
    answer = wren.get("/s/calendar.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="dates.ics"'
    assert dates_in(answer.data) == ["CONFIRMED"] * 8
    assert not re.search(r"Juniper|Wren|Video", answer.text)


def test_without_a_session_there_is_no_file(wren: FlaskClient, series: RequestSubmitted) -> None:
    stranger = wren.application.test_client()
    assert stranger.get("/s/calendar.ics").status_code == 404
    assert stranger.get("/s/calendar").location == "/s"


def test_an_address_is_shown_once_and_gives_the_dates_to_whoever_has_it(
    wren: FlaskClient, series: RequestSubmitted, intake: Service
) -> None:
    assert "<code" not in wren.get("/s/calendar").text
    path = make_address(wren)
    program = wren.application.test_client()
    assert dates_in(program.get(path).data) == ["CONFIRMED"] * 8
    assert path.split("/")[-1].removesuffix(".ics") not in str(list(intake.db.links.find()))
    html = wren.get("/s/calendar").text
    assert "<code" not in html
    assert "You have one now. A new one takes its place." in html


def test_asking_fifty_times_changes_nothing(wren: FlaskClient, series: RequestSubmitted, intake: Service) -> None:
    path = make_address(wren)
    before = {name: list(intake.db[name].find()) for name in intake.db.list_collection_names()}
    for _ in range(25):
        assert wren.get(path).status_code == 200
        assert wren.head(path).status_code == 200
    assert {name: list(intake.db[name].find()) for name in intake.db.list_collection_names()} == before


def test_a_new_address_takes_the_place_of_the_old_one_and_stopping_ends_it(wren: FlaskClient, series: RequestSubmitted) -> None:
    first, second = make_address(wren), make_address(wren)
    assert (wren.get(first).status_code, wren.get(second).status_code) == (410, 200)
    post(wren, "/s/calendar/stop", at="/s/calendar")
    assert wren.get(second).status_code == 410
    assert wren.post(second).status_code == 405


def test_a_page_that_is_sent_twice_shows_the_address_that_works(wren: FlaskClient, series: RequestSubmitted) -> None:
    html = wren.get("/s/calendar").text
    data = dict(re.findall(r'name="(csrf_token|form_id)" value="([^"]+)"', html))
    paths = {address_on(wren.post("/s/calendar", data=data).text) for _ in range(2)}
    assert len(paths) == 1
    assert wren.get(paths.pop()).status_code == 200


def test_an_address_that_was_never_given_is_the_neutral_page(wren: FlaskClient, series: RequestSubmitted) -> None:
    assert wren.get("/cal/nothing.ics").status_code == 410
    assert "This link no longer works" in wren.get("/cal/nothing.ics").text


def test_whoever_asks_too_often_is_told_to_wait(wren: FlaskClient, series: RequestSubmitted) -> None:
    path = make_address(wren)
    assert [wren.get(path).status_code for _ in range(61)][-1] == 429


def test_leaving_ends_the_address(wren: FlaskClient, series: RequestSubmitted, intake: Service) -> None:
    path = make_address(wren)
    intake.run(withdraw_request, series.request_id)
    assert wren.get(path).status_code == 410
    assert intake.db.meetings.count_documents({}) == 0


def test_after_the_end_of_the_pair_the_calendar_cancels_what_was_to_come(
    wren: FlaskClient, series: RequestSubmitted, intake: Service
) -> None:
    path = make_address(wren)
    said(intake, series, version=2, series=a_series(), change="pair_ended", ended_at=now())
    assert set(dates_in(wren.get(path).data)) == {"CANCELLED"}


# The practitioner's side


@pytest.fixture
def me(ana: FlaskClient, matching: Service, keys: Path) -> FlaskClient:
    """Signed in to the own page; the two meet each week."""
    wanted = wren_proposes(matching)
    press(ana, "/o/meetings", "/o/meetings/choose", start=wanted.starts[0].isoformat())
    return matching_site.signed_in(matching, keys, "practitioner", "ana@example.org")


def test_a_practitioner_has_the_dates_of_everybody_they_meet(me: FlaskClient, matching: Service) -> None:
    assert "My dates in a calendar" in me.get("/me").text
    assert dates_in(me.get("/me/calendar.ics").data) == ["CONFIRMED"] * 8
    path = address_on(press(me, "/me/calendar", "/me/calendar").text)
    program = me.application.test_client()
    assert dates_in(program.get(path).data) == ["CONFIRMED"] * 8
    assert "Wren" not in program.get(path).text
    matching.run(end_by_practitioner, meetings_row(matching)["offer_id"])
    assert set(dates_in(program.get(path).data)) == {"CANCELLED"}


def test_their_address_is_stopped_and_asking_changes_nothing(me: FlaskClient, matching: Service) -> None:
    path = address_on(press(me, "/me/calendar", "/me/calendar").text)
    before = everything_in(matching)
    for _ in range(10):
        me.get(path)
        me.head(path)
    assert everything_in(matching) == before
    press(me, "/me/calendar", "/me/calendar/stop")
    assert me.get(path).status_code == 410


def test_nobody_else_reads_them(me: FlaskClient, matching: Service, keys: Path) -> None:
    stranger = me.application.test_client()
    for path in ("/me/calendar", "/me/calendar.ics"):
        assert stranger.get(path).status_code == 303
