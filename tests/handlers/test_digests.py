"""Whoever wants one e-mail a day gets what can wait together, and what somebody waits for at once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notify.domain import CAN_WAIT, TEMPLATES, next_digest_at
from services.notify.handlers.contacts import enqueue_team_sign_in_link
from services.notify.handlers.digests import find_due_digests, send_digest
from services.notify.handlers.offers import (
    enqueue_forwarded_note,
    enqueue_offer_notification,
    enqueue_offer_release,
    enqueue_offer_reminder,
)
from shared.contracts import NoteForwarded, OfferReleased, TeamSignInRequested
from shared.mongo import Db
from shared.service import Service
from tests.handlers.matching_steps import Clock
from tests.receivers import a_reminder, an_offer, ana, encrypted_for_notify, record_contact, wren


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(wren(notify), notify.db)
    record_contact(ana(notify, digest=True), notify.db)
    return notify.db


def a_note(notify: Service, note_id: str) -> NoteForwarded:
    sealed = encrypted_for_notify(notify.vault, "ana", link="https://kt.example/o/x", short_link="https://kt.example/o/y")
    return NoteForwarded(offer_id="o1", note_id=note_id, practitioner_id="ana", encrypted=sealed)


def emails(db: Db) -> list[str]:
    found = db.notifications.find({"person_id": "ana", "channel": "email"}).sort("created_at", 1)
    return [row["template"] for row in found]


def test_every_template_that_can_wait_is_one() -> None:
    assert set(CAN_WAIT) <= set(TEMPLATES)
    assert not {"offer", "reminder", "sign_in", "meeting_reminder"} & set(CAN_WAIT)


def test_an_offer_its_reminder_and_a_link_come_at_once(notify: Service, db: Db) -> None:
    offer = an_offer(notify)
    enqueue_offer_notification(offer, db)
    enqueue_offer_reminder(a_reminder(notify, offer), db)
    sealed = encrypted_for_notify(notify.vault, "ana", link="https://kt.example/me/in/x")
    enqueue_team_sign_in_link(TeamSignInRequested(person_id="ana", encrypted=sealed), db)
    assert sorted(emails(db)) == ["offer", "reminder", "sign_in"]
    assert db.digests.count_documents({}) == 0


def test_what_can_wait_is_one_email_when_their_quiet_hours_end(
    notify: Service, db: Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(tmp_path / "clock", monkeypatch)
    enqueue_offer_notification(an_offer(notify), db)
    for number in range(3):
        enqueue_forwarded_note(a_note(notify, f"n{number}"), db)
    db.notifications.update_many({"template": "offer"}, {"$set": {"state": "accepted"}})
    enqueue_offer_release(OfferReleased(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, reason="withdrawn"), db)
    assert emails(db) == ["offer"]
    assert db.notifications.count_documents({"channel": "text", "template": "note_for_you"}) == 3
    assert list(find_due_digests(db)) == []
    clock.advance(hours=24)
    assert list(find_due_digests(db)) == ["ana"]
    for _ in range(2):
        send_digest("ana", db)
    row = db.notifications.find_one({"template": "digest"})
    assert row
    assert set(row["context"]["news"].split()) == {"note_for_you", "offer_gone"}
    assert sorted(emails(db)) == ["digest", "offer"]
    assert db.digests.count_documents({}) == 0
    clock.advance(hours=24)
    assert list(find_due_digests(db)) == []


def test_whoever_did_not_ask_for_it_gets_each_as_it_comes(notify: Service) -> None:
    record_contact(ana(notify), notify.db)
    enqueue_forwarded_note(a_note(notify, "n1"), notify.db)
    assert emails(notify.db) == ["note_for_you"]


@pytest.mark.parametrize(
    ("moment", "zone", "due"),
    [
        (datetime(2026, 12, 1, 12, tzinfo=UTC), "UTC", datetime(2026, 12, 2, 9, tzinfo=UTC)),
        (datetime(2026, 12, 1, 8, 59, tzinfo=UTC), "UTC", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        (datetime(2026, 12, 1, 9, tzinfo=UTC), "UTC", datetime(2026, 12, 2, 9, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), "Europe/Madrid", datetime(2026, 3, 29, 7, tzinfo=UTC)),
    ],
)
def test_a_digest_is_due_when_quiet_hours_end_next(moment: datetime, zone: str, due: datetime) -> None:
    assert next_digest_at(moment, zone, 9) == due
