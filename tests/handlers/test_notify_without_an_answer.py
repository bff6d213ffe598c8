"""Text gateways that take a text and give no answer, and texts that fail when nobody needs them any more."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from services.notify.delivery import give_up_texts
from services.notify.handlers.offers import enqueue_match_notification, enqueue_offer_notification, enqueue_offer_release
from services.notify.handlers.outcomes import GiveUp, Receipt, apply_receipt, give_up
from services.notify.handlers.replies import SmsReceived, receive_sms
from services.notify.handlers.requests import erase_supportee
from services.notify.sms import Sms, make_gateway
from shared.contracts import MatchMade, OfferReleased, RequestWithdrawn
from shared.mongo import Db
from shared.service import Service
from shared.settings import NotifySettings
from tests.delivery import delivering_texts, make_due, notification_in, notify_settings
from tests.eventually import eventually
from tests.receivers import ANA_PHONE, an_offer, ana, record_contact, wren

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Gateway:
    """Reads one request on each connection, answers with `answer`, and closes the connection without saying so before."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer, self.asked = answer, 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection:
                    self._read(connection)
                    self.asked += 1
                    connection.sendall(self.answer)

    def _read(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received and (more := connection.recv(4096)):
            received += more


@contextmanager
def a_gateway(answer: bytes = b"") -> Iterator[Gateway]:
    gateway = Gateway(answer)
    yield gateway
    gateway.close()


def kannel_settings(keys: Path, url: str) -> NotifySettings:
    return notify_settings(keys, sms_gateway="kannel", kannel_url=url, kannel_user="u", kannel_password="p")


def twilio_settings(keys: Path, url: str) -> NotifySettings:
    return notify_settings(
        keys, sms_gateway="twilio", twilio_account_sid="AC1", twilio_auth_token="t", twilio_from="+15550100", twilio_api_url=url
    )


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(ana(notify), notify.db)
    return notify.db


def offer(notify: Service, offer_id: str = "o1") -> None:
    notify.run(enqueue_offer_notification, an_offer(notify, offer_id))


def text_in(db: Db, **where: Any) -> dict[str, Any]:
    return notification_in(db, channel="text", **where)


@pytest.mark.parametrize("settings", [kannel_settings, twilio_settings])
def test_no_answer_after_a_connection_means_that_the_text_may_have_arrived(settings: Any, keys: Path) -> None:
    with a_gateway() as gateway:
        assert make_gateway(settings(keys, gateway.url)).send(Sms("n", ANA_PHONE, "hello")).result == "uncertain"
    assert make_gateway(settings(keys, gateway.url)).send(Sms("n", ANA_PHONE, "hello")).result == "unavailable"
    nowhere = "http://no-such-host.invalid"
    assert make_gateway(settings(keys, nowhere)).send(Sms("n", ANA_PHONE, "hello")).result == "unavailable"


def test_a_connection_that_the_gateway_closes_after_an_answer_costs_the_next_text_nothing(keys: Path) -> None:
    with a_gateway(ACCEPTED) as gateway:
        kannel = make_gateway(kannel_settings(keys, gateway.url))
        assert [kannel.send(Sms("n", ANA_PHONE, "hello")).result for _ in range(5)] == ["accepted"] * 5


def test_a_text_that_gets_no_answer_is_repeated_once_and_then_becomes_an_email(notify: Service, keys: Path, db: Db) -> None:
    record_contact(ana(notify, version=2, channels=("text",)), db)
    with a_gateway() as gateway, delivering_texts(notify, kannel_settings(keys, gateway.url)):
        offer(notify)
        record_contact(ana(notify, version=3), db)
        eventually(lambda: text_in(db)["uncertain"] == 1 and "claim" not in text_in(db))
        make_due(db)
        eventually(lambda: text_in(db)["uncertain"] == 2 and "claim" not in text_in(db))
        make_due(db)
        eventually(lambda: text_in(db)["state"] == "failed")
        assert gateway.asked == 2
    assert notification_in(db, channel="email")["state"] == "pending"


def test_an_answer_that_nobody_can_read_is_no_answer(notify: Service, keys: Path, db: Db) -> None:
    garbage = b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nnot json!"
    with a_gateway(garbage) as gateway, delivering_texts(notify, twilio_settings(keys, gateway.url)):
        offer(notify)
        eventually(lambda: text_in(db)["uncertain"] == 1 and "claim" not in text_in(db))
    assert text_in(db)["deferrals"] == 0


def test_a_reply_to_a_text_that_gets_no_answer_is_not_repeated(notify: Service, keys: Path, db: Db) -> None:
    with a_gateway() as gateway, delivering_texts(notify, kannel_settings(keys, gateway.url)):
        notify.run(receive_sms, SmsReceived("t1", ANA_PHONE, "help"))
        eventually(lambda: text_in(db)["uncertain"] == 1 and "claim" not in text_in(db))
        make_due(db)
        eventually(lambda: text_in(db)["state"] == "failed")
        assert gateway.asked == 1


def test_a_document_that_cannot_be_read_keeps_no_other_text_from_being_given_up(
    notify: Service, db: Db, caplog: pytest.LogCaptureFixture
) -> None:
    odd = {"channel": "text", "state": "pending", "next_at": text_of_an_offer(notify, db)["next_at"], "context": "of Ana"}
    db.notifications.insert_one({"_id": "odd", **odd})
    offer(notify)
    stop = threading.Event()
    stop.set()
    give_up_texts(db, stop)
    assert text_in(db, offer_id="o1")["state"] == "failed"
    assert "odd" in {vars(record).get("document_id") for record in caplog.records}
    assert "of Ana" not in caplog.text


def text_of_an_offer(notify: Service, db: Db) -> dict[str, Any]:
    """As it stands in the database, taken out of it."""
    offer(notify, "model")
    found = db.notifications.find_one_and_delete({"offer_id": "model", "channel": "text"})
    assert found
    return found


def test_a_text_of_an_offer_that_has_ended_becomes_no_email_when_it_fails(notify: Service, db: Db) -> None:
    record_contact(ana(notify, version=2, channels=("text",)), db)
    offer(notify)
    record_contact(ana(notify, version=3), db)
    db.notifications.update_one({}, {"$set": {"claim": "of the worker that sends it", "uncertain": 1}})
    released = OfferReleased(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, reason="gone")
    notify.run(enqueue_offer_release, released)
    notify.run(give_up, GiveUp(str(text_in(db, template="offer")["_id"]), "failed", "refused"))
    assert db.notifications.count_documents({"channel": "email", "template": "offer"}) == 0


def test_a_text_to_somebody_who_has_withdrawn_becomes_no_email_when_its_receipt_says_failed(notify: Service, db: Db) -> None:
    record_contact(wren(notify, channels=("text",)), db)
    db.notifications.delete_many({})
    yes = MatchMade(match_id="m", offer_id="o9", request_id="r1", practitioner_id="kai", supportee_id="wren", version=5)
    notify.run(enqueue_match_notification, yes)
    db.notifications.update_one({"channel": "text"}, {"$set": {"state": "accepted"}, "$unset": {"next_at": ""}})
    record_contact(wren(notify, version=2), db)
    sent = str(text_in(db)["_id"])
    notify.run(erase_supportee, RequestWithdrawn(request_id="r1"))
    notify.run(apply_receipt, Receipt(sent, "failed"))
    assert db.notifications.count_documents({"channel": "email"}) == 0
