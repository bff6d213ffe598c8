"""Rooms that notify makes and deletes at the video provider, with the real loop of leased work and a server that speaks Zoom's
interface: whatever comes back, or does not, no room is left that no row speaks of, and nobody waits for a room for ever."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.notify.handlers import service
from services.notify.handlers.meetings import enqueue_news_of_meetings
from services.notify.handlers.requests import erase_supportee
from services.notify.handlers.rooms import (
    LEFT_OVER_AFTER,
    WAITED_FOR,
    KeepRoom,
    find_rooms_left_over,
    find_rooms_to_give_up,
    give_up_late_room,
    keep_room,
    tell_of_room_left_over,
)
from services.notify.rooms import SETTLED_AFTER, run_rooms
from services.notify.zoom import Zoom
from shared import vault
from shared.clock import now
from shared.contracts import MeetingsChanged, RequestWithdrawn, Room, RoomFailed, RoomLeftOver, RoomMade
from shared.messages import Event, from_json, parse_event
from shared.mongo import Db
from shared.service import Service
from tests.eventually import eventually
from tests.handlers.matching_steps import Clock
from tests.receivers import ana, record_contact, wren
from tests.zoom import FakeAccount, Unkind, a_zoom, zoom_settings

PAIR: dict[str, Any] = {"match_id": "m1", "offer_id": "o1", "request_id": "r1", "practitioner_id": "ana", "supportee_id": "wren"}
ZONES: dict[str, Any] = {"supportee_zone": "America/New_York", "practitioner_zone": "Europe/London"}
USERS, MEETINGS = "/v2/users", "/v2/meetings"


@pytest.fixture
def account() -> Iterator[FakeAccount]:
    with a_zoom() as account:
        yield account


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(tmp_path / "clock", monkeypatch)


@pytest.fixture
def db(notify: Service) -> Iterator[Db]:
    service.makes_rooms = True
    record_contact(ana(notify), notify.db)
    record_contact(wren(notify), notify.db)
    notify.db.notifications.delete_many({})
    yield notify.db
    service.makes_rooms = False


@contextmanager
def working(notify: Service, account: FakeAccount, keys: Path, **settings: Any) -> Iterator[None]:
    chosen, stop = zoom_settings(keys, account.url, **settings), threading.Event()
    args = (notify.db, Zoom(chosen, longest_seconds=2), chosen.zoom_hosts, stop, timedelta(seconds=0.1))
    thread = threading.Thread(target=run_rooms, args=args, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def said(notify: Service, room: Room | None, version: int = 2, change: Any = "room_wanted", **facts: Any) -> list[Event]:
    event = MeetingsChanged(**PAIR, **ZONES, change=change, version=version, room=room, **facts)
    return notify.run(enqueue_news_of_meetings, event)


def row(db: Db, id: str = "one") -> dict[str, Any]:
    return db.rooms.find_one({"_id": id}) or {}


def published(db: Db, event_type: str) -> list[Any]:
    rows = db.outbox.find({"event_type": event_type}) if db.outbox.find_one({"event_type": event_type}) else db.outbox.find()
    events = [parse_event(from_json(one["body"])) for one in rows]
    return [event for event in events if event.event_type == event_type]


def make_due(db: Db) -> None:
    db.rooms.update_many({"next_at": {"$exists": True}, "claim": {"$exists": False}}, {"$set": {"next_at": now()}})


def settle(db: Db) -> None:
    """As if what was asked had been asked a while ago."""
    db.rooms.update_many({"asked_at": {"$exists": True}}, {"$set": {"asked_at": now() - 2 * SETTLED_AFTER}})
    make_due(db)


def rests(db: Db, failures: int, id: str = "one") -> bool:
    """It was tried so often, and nobody has it now."""
    found = row(db, id)
    return found.get("failures") == failures and "claim" not in found


def is_made(db: Db, id: str) -> bool:
    return bool(row(db, id).get("state") == "made")


# Made


def test_a_room_is_made_and_its_address_goes_to_matching_alone(notify: Service, db: Db, account: FakeAccount, keys: Path) -> None:
    with working(notify, account, keys):
        said(notify, Room(id="one"))
        eventually(lambda: row(db).get("state") == "made")
    [made] = published(db, RoomMade.event_type)
    [meeting] = account.meetings.values()
    assert (made.room_id, made.match_id, made.request_id) == ("one", "m1", "r1")
    assert vault.load_vault(keys, "matching").decrypt_fields(made.encrypted) == {"room": meeting["join_url"]}
    stored = str(list(db.rooms.find())) + str(list(db.outbox.find()))
    assert str(meeting["id"]) not in stored
    assert "zoom.example" not in stored


def test_the_same_said_twice_makes_one_room(notify: Service, db: Db, account: FakeAccount, keys: Path) -> None:
    with working(notify, account, keys):
        said(notify, Room(id="one"))
        said(notify, Room(id="one"))
        eventually(lambda: row(db).get("state") == "made")
        said(notify, Room(id="one", state="made"), version=3, change="room_made", by="practitioner")
        said(notify, Room(id="two"), version=4)
        eventually(lambda: row(db, "two").get("state") == "made" and row(db).get("state") == "gone")
    assert [one["agenda"] for one in account.meetings.values()] == ["two"]
    assert len(account.created) == 2


def test_rooms_are_spread_among_the_hosts(notify: Service, db: Db, account: FakeAccount, keys: Path) -> None:
    with working(notify, account, keys, zoom_hosts=("ro", "sam")):
        for index in range(4):
            event = MeetingsChanged(
                **{**PAIR, "match_id": f"m{index}"}, **ZONES, change="room_wanted", version=1, room=Room(id=f"r{index}")
            )
            notify.run(enqueue_news_of_meetings, event)
            eventually(partial(is_made, db, f"r{index}"))
    assert sorted(one["host"] for one in account.meetings.values()) == ["ro", "ro", "sam", "sam"]


# Unkind answers


def test_an_answer_that_never_came_makes_no_second_room(notify: Service, db: Db, account: FakeAccount, keys: Path) -> None:
    account.next("POST", USERS, Unkind(does=True, closes=True))
    with working(notify, account, keys):
        said(notify, Room(id="one"))
        eventually(lambda: rests(db, 1))
        make_due(db)
        eventually(lambda: row(db).get("state") == "made")
    assert (len(account.created), len(published(db, RoomMade.event_type))) == (1, 1)


def test_a_worker_that_ended_before_it_wrote_down_the_room_makes_no_second_one(
    notify: Service, db: Db, account: FakeAccount, keys: Path
) -> None:
    """As it is after a kill between Zoom's answer and the commit: asked, and the lease ran out."""
    said(notify, Room(id="one"))
    Zoom(zoom_settings(keys, account.url)).create("me", "one")
    gone = {"asked_at": now(), "host": "me", "claim": "of a worker that died", "next_at": now() - timedelta(seconds=1)}
    db.rooms.update_one({"_id": "one"}, {"$set": gone})
    with working(notify, account, keys):
        eventually(lambda: row(db).get("state") == "made")
    assert len(account.created) == 1


@pytest.mark.parametrize(
    "answer", [Unkind(500, {}), Unkind(429, {"code": 429}, {"Retry-After": "120"}), Unkind(201, "not json!")]
)
def test_what_passes_is_tried_again_and_not_at_once(
    notify: Service, db: Db, account: FakeAccount, keys: Path, answer: Unkind
) -> None:
    account.next("POST", USERS, answer)
    with working(notify, account, keys):
        said(notify, Room(id="one"))
        eventually(lambda: rests(db, 1))
        assert row(db)["next_at"] > now() + timedelta(seconds=10)
        make_due(db)
        eventually(lambda: row(db).get("state") == "made")
    assert published(db, RoomFailed.event_type) == []


def test_a_limit_that_ends_too_late_gives_the_room_up_at_once(notify: Service, db: Db, account: FakeAccount, keys: Path) -> None:
    tomorrow = (now() + WAITED_FOR + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    account.next("POST", USERS, Unkind(429, {"code": 429}, {"Retry-After": tomorrow}))
    with working(notify, account, keys):
        said(notify, Room(id="one"))
        eventually(lambda: published(db, RoomFailed.event_type))
    assert (row(db)["state"], account.asked("POST", USERS)) == ("gone", 1)


def test_what_is_refused_three_times_is_given_up_and_nothing_is_left(
    notify: Service, db: Db, account: FakeAccount, keys: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with working(notify, account, keys, zoom_client_secret="hunter2"):
        said(notify, Room(id="one"))
        for failures in (1, 2):
            eventually(partial(rests, db, failures))
            assert published(db, RoomFailed.event_type) == []
            make_due(db)
        eventually(lambda: published(db, RoomFailed.event_type))
    [failed] = published(db, RoomFailed.event_type)
    assert (failed.room_id, failed.match_id, failed.request_id) == ("one", "m1", "r1")
    assert row(db)["state"] == "gone"
    assert "match_id" not in row(db)
    everything = caplog.text + str([vars(record) for record in caplog.records])
    assert "hunter2" not in everything
    assert account.url not in everything


def test_a_provider_that_is_away_for_hours_is_given_up_and_what_it_made_after_all_is_deleted(
    notify: Service, db: Db, account: FakeAccount, keys: Path, clock: Clock
) -> None:
    account.next("POST", USERS, Unkind(does=True, closes=True))
    account.always("GET", USERS, Unkind(503, {}))
    with working(notify, account, keys):
        said(notify, Room(id="one"))
        eventually(lambda: rests(db, 1))
        assert list(find_rooms_to_give_up(db)) == []
        clock.advance(seconds=(WAITED_FOR).total_seconds())
        for id in find_rooms_to_give_up(db):
            notify.run(give_up_late_room, id)
        assert [one.room_id for one in published(db, RoomFailed.event_type)] == ["one"]
        assert len(account.meetings) == 1
        account.be_kind()
        settle(db)
        eventually(lambda: row(db).get("state") == "gone")
    assert account.meetings == {}


def test_where_no_provider_is_set_any_more_those_who_wait_hear_of_it(notify: Service, db: Db) -> None:
    said(notify, Room(id="one"))
    service.makes_rooms = False
    for id in find_rooms_to_give_up(db):
        notify.run(give_up_late_room, id)
    assert len(published(db, RoomFailed.event_type)) == 1


def test_both_hear_that_no_room_was_made(notify: Service, db: Db) -> None:
    said(notify, Room(id="one", state="failed"), change="room_failed")
    told = db.notifications.find({"template": "meetings_news", "channel": "email"})
    assert sorted((one["person_id"], one["context"]["change"]) for one in told) == [
        ("ana", "room_failed"),
        ("wren", "room_failed"),
    ]


# Deleted


@pytest.fixture
def made(notify: Service, db: Db, account: FakeAccount, keys: Path) -> Db:
    """They have a room."""
    with working(notify, account, keys):
        said(notify, Room(id="one"))
        eventually(lambda: row(db).get("state") == "made")
    said(notify, Room(id="one", state="made"), version=3, change="room_made", by="practitioner")
    return db


def test_the_end_of_a_series_or_another_place_deletes_the_room(
    notify: Service, made: Db, account: FakeAccount, keys: Path
) -> None:
    said(notify, None, version=4, change="end", by="practitioner")
    with working(notify, account, keys):
        eventually(lambda: row(made).get("state") == "gone")
    assert account.meetings == {}
    assert "encrypted" not in row(made)


def test_the_end_of_a_pair_deletes_it_only_once_that_cannot_be_taken_back(
    notify: Service, made: Db, account: FakeAccount, keys: Path, clock: Clock
) -> None:
    ended: dict[str, Any] = {"version": 4, "change": "pair_ended", "ended_at": now()}
    said(notify, Room(id="one", state="made"), **ended)
    assert row(made)["next_at"] > now() + timedelta(days=1)
    with working(notify, account, keys):
        clock.advance(seconds=(timedelta(hours=23)).total_seconds())
        said(notify, Room(id="one", state="made"), version=5, change="pair_resumed")
        assert (row(made)["state"], row(made).get("next_at")) == ("made", None)
        said(notify, Room(id="one", state="made"), version=6, change="pair_ended", ended_at=now())
        clock.advance(seconds=(timedelta(hours=26)).total_seconds())
        eventually(lambda: row(made).get("state") == "gone")
    assert account.meetings == {}


def test_whoever_leaves_leaves_a_number_to_delete_and_nothing_of_themselves(
    notify: Service, made: Db, account: FakeAccount, keys: Path
) -> None:
    notify.run(erase_supportee, RequestWithdrawn(request_id="r1"))
    assert not {"match_id", "request_id"} & row(made).keys()
    with working(notify, account, keys):
        eventually(lambda: row(made).get("state") == "gone")
    assert account.meetings == {}


def test_what_was_made_while_it_was_not_wanted_any_more_is_deleted(
    notify: Service, db: Db, account: FakeAccount, keys: Path
) -> None:
    said(notify, Room(id="one"))
    number = int(Zoom(zoom_settings(keys, account.url)).create("me", "one").number)
    db.rooms.update_one({"_id": "one"}, {"$set": {"asked_at": now(), "host": "me", "claim": "of a worker at it"}})
    said(notify, None, version=3, change="place", by="practitioner")
    assert notify.run(keep_room, KeepRoom(room_id="one", number=str(number), join_url="https://zoom.example/j/1")) == []
    with working(notify, account, keys):
        eventually(lambda: row(db).get("state") == "gone")
    assert account.meetings == {}


def test_a_room_that_is_written_down_after_its_row_was_done_with_is_deleted_too(
    notify: Service, db: Db, account: FakeAccount, keys: Path
) -> None:
    number = Zoom(zoom_settings(keys, account.url)).create("me", "late").number
    assert notify.run(keep_room, KeepRoom(room_id="late", number=number, join_url="https://zoom.example/j/1")) == []
    with working(notify, account, keys):
        eventually(lambda: row(db, "late").get("state") == "gone")
    assert account.meetings == {}


def test_a_room_that_cannot_be_deleted_for_days_is_told_of_once_and_tried_on(
    notify: Service, made: Db, account: FakeAccount, keys: Path, clock: Clock
) -> None:
    account.always("DELETE", MEETINGS, Unkind(403, {"code": 200}))
    said(notify, None, version=4, change="end", by="practitioner")
    with working(notify, account, keys):
        eventually(lambda: rests(made, 1))
        assert list(find_rooms_left_over(made)) == []
        clock.advance(seconds=(LEFT_OVER_AFTER + timedelta(minutes=1)).total_seconds())
        for _ in range(2):
            for id in find_rooms_left_over(made):
                notify.run(tell_of_room_left_over, id)
        assert [one.room_id for one in published(made, RoomLeftOver.event_type)] == ["one"]
        account.be_kind()
        make_due(made)
        eventually(lambda: row(made).get("state") == "gone")
