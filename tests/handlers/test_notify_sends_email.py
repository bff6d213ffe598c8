"""Notifications by e-mail, on a real SMTP server that is kind, full, closed, or drops the connection."""

import os
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

import pytest

from services.notify.handlers.offers import enqueue_not_this_time, enqueue_offer_notification, enqueue_offer_release
from shared.clock import now
from shared.contracts import NotificationFailed, OfferDeclined, OfferReleased
from shared.messages import from_json, parse_event
from shared.mongo import Db
from shared.service import Service
from shared.smtp import Timeouts
from tests.delivery import delivering_email, end_leases, make_due, notification_in, notify_settings
from tests.eventually import eventually
from tests.mailbox import Mailbox, a_mailbox, words_of
from tests.receivers import an_offer, ana, record_contact, wren

ANA = "ana@example.org"
FAILED = NotificationFailed(person_id="ana", template="offer")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with a_mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(ana(notify, channels=("email",)), notify.db)
    return notify.db


@pytest.fixture
def sending(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> Iterator[None]:
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        yield


def offer(notify: Service, offer_id: str = "o1") -> None:
    notify.run(enqueue_offer_notification, an_offer(notify, offer_id))


def events_in(db: Db) -> list[object]:
    return [parse_event(from_json(one["body"])) for one in db.outbox.find()]


def move_clock(monkeypatch: pytest.MonkeyPatch, folder: Path, by: timedelta) -> None:
    (folder / "clock").write_text(str(by.total_seconds()))
    monkeypatch.setitem(os.environ, "CLOCK_FILE", str(folder / "clock"))


@pytest.mark.usefixtures("sending")
def test_an_email_arrives_text_first_with_the_headers_that_keep_machines_quiet(notify: Service, mailbox: Mailbox, db: Db) -> None:
    offer(notify)
    [mail] = mailbox.wait_for(ANA)
    assert mail["Subject"] == "Someone would like to meet you"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert parseaddr(mail["Reply-To"])[1] == "people@kt.example"
    assert parseaddr(mail["From"]) == ("Kitchen Table", "table@kt.example")
    assert mail["Content-Language"] == "en"
    assert mail["Date"]
    assert mail["Message-ID"] == f"<{notification_in(db)['_id']}@kt.example>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert f"https://kt.example/o/{'x' * 43}" in words_of(mail)
    eventually(lambda: notification_in(db)["state"] == "accepted")


@pytest.mark.usefixtures("sending")
def test_encrypted_links_are_gone_when_the_email_is_accepted(notify: Service, mailbox: Mailbox, db: Db) -> None:
    offer(notify)
    mailbox.wait_for(ANA)
    eventually(lambda: notification_in(db)["state"] == "accepted")
    assert {"encrypted", "next_at", "claim"} & notification_in(db).keys() == set()


@pytest.mark.usefixtures("sending")
def test_a_burst_goes_over_a_few_connections(notify: Service, mailbox: Mailbox) -> None:
    for number in range(12):
        offer(notify, f"o{number}")
        mailbox.wait_for(ANA, number + 1)
    assert mailbox.connections <= 4


def test_idle_connections_are_closed_while_there_is_nothing_to_send(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url), Timeouts(idle=0.1)):
        offer(notify)
        mailbox.wait_for(ANA)
        eventually(lambda: notification_in(db)["state"] == "accepted")
        eventually(lambda: mailbox.open_connections == 0)


@pytest.mark.usefixtures("sending")
@pytest.mark.parametrize(
    ("command", "reply"), [("RCPT", "451 try later"), ("DATA", "451 greylisted"), ("message", "452 no room")]
)
def test_a_deferred_email_is_tried_again_and_arrives(notify: Service, mailbox: Mailbox, db: Db, command: str, reply: str) -> None:
    mailbox.answer[command] = reply
    offer(notify)
    eventually(lambda: db.notifications.find_one({"deferrals": 1}))
    assert timedelta(seconds=5) < notification_in(db)["next_at"] - now() <= timedelta(seconds=30)
    assert notification_in(db)["state"] == "pending"
    mailbox.answer.clear()
    make_due(db)
    assert len(mailbox.wait_for(ANA)) == 1


@pytest.mark.usefixtures("sending")
@pytest.mark.parametrize("command", ["RCPT", "DATA", "message"])
def test_an_email_refused_for_good_fails_at_once_and_a_coordinator_hears(
    notify: Service, mailbox: Mailbox, db: Db, command: str
) -> None:
    mailbox.answer[command] = "550 no such person"
    offer(notify)
    eventually(lambda: notification_in(db)["state"] == "failed")
    assert events_in(db) == [FAILED]
    mailbox.answer.clear()
    offer(notify, "o2")
    assert len(mailbox.wait_for(ANA)) == 1


@pytest.mark.usefixtures("sending")
def test_a_server_that_refuses_our_own_address_costs_no_notification(notify: Service, mailbox: Mailbox, db: Db) -> None:
    mailbox.answer["MAIL"] = "550 sender not allowed"
    offer(notify)
    eventually(lambda: notification_in(db).get("reason") == "550 to MAIL")
    mailbox.answer.clear()
    assert len(mailbox.wait_for(ANA)) == 1


@pytest.mark.usefixtures("sending")
def test_a_connection_dropped_before_the_last_reply_may_repeat_the_email_under_the_same_id(
    notify: Service, mailbox: Mailbox, db: Db
) -> None:
    mailbox.hang_up_after_message = 1
    offer(notify)
    eventually(lambda: db.notifications.find_one({"deferrals": 1}))
    make_due(db)
    first, second = mailbox.wait_for(ANA, 2)
    assert first["Message-ID"] == second["Message-ID"]
    eventually(lambda: notification_in(db)["state"] == "accepted")


def test_while_the_server_is_away_emails_wait_and_none_is_lost(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    port = mailbox.port
    mailbox.stop()
    with delivering_email(notify, notify_settings(keys, smtp_url=f"smtp://127.0.0.1:{port}")):
        for number in range(3):
            offer(notify, f"o{number}")
        eventually(lambda: db.notifications.find_one({"reason": "ConnectionRefusedError"}))
        mailbox.start(port)
        mailbox.wait_for(ANA, 3, seconds=60)
        eventually(lambda: db.notifications.count_documents({"state": "accepted"}) == 3)
    assert {(one["state"], one["uncertain"], one["deferrals"]) for one in db.notifications.find()} == {("accepted", 1, 0)}
    assert len(mailbox.emails) == 3


@pytest.mark.usefixtures("sending")
def test_after_three_days_an_email_is_given_up_and_a_coordinator_hears(
    notify: Service, mailbox: Mailbox, db: Db, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mailbox.answer["RCPT"] = "451 later"
    offer(notify)
    eventually(lambda: db.notifications.find_one({"deferrals": 1}))
    move_clock(monkeypatch, tmp_path, timedelta(hours=72, minutes=1))
    eventually(lambda: events_in(db) == [FAILED])


@pytest.mark.usefixtures("sending")
def test_an_email_whose_worker_died_is_sent_again_under_the_same_id(notify: Service, mailbox: Mailbox, db: Db) -> None:
    mailbox.answer["RCPT"] = "451 later"
    offer(notify)
    eventually(lambda: db.notifications.find_one({"deferrals": 1}))
    mailbox.answer.clear()
    end_leases(db)
    [mail] = mailbox.wait_for(ANA)
    assert mail["Message-ID"] == f"<{notification_in(db)['_id']}@kt.example>"


def test_an_email_for_an_offer_that_ended_before_it_was_sent_is_never_sent(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    record_contact(wren(notify, channels=()), db)
    offer(notify)
    notify.run(
        enqueue_not_this_time, OfferDeclined(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, then="wait")
    )
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        offer(notify, "o2")
        mailbox.wait_for(ANA)
    assert len(mailbox.emails) == 1
    assert notification_in(db, offer_id="o1")["state"] == "cancelled"


@pytest.mark.usefixtures("sending")
def test_an_offer_that_ends_while_its_email_is_being_sent_is_not_tried_again(notify: Service, mailbox: Mailbox, db: Db) -> None:
    record_contact(wren(notify, channels=()), db)
    mailbox.hold()
    mailbox.hang_up_after_message = 1
    offer(notify)
    mailbox.wait_until_held()
    notify.run(
        enqueue_not_this_time, OfferDeclined(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, then="wait")
    )
    mailbox.let_go()
    eventually(lambda: db.notifications.find_one({"deferrals": 1}))
    make_due(db)
    eventually(lambda: notification_in(db, offer_id="o1")["state"] == "cancelled")
    assert len(mailbox.emails) == 1


@pytest.mark.usefixtures("sending")
def test_who_is_being_told_of_an_offer_while_it_is_released_hears_that_it_is_gone(
    notify: Service, mailbox: Mailbox, db: Db
) -> None:
    mailbox.hold()
    offer(notify)
    mailbox.wait_until_held()
    notify.run(
        enqueue_offer_release,
        OfferReleased(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, reason="withdrawn"),
    )
    mailbox.let_go()
    assert [mail["Subject"] for mail in mailbox.wait_for(ANA, 2)] == ["Someone would like to meet you", "A request has moved on"]
    eventually(lambda: db.notifications.count_documents({"state": "accepted"}) == 2)


def test_an_email_waiting_for_someone_who_no_longer_wants_email_is_not_sent(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    offer(notify)
    record_contact(ana(notify, version=2, channels=()), db)
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        eventually(lambda: notification_in(db)["state"] == "cancelled")
    assert mailbox.emails == []


@pytest.mark.usefixtures("sending")
def test_emails_are_in_the_language_of_their_receiver(notify: Service, mailbox: Mailbox, db: Db) -> None:
    record_contact(ana(notify, version=2, channels=("email",), language="es-MX"), db)
    offer(notify)
    [mail] = mailbox.wait_for(ANA)
    assert mail["Subject"] == "Alguien quiere conocerte"
    assert 'lang="es"' in words_of(mail, "html")
