"""A room at the video provider, as matching sees it: one is wanted, it is there or could not be made, and another place wins."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.matching.handlers.endings import end_by_practitioner, undo_by_practitioner
from services.matching.handlers.meetings import FindPlace, find_place
from services.matching.handlers.rooms import go_on_without_room, move_into_room, open_task_for_room_left_over, want_room
from services.matching.handlers.service import service
from shared import vault
from shared.contracts import MeetingsChanged, RoomFailed, RoomLeftOver, RoomMade
from shared.messages import Event
from shared.service import Service
from tests.handlers.matching_steps import add_practitioners, answer, document, only, open_offer, open_tasks, submit
from tests.handlers.test_meetings import ana_adjusts, ana_proposes, wren_chooses

ADDRESS = "https://zoom.example/j/90000000001?pwd=quincetree"


@pytest.fixture(autouse=True)
def provider() -> Iterator[None]:
    service.offers_rooms = True
    yield
    service.offers_rooms = False


@pytest.fixture
def pair(matching: Service) -> MeetingsChanged:
    add_practitioners(matching, "ana", parts=("weekday_evening",))
    submit(matching, "ana", parts=("weekday_evening",))
    return only(MeetingsChanged, answer(matching, open_offer(matching), "yes"))


def wanted(matching: Service, pair: MeetingsChanged) -> MeetingsChanged:
    return only(MeetingsChanged, matching.run(want_room, pair.offer_id))


def about(event: MeetingsChanged) -> dict[str, Any]:
    assert event.room
    return {"room_id": event.room.id, "match_id": event.match_id, "request_id": event.request_id}


def made(matching: Service, event: MeetingsChanged, address: str = ADDRESS) -> list[Event]:
    assert event.room
    encrypted = matching.vault.encrypt_for("matching", event.room.id, {"room": address})
    return matching.run(move_into_room, RoomMade(**about(event), encrypted=encrypted))


def failed(matching: Service, event: MeetingsChanged) -> list[Event]:
    return matching.run(go_on_without_room, RoomFailed(**about(event)))


def place_in(matching: Service, event: MeetingsChanged) -> str:
    words = document(matching, "requests", "r1")["encrypted"]["wrap"]
    key = vault.pair_key(matching.vault.unwrap(words, event.supportee_id), event.match_id)
    return vault.decrypt(key, event.supportee_id, "place", event.encrypted_place or "")


def state(matching: Service, pair: MeetingsChanged) -> str | None:
    room = document(matching, "meetings", pair.match_id).get("room")
    return room["state"] if room else None


@pytest.fixture
def rooms(matching: Service, pair: MeetingsChanged) -> MeetingsChanged:
    """They wait for a room."""
    return wanted(matching, pair)


def test_that_a_room_is_wanted_is_told_to_nobody_and_says_nothing_in_clear(rooms: MeetingsChanged) -> None:
    assert (rooms.change, rooms.by, rooms.encrypted_place) == ("room_wanted", None, None)
    assert rooms.room
    assert rooms.room.state == "wanted"


def test_where_there_is_no_provider_none_is_wanted(matching: Service, pair: MeetingsChanged) -> None:
    service.offers_rooms = False
    assert matching.run(want_room, pair.offer_id) == []


def test_a_second_press_while_one_is_made_changes_nothing(
    matching: Service, pair: MeetingsChanged, rooms: MeetingsChanged
) -> None:
    assert matching.run(want_room, pair.offer_id) == []


def test_the_room_becomes_the_place_under_the_key_of_the_two(matching: Service, rooms: MeetingsChanged) -> None:
    there = only(MeetingsChanged, made(matching, rooms))
    assert (there.change, there.by) == ("room_made", "practitioner"), "the supportee is told"
    assert place_in(matching, there) == ADDRESS
    assert "quincetree" not in str(list(matching.db.meetings.find())) + str(list(matching.db.outbox.find()))
    assert made(matching, rooms) == [], "and once"


def test_another_place_meanwhile_wins_and_the_room_that_comes_late_is_not_moved_into(
    matching: Service, pair: MeetingsChanged, rooms: MeetingsChanged
) -> None:
    own = only(MeetingsChanged, matching.run(find_place, FindPlace(offer_id=pair.offer_id, place="Under the quince tree")))
    assert own.room is None, "from which notify knows to delete it"
    assert made(matching, rooms) == []
    assert failed(matching, rooms) == []
    assert open_tasks(matching) == []


def test_until_the_room_is_there_they_meet_where_they_did(matching: Service, pair: MeetingsChanged) -> None:
    matching.run(find_place, FindPlace(offer_id=pair.offer_id, place="Under the quince tree"))
    assert place_in(matching, wanted(matching, pair)) == "Under the quince tree"


def test_where_none_could_be_made_both_hear_it_and_a_task_stands_on_the_desk(
    matching: Service, pair: MeetingsChanged, rooms: MeetingsChanged
) -> None:
    without = only(MeetingsChanged, failed(matching, rooms))
    assert (without.change, without.by) == ("room_failed", None)
    assert without.encrypted, "the practitioner's link"
    assert open_tasks(matching) == ["no_room"]
    assert failed(matching, rooms) == []
    assert made(matching, rooms) == [], "it is deleted, so nobody moves in"
    again = wanted(matching, pair)
    assert again.room
    assert rooms.room
    assert again.room.id != rooms.room.id


@pytest.mark.parametrize("by", ["another place", "a room after all"])
def test_the_task_is_done_once_they_have_a_place(
    matching: Service, pair: MeetingsChanged, rooms: MeetingsChanged, by: str
) -> None:
    failed(matching, rooms)
    if by == "another place":
        matching.run(find_place, FindPlace(offer_id=pair.offer_id, place="Under the quince tree"))
    else:
        made(matching, wanted(matching, pair))
    assert open_tasks(matching) == []


def test_to_give_up_the_hour_gives_up_the_room_and_another_hour_keeps_it(matching: Service, pair: MeetingsChanged) -> None:
    series = only(MeetingsChanged, wren_chooses(matching, pair, ana_proposes(matching, pair)))
    made(matching, wanted(matching, pair))
    other = only(MeetingsChanged, wren_chooses(matching, pair, ana_proposes(matching, pair, id="p2", days=5)))
    assert other.room
    assert (other.room.state, place_in(matching, other)) == ("made", ADDRESS)
    assert series.series
    gone = only(MeetingsChanged, ana_adjusts(matching, other, "end"))
    assert (gone.room, gone.encrypted_place) == (None, None)


def test_an_end_that_is_taken_back_finds_the_room_also_one_that_came_meanwhile(
    matching: Service, pair: MeetingsChanged, rooms: MeetingsChanged
) -> None:
    ended = only(MeetingsChanged, matching.run(end_by_practitioner, pair.offer_id))
    assert ended.room == rooms.room
    assert ended.ended_at
    there = only(MeetingsChanged, made(matching, rooms))
    assert there.by is None, "nobody is told of a place where they do not meet"
    back = only(MeetingsChanged, matching.run(undo_by_practitioner, pair.offer_id))
    assert place_in(matching, back) == ADDRESS


def test_a_room_left_over_is_one_task_for_whoever_looks_after_the_server(matching: Service) -> None:
    for index in range(2):
        matching.run(open_task_for_room_left_over, RoomLeftOver(room_id=f"r{index}"))
    assert open_tasks(matching) == ["room_left_over"]
