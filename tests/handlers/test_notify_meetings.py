"""What the two hear when one of them changes when they meet: only the other one, only the newest, never what it is in clear."""

from typing import Any

import pytest

from services.notify.handlers.endings import enqueue_end_of_meetings
from services.notify.handlers.meetings import enqueue_news_of_meetings
from services.notify.handlers.requests import erase_supportee
from shared.contracts import MatchEnded, MeetingsChanged, RequestWithdrawn
from shared.mongo import Db
from shared.service import RetryLater, Service
from tests.receivers import ana, record_contact, wren

PAIR = {"match_id": "m1", "offer_id": "o1", "request_id": "r1", "practitioner_id": "ana", "supportee_id": "wren"}
ZONES = {"supportee_zone": "America/New_York", "practitioner_zone": "Europe/London"}


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(ana(notify), notify.db)
    record_contact(wren(notify), notify.db)
    notify.db.notifications.delete_many({})
    return notify.db


def changed(notify: Service, change: Any, by: Any, version: int = 2) -> MeetingsChanged:
    links = {"link": "https://ktable.example/o/long", "short_link": "https://ktable.example/o/short"}
    encrypted = notify.vault.encrypt_for("notify", "ana", links) if by == "supportee" else None
    return MeetingsChanged(**PAIR, **ZONES, change=change, by=by, version=version, encrypted=encrypted)


def told(db: Db, state: str = "pending") -> list[tuple[str, str]]:
    found = db.notifications.find({"state": state, "channel": "email", "template": "meetings_news"})
    return sorted((row["person_id"], row["context"]["change"]) for row in found)


def test_the_other_one_is_told_whoever_did_it(db: Db, notify: Service) -> None:
    enqueue_news_of_meetings(changed(notify, "proposed", "practitioner"), db)
    enqueue_news_of_meetings(changed(notify, "set", "supportee", 3), db)
    assert told(db) == [("ana", "set"), ("wren", "proposed")]


@pytest.mark.parametrize("change", ["hours_found", "pair_ended", "pair_resumed"])
def test_what_nobody_did_is_told_to_nobody(db: Db, notify: Service, change: str) -> None:
    enqueue_news_of_meetings(changed(notify, change, None), db)
    enqueue_news_of_meetings(changed(notify, "held", "supportee", 3), db)
    assert db.notifications.count_documents({}) == 0


def test_of_two_changes_that_wait_the_newest_is_told(db: Db, notify: Service) -> None:
    enqueue_news_of_meetings(changed(notify, "skip", "practitioner", 2), db)
    enqueue_news_of_meetings(changed(notify, "keep", "practitioner", 3), db)
    assert told(db) == [("wren", "keep")]
    assert told(db, "cancelled") == [("wren", "skip")]


def test_an_older_change_that_comes_late_is_not_told(db: Db, notify: Service) -> None:
    enqueue_news_of_meetings(changed(notify, "keep", "practitioner", 3), db)
    enqueue_news_of_meetings(changed(notify, "skip", "practitioner", 2), db)
    assert told(db) == [("wren", "keep")]


def test_the_end_of_the_pair_takes_back_what_waits(db: Db, notify: Service) -> None:
    enqueue_news_of_meetings(changed(notify, "skip", "practitioner"), db)
    enqueue_end_of_meetings(MatchEnded(**PAIR, ended_by="practitioner", then="ask_me", version=5), db)
    assert told(db) == []


def test_nothing_is_kept_or_told_of_somebody_who_left(db: Db, notify: Service) -> None:
    enqueue_news_of_meetings(changed(notify, "skip", "practitioner"), db)
    erase_supportee(RequestWithdrawn(request_id="r1"), db)
    enqueue_news_of_meetings(changed(notify, "keep", "supportee", 3), db)
    assert (db.meetings.count_documents({}), told(db)) == (0, [])


def test_news_of_somebody_not_known_yet_waits_for_them(notify: Service) -> None:
    with pytest.raises(RetryLater):
        enqueue_news_of_meetings(changed(notify, "skip", "practitioner"), notify.db)
