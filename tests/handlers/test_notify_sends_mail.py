"""Letters by mail, on a real SMTP server that is kind, full, closed, or drops the line."""

import os
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path

import pytest

from services.notify.handlers.offers import ask_practitioner, tell_not_this_time
from shared.clock import now
from shared.contracts import NotificationFailed, OfferDeclined
from shared.messages import from_json, parse_event
from shared.mongo import Db
from shared.service import Service
from tests.carrying import carrying_mail, eventually, notify_settings, row
from tests.mailbox import Mailbox, a_mailbox, words_of
from tests.receivers import an_offer, ana, record_contact, wren

ANA = "ana@example.org"


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
    with carrying_mail(notify, notify_settings(keys, smtp_url=mailbox.url)):
        yield


def ask(notify: Service, offer_id: str = "o1") -> None:
    notify.run(ask_practitioner, an_offer(notify, offer_id))


def due_now(db: Db) -> None:
    db.letters.update_many({"next_at": {"$exists": True}}, {"$set": {"next_at": now()}})


def forward(monkeypatch: pytest.MonkeyPatch, folder: Path, by: timedelta) -> None:
    (folder / "clock").write_text(str(by.total_seconds()))
    monkeypatch.setitem(os.environ, "CLOCK_FILE", str(folder / "clock"))


@pytest.mark.usefixtures("sending")
def test_a_letter_arrives_text_first_with_the_headers_that_keep_machines_quiet(notify: Service, mailbox: Mailbox, db: Db) -> None:
    ask(notify)
    [letter] = mailbox.wait_for(ANA)
    assert letter["Subject"] == "Someone would like to meet you"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["X-Auto-Response-Suppress"] == "All"
    assert parseaddr(letter["Reply-To"])[1] == "people@kt.example"
    assert parseaddr(letter["From"]) == ("Kitchen Table", "table@kt.example")
    assert letter["Content-Language"] == "en"
    assert letter["Date"]
    assert letter["Message-ID"] == f"<{row(db)['_id']}@kt.example>"
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    assert f"https://kt.example/o/{'x' * 43}" in words_of(letter)
    eventually(lambda: row(db)["state"] == "accepted")


@pytest.mark.usefixtures("sending")
def test_what_was_sealed_is_gone_when_the_mail_is_accepted(notify: Service, mailbox: Mailbox, db: Db) -> None:
    ask(notify)
    mailbox.wait_for(ANA)
    eventually(lambda: row(db)["state"] == "accepted")
    assert "encrypted" not in row(db)
    assert "next_at" not in row(db)


@pytest.mark.usefixtures("sending")
def test_letters_travel_over_connections_that_stay_open(notify: Service, mailbox: Mailbox) -> None:
    for number in range(12):
        ask(notify, f"o{number}")
        mailbox.wait_for(ANA, number + 1)
    assert mailbox.connections <= 4


@pytest.mark.usefixtures("sending")
@pytest.mark.parametrize(("moment", "said"), [("rcpt", "451 try later"), ("mail", "421 closing"), ("data", "452 no room")])
def test_a_letter_that_is_put_off_is_tried_again_and_arrives(
    notify: Service, mailbox: Mailbox, db: Db, moment: str, said: str
) -> None:
    mailbox.answer[moment] = said
    ask(notify)
    eventually(lambda: db.letters.find_one({"state": "waiting", "tries": 1}))
    assert timedelta(seconds=20) < row(db)["next_at"] - now() <= timedelta(seconds=30)
    mailbox.answer.clear()
    due_now(db)
    assert len(mailbox.wait_for(ANA)) == 1


@pytest.mark.usefixtures("sending")
@pytest.mark.parametrize("moment", ["rcpt", "data"])
def test_a_letter_refused_for_good_fails_at_once_and_the_desk_hears(
    notify: Service, mailbox: Mailbox, db: Db, moment: str
) -> None:
    mailbox.answer[moment] = "550 no such person"
    ask(notify)
    eventually(lambda: row(db)["state"] == "failed")
    assert [parse_event(from_json(one["body"])) for one in db.outbox.find()] == [
        NotificationFailed(person_id="ana", letter="offer")
    ]
    mailbox.answer.clear()
    ask(notify, "o2")
    assert len(mailbox.wait_for(ANA)) == 1


@pytest.mark.usefixtures("sending")
def test_a_line_dropped_before_the_last_word_may_repeat_the_letter_under_the_same_id(
    notify: Service, mailbox: Mailbox, db: Db
) -> None:
    mailbox.hang_up_after_data = 1
    ask(notify)
    eventually(lambda: db.letters.find_one({"state": "waiting", "tries": 1}))
    due_now(db)
    first, second = mailbox.wait_for(ANA, 2)
    assert first["Message-ID"] == second["Message-ID"]
    eventually(lambda: row(db)["state"] == "accepted")


@pytest.mark.usefixtures("sending")
def test_a_server_that_closed_its_idle_lines_is_called_again_at_once(notify: Service, mailbox: Mailbox, db: Db) -> None:
    ask(notify)
    mailbox.wait_for(ANA)
    port = int(mailbox.url.rpartition(":")[2])
    mailbox.stop()
    mailbox.start(port)
    ask(notify, "o2")
    mailbox.wait_for(ANA, 2, seconds=15)
    eventually(lambda: row(db, offer_id="o2")["state"] == "accepted")
    assert row(db, offer_id="o2")["tries"] == 1


def test_while_the_server_is_away_letters_wait_and_none_is_lost(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    port = int(mailbox.url.rpartition(":")[2])
    mailbox.stop()
    with carrying_mail(notify, notify_settings(keys, smtp_url=f"smtp://127.0.0.1:{port}")):
        for number in range(3):
            ask(notify, f"o{number}")
        eventually(lambda: db.letters.find_one({"reason": "ConnectionRefusedError"}))
        mailbox.start(port)
        mailbox.wait_for(ANA, 3, seconds=30)
    assert {one["tries"] for one in db.letters.find()} == {1}
    assert len(mailbox.letters) == 3


@pytest.mark.usefixtures("sending")
def test_after_three_days_a_letter_is_given_up_and_the_desk_hears(
    notify: Service, mailbox: Mailbox, db: Db, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mailbox.answer["rcpt"] = "451 later"
    ask(notify)
    eventually(lambda: db.letters.find_one({"state": "waiting", "tries": 1}))
    forward(monkeypatch, tmp_path, timedelta(hours=71, minutes=59))
    eventually(lambda: row(db)["state"] == "gave_up")
    assert db.outbox.count_documents({"type": "notification.failed.v1"}) == 1


@pytest.mark.usefixtures("sending")
def test_a_letter_whose_sender_died_is_sent_again_under_the_same_id(notify: Service, mailbox: Mailbox, db: Db) -> None:
    mailbox.answer["rcpt"] = "451 later"
    ask(notify)
    eventually(lambda: db.letters.find_one({"state": "waiting", "tries": 1}))
    db.letters.update_one({}, {"$set": {"state": "sending", "next_at": now() - timedelta(seconds=1)}})  # a lease that ran out
    mailbox.answer.clear()
    [letter] = mailbox.wait_for(ANA)
    assert letter["Message-ID"] == f"<{row(db)['_id']}@kt.example>"


def test_a_letter_for_an_offer_that_ended_before_it_was_sent_is_never_sent(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    record_contact(ana(notify, version=2, channels=("email",)), db)
    ask(notify)
    gone = OfferDeclined(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, then="wait")
    record_contact(wren(notify, channels=()), db)
    notify.run(tell_not_this_time, gone)
    with carrying_mail(notify, notify_settings(keys, smtp_url=mailbox.url)):
        ask(notify, "o2")
        mailbox.wait_for(ANA)
    assert len(mailbox.letters) == 1
    assert row(db, offer_id="o1")["state"] == "dropped"


def test_a_letter_waiting_for_someone_who_no_longer_wants_mail_is_not_sent(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    ask(notify)
    record_contact(ana(notify, version=2, channels=()), db)
    with carrying_mail(notify, notify_settings(keys, smtp_url=mailbox.url)):
        eventually(lambda: row(db)["state"] == "dropped")
    assert mailbox.letters == []


@pytest.mark.usefixtures("sending")
def test_letters_are_in_the_language_of_their_receiver(notify: Service, mailbox: Mailbox, db: Db) -> None:
    record_contact(ana(notify, version=2, channels=("email",), language="es-MX"), db)
    ask(notify)
    [letter] = mailbox.wait_for(ANA)
    assert letter["Subject"] == "Alguien quiere conocerte"
    assert 'lang="es"' in words_of(letter, "html")
