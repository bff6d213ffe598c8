"""What the two hear when their meetings end: only the other one, in its own words, once."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any, Literal

import pytest

from services.notify.handlers.endings import SETTLES_WITHIN, enqueue_end_of_meetings, enqueue_meetings_go_on
from services.notify.handlers.offers import enqueue_match_notification
from services.notify.handlers.requests import enqueue_note, erase_supportee
from services.notify.rendering import Brand, Recipient, render_email, render_sms
from shared.clock import now
from shared.contracts import MatchEnded, MatchEndingUndone, MatchMade, NoteWritten, RequestWithdrawn
from shared.i18n import LANGUAGES
from shared.leased_work import DUE_NOW
from shared.mongo import Db
from shared.service import RetryLater, Service
from tests.receivers import ana, record_contact, wren

PAIR = {"match_id": "m1", "offer_id": "o1", "request_id": "r1", "practitioner_id": "ana", "supportee_id": "wren"}
BRAND = Brand("Kitchen Table", "Kitchen Table", "hello@kitchen-table.example", "https://ktable.example")


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(ana(notify), notify.db)
    record_contact(wren(notify), notify.db)
    notify.db.notifications.delete_many({})
    return notify.db


def ended(by: Literal["practitioner", "supportee"], version: int = 5, then: Any = "ask_me") -> MatchEnded:
    undo_until = None if then == "over" else now() + timedelta(hours=24)
    return MatchEnded(**PAIR, ended_by=by, then=then, version=version, undo_until=undo_until)


def undone(by: Literal["practitioner", "supportee"], version: int) -> MatchEndingUndone:
    return MatchEndingUndone(**PAIR, undone_by=by, version=version)


def is_sent(db: Db) -> None:
    """What waits was due and has left."""
    db.notifications.update_many({"state": "pending"}, {"$set": {"state": "accepted"}, "$unset": {"next_at": 1}})


def presses(db: Db, by: Literal["practitioner", "supportee"], times: int, version: int = 5) -> None:
    """End, undo, end, and so on."""
    for number in range(times):
        if number % 2:
            enqueue_meetings_go_on(undone(by, version + number), db)
        else:
            enqueue_end_of_meetings(ended(by, version + number), db)


def letters(db: Db, person_id: str) -> list[str]:
    """All that they were or will be told."""
    rows = db.notifications.find({"person_id": person_id, "channel": "email", "state": {"$ne": "cancelled"}}).sort("$natural", 1)
    return [row["template"] for row in rows]


def told(db: Db) -> set[tuple[str, str]]:
    return {(row["person_id"], row["template"]) for row in db.notifications.find({"state": "pending"})}


def test_the_supportee_hears_that_a_practitioner_ended_them(db: Db) -> None:
    enqueue_end_of_meetings(ended("practitioner"), db)
    assert told(db) == {("wren", "meetings_ended")}


@pytest.mark.parametrize("then", ["wait", "someone_else", "over"])
def test_the_practitioner_hears_that_a_supportee_ended_them(db: Db, then: str) -> None:
    enqueue_end_of_meetings(ended("supportee", then=then), db)
    assert told(db) == {("ana", "meetings_ended")}


def test_the_practitioner_hears_it_when_the_supportee_left_for_good(db: Db) -> None:
    erase_supportee(RequestWithdrawn(request_id="r1"), db)
    enqueue_end_of_meetings(ended("supportee", then="over"), db)
    assert told(db) == {("ana", "meetings_ended")}


def test_it_is_told_once_however_often_it_comes(db: Db) -> None:
    for _ in range(2):
        enqueue_end_of_meetings(ended("supportee"), db)
    assert db.notifications.count_documents({"channel": "email"}) == 1


BOTH = pytest.mark.parametrize(("by", "other"), [("supportee", "ana"), ("practitioner", "wren")])


@BOTH
def test_an_end_is_told_a_quarter_of_an_hour_later(db: Db, by: Any, other: str) -> None:
    enqueue_end_of_meetings(ended(by), db)
    [row] = db.notifications.find({"person_id": other, "channel": "email"})
    assert SETTLES_WITHIN - timedelta(minutes=1) < row["next_at"].replace(tzinfo=UTC) - now() <= SETTLES_WITHIN


def test_an_end_that_cannot_be_taken_back_is_told_at_once(db: Db) -> None:
    enqueue_end_of_meetings(ended("supportee", then="over"), db)
    [row] = db.notifications.find({"person_id": "ana", "channel": "email"})
    assert row["next_at"].replace(tzinfo=UTC) == DUE_NOW


@BOTH
def test_an_end_that_is_taken_back_before_it_was_told_is_told_to_nobody(db: Db, by: Any, other: str) -> None:
    presses(db, by, 2)
    assert letters(db, other) == []


@BOTH
@pytest.mark.parametrize(("times", "told_then"), [(1, ["meetings_ended"]), (4, []), (5, ["meetings_ended"])])
def test_many_presses_are_one_message_that_says_what_is_so(db: Db, by: Any, other: str, times: int, told_then: list[str]) -> None:
    presses(db, by, times)
    assert letters(db, other) == told_then


@BOTH
def test_the_other_one_hears_that_they_go_on_once_they_heard_of_the_end(db: Db, by: Any, other: str) -> None:
    enqueue_end_of_meetings(ended(by), db)
    is_sent(db)
    enqueue_meetings_go_on(undone(by, 6), db)
    assert letters(db, other) == ["meetings_ended", "meetings_go_on"]


@BOTH
def test_an_end_after_one_that_was_told_and_taken_back_in_the_same_minutes_says_nothing_new(db: Db, by: Any, other: str) -> None:
    enqueue_end_of_meetings(ended(by), db)
    is_sent(db)
    enqueue_meetings_go_on(undone(by, 6), db)
    enqueue_end_of_meetings(ended(by, 7), db)
    assert letters(db, other) == ["meetings_ended"]


@BOTH
def test_in_whatever_order_they_are_heard_the_newest_is_told(db: Db, by: Any, other: str) -> None:
    enqueue_meetings_go_on(undone(by, 6), db)
    enqueue_end_of_meetings(ended(by), db)
    assert letters(db, other) == []


def test_what_waits_to_settle_holds_no_other_text_back(db: Db) -> None:
    enqueue_end_of_meetings(ended("practitioner"), db)
    enqueue_note(
        NoteWritten(note_id="n1", request_id="r1", supportee_id="wren", practitioner_id=None, encrypted="AQ", version=9), db
    )
    texts = db.notifications.find({"person_id": "wren", "channel": "text", "state": "pending"})
    assert sorted(row["template"] for row in texts) == ["meetings_ended", "note"]


def test_an_end_that_was_overtaken_by_what_is_newer_is_not_told_to_the_supportee(db: Db) -> None:
    enqueue_match_notification(MatchMade(**{**PAIR, "offer_id": "o2", "match_id": "m2"}, version=7), db)
    enqueue_end_of_meetings(ended("practitioner", version=6), db)
    assert told(db) == {("wren", "said_yes")}


def test_it_waits_for_a_contact_that_has_not_come(db: Db) -> None:
    with pytest.raises(RetryLater):
        enqueue_end_of_meetings(replace(ended("supportee"), practitioner_id="somebody"), db)


@pytest.mark.parametrize("role", ["supportee", "practitioner"])
def test_the_letter_says_that_they_did_nothing_wrong(role: str) -> None:
    email = render_email("meetings_ended", {"link": "https://ktable.example/s"}, Recipient("en", "UTC", role), BRAND)
    assert "Your meetings with someone have come to an end. You did nothing wrong." in email.text
    assert "moved on" not in email.text + email.subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_to_the_supportee_says_only_that_there_is_news(language: str) -> None:
    receiver = Recipient(language, "UTC", "supportee")
    link = {"link": "https://ktable.example/s"}
    assert render_sms("meetings_ended", link, receiver, BRAND) == render_sms("said_yes", link, receiver, BRAND)
