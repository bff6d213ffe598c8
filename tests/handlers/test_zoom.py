"""The client of Zoom against a server that speaks its interface: tokens, rooms, and whatever else may come back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notify import zoom as module
from services.notify.zoom import Zoom, ZoomError
from shared.clock import now
from tests.zoom import JOIN, FakeAccount, Unkind, a_zoom, zoom_settings

TOKEN, USERS, MEETINGS = "/oauth/token", "/v2/users", "/v2/meetings"


@pytest.fixture
def account() -> Iterator[FakeAccount]:
    with a_zoom() as account:
        yield account


@pytest.fixture
def zoom(account: FakeAccount, keys: Path) -> Zoom:
    return Zoom(zoom_settings(keys, account.url))


def failing(call: Any, *args: Any) -> ZoomError:
    with pytest.raises(ZoomError) as caught:
        call(*args)
    return caught.value


def test_a_room_has_no_fixed_time_no_recording_and_says_nothing_of_anybody(zoom: Zoom, account: FakeAccount) -> None:
    made = zoom.create("me", "reference-1")
    [wanted] = account.created
    assert made.join_url == wanted["join_url"]
    assert (wanted["type"], wanted["topic"], wanted["agenda"]) == (3, "Meeting", "reference-1")
    settings = wanted["settings"]
    assert (settings["join_before_host"], settings["waiting_room"], settings["auto_recording"]) == (True, False, "none")
    assert (settings["approval_type"], settings["auto_start_meeting_summary"]) == (2, False)


def test_one_token_serves_until_shortly_before_its_end(zoom: Zoom, account: FakeAccount) -> None:
    for index in range(3):
        zoom.create("me", f"r{index}")
    assert account.asked("POST", TOKEN) == 1


def test_a_token_that_lasts_no_longer_than_that_serves_once(account: FakeAccount, keys: Path) -> None:
    account.lasts = 90
    zoom = Zoom(zoom_settings(keys, account.url))
    zoom.create("me", "r1")
    zoom.create("me", "r2")
    assert account.asked("POST", TOKEN) == 2


def test_a_token_that_ended_early_is_taken_anew_once(zoom: Zoom, account: FakeAccount) -> None:
    zoom.create("me", "r1")
    account.end_tokens()
    zoom.create("me", "r2")
    assert account.asked("POST", TOKEN) == 2
    account.always("POST", USERS, Unkind(401, {"code": 124, "message": "Invalid access token."}))
    assert (failing(zoom.create, "me", "r3").kind, account.asked("POST", TOKEN)) == ("refused", 3)


def test_credentials_that_are_wrong_are_refused(account: FakeAccount, keys: Path) -> None:
    wrong = Zoom(zoom_settings(keys, account.url, zoom_client_secret="hunter2"))
    error = failing(wrong.create, "me", "r1")
    assert (error.kind, error.reason) == ("refused", "400")
    assert account.meetings == {}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            400,
            {"code": 4711, "message": "Invalid access token, does not contain scopes:[meeting:write:meeting:admin]."},
            "400/4711",
        ),
        (400, {"code": 300, "message": "Validation Failed."}, "400/300"),
        (403, {"code": 200, "message": "No permission."}, "403/200"),
        (404, {"code": 1001, "message": "User does not exist: me."}, "404/1001"),
    ],
)
def test_a_refusal_is_told_by_its_numbers_alone(
    zoom: Zoom, account: FakeAccount, status: int, body: dict[str, Any], reason: str
) -> None:
    account.next("POST", USERS, Unkind(status, body))
    error = failing(zoom.create, "me", "r1")
    assert (error.kind, str(error)) == ("refused", reason)


@pytest.mark.parametrize(
    "answer",
    [
        Unkind(500, {}),
        Unkind(503, "<html>away</html>"),
        Unkind(201, "not json!"),
        Unkind(201, "[]"),
        Unkind(201, {"id": 5}),
        Unkind(201, {"id": "5", "join_url": f"{JOIN}5"}),
        Unkind(201, {"id": 5, "join_url": "javascript:alert(1)"}),
        Unkind(201, {"id": 5, "join_url": "http://zoom.example/j/5"}),
        Unkind(302, {}, {"Location": "https://elsewhere.example/"}),
        Unkind(201, {"id": 5, "join_url": f"{JOIN}5", "more": "x" * (module.MOST_BYTES + 1)}),
        Unkind(closes=True),
    ],
)
def test_what_cannot_be_used_is_as_if_nobody_were_there(zoom: Zoom, account: FakeAccount, answer: Unkind) -> None:
    account.next("POST", USERS, answer)
    assert failing(zoom.create, "me", "r1").kind == "away"


def test_a_body_that_comes_byte_by_byte_is_not_waited_for(account: FakeAccount, keys: Path) -> None:
    zoom = Zoom(zoom_settings(keys, account.url), longest_seconds=0.2)
    zoom._current_token()
    account.next("POST", USERS, Unkind(201, {"id": 5, "join_url": f"{JOIN}5"}, slowly=0.05))
    assert failing(zoom.create, "me", "r1").reason == "slow or long answer"


def test_nobody_there_and_a_name_that_is_none(keys: Path) -> None:
    for url in ("http://127.0.0.1:1", "http://no-such-host.invalid"):
        assert failing(Zoom(zoom_settings(keys, url)).create, "me", "r1").kind == "away"


def test_a_rate_limit_says_when_in_three_ways_and_otherwise_at_midnight(zoom: Zoom, account: FakeAccount) -> None:
    later = (now() + timedelta(hours=2)).replace(microsecond=0)
    http_date = later.strftime("%a, %d %b %Y %H:%M:%S GMT")
    daily = {"code": 429, "message": "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests."}
    for said, body, least, most in (
        ("120", {"code": 429}, 120, 120),
        (later.strftime("%Y-%m-%dT%H:%M:%SZ"), {"code": 429}, 7100, 7200),
        (http_date, {"code": 429}, 7100, 7200),
        ("soon", {"code": 429}, 0, 0),
        ("", {"code": 429}, 0, 0),
        ("", daily, 0, 24 * 3600),
    ):
        account.next("POST", USERS, Unkind(429, body, {"Retry-After": said} if said else {}))
        error = failing(zoom.create, "me", "r1")
        assert error.kind == "limited"
        assert least <= error.after.total_seconds() <= most
    midnight = datetime.combine(now().date() + timedelta(days=1), datetime.min.time(), UTC)
    assert abs(now() + error.after - midnight) < timedelta(minutes=1)


def test_a_room_is_found_by_its_reference_among_pages_of_others(zoom: Zoom, account: FakeAccount) -> None:
    account.page_size = 2
    made = {index: zoom.create("me", f"r{index}") for index in range(5)}
    zoom.create("other", "r9")
    found = zoom.find("me", "r4")
    assert found
    assert (found.number, found.join_url) == (made[4].number, made[4].join_url), "with its passcode, which lists leave out"
    assert zoom.find("me", "r9") is None


def test_a_room_that_is_gone_already_is_as_good_as_deleted(zoom: Zoom, account: FakeAccount) -> None:
    number = zoom.create("me", "r1").number
    zoom.delete(number)
    zoom.delete(number)
    assert account.meetings == {}
    account.next("DELETE", MEETINGS, Unkind(400, {"code": 3002, "message": "This meeting is in progress."}))
    assert failing(zoom.delete, number).reason == "400/3002"


def test_no_error_says_an_address_a_token_or_a_number(zoom: Zoom, account: FakeAccount) -> None:
    number = zoom.create("me", "r1").number
    account.next("DELETE", MEETINGS, Unkind(closes=True), Unkind(403, {"code": 200, "message": f"No permission for {number}"}))
    for _ in range(2):
        error = failing(zoom.delete, number)
        said = f"{error!r}{error.__cause__!r}{error.args}"
        assert number not in said
        assert account.url not in said
