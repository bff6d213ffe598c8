"""What the two hear when their meetings end: only the other one, in its own words, once."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from services.notify.handlers.endings import enqueue_end_of_meetings, enqueue_meetings_go_on
from services.notify.handlers.requests import erase_supportee
from services.notify.rendering import Brand, Recipient, render_email, render_sms
from shared.contracts import MatchEnded, MatchEndingUndone, RequestWithdrawn
from shared.i18n import LANGUAGES
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
    return MatchEnded(**PAIR, ended_by=by, then=then, version=version)


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
        enqueue_end_of_meetings(ended("practitioner", version=6), db)
    assert db.notifications.count_documents({"channel": "email"}) == 2


def test_the_other_one_hears_that_they_go_on(db: Db) -> None:
    enqueue_meetings_go_on(MatchEndingUndone(**PAIR, undone_by="practitioner", version=7), db)
    enqueue_meetings_go_on(MatchEndingUndone(**PAIR, undone_by="supportee", version=9), db)
    assert told(db) == {("wren", "meetings_go_on"), ("ana", "meetings_go_on")}


def test_an_end_that_was_overtaken_by_what_is_newer_is_not_told_to_the_supportee(db: Db) -> None:
    enqueue_meetings_go_on(MatchEndingUndone(**PAIR, undone_by="practitioner", version=7), db)
    enqueue_end_of_meetings(ended("practitioner", version=6), db)
    assert told(db) == {("wren", "meetings_go_on")}


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
