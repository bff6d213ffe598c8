"""What the SMS gateways may call, and who may call it."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator

from services.notify.handlers.offers import enqueue_offer_notification
from services.notify.web import make_app
from shared.mongo import Db
from shared.service import Service
from tests.delivery import notification_in, notify_settings
from tests.receivers import ANA_PHONE, an_offer, ana, record_contact

SECRET, TOKEN = "kannel-callback-secret", "twilio-token"


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(ana(notify), notify.db)
    notify.run(enqueue_offer_notification, an_offer(notify))
    return notify.db


@pytest.fixture
def kannel(keys: Path, db: Db) -> FlaskClient:
    return make_app(notify_settings(keys, sms_gateway="kannel", kannel_callback_secret=SECRET)).test_client()


@pytest.fixture
def twilio(keys: Path, db: Db) -> FlaskClient:
    return make_app(notify_settings(keys, sms_gateway="twilio", twilio_auth_token=TOKEN)).test_client()


def by_kannel(web: FlaskClient, text: str, id: str = "k1", secret: str = SECRET) -> int:
    asked = {"secret": secret, "id": id}
    return web.post(
        "/sms/kannel/in", query_string=asked, data=text.encode(), headers={"X-Kannel-From": ANA_PHONE[1:]}
    ).status_code


def by_twilio(web: FlaskClient, path: str, form: dict[str, str], token: str = TOKEN) -> int:
    signature = RequestValidator(token).compute_signature("http://kt.example" + path, form)
    return web.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code


def replies(db: Db) -> int:
    return db.outbox.count_documents({"type": "reply.received.v1"})


def test_kannel_hands_over_a_text(kannel: FlaskClient, db: Db) -> None:
    assert by_kannel(kannel, "A7 1") == 200
    assert replies(db) == 1


def test_a_text_handed_over_twice_is_one_text(kannel: FlaskClient, db: Db) -> None:
    assert [by_kannel(kannel, "A7 1"), by_kannel(kannel, "A7 1")] == [200, 200]
    assert replies(db) == 1


@pytest.mark.parametrize("secret", ["", "wrong", "sécret"])
def test_without_the_secret_nothing_is_taken(kannel: FlaskClient, db: Db, secret: str) -> None:
    notification = notification_in(db, channel="text")["_id"]
    assert by_kannel(kannel, "A7 1", secret=secret) == 403
    query = {"notification": notification, "type": "1", "secret": secret}
    assert kannel.get("/sms/kannel/receipt", query_string=query).status_code == 403
    assert replies(db) == 0
    assert notification_in(db, channel="text")["state"] == "pending"


def test_a_text_without_sender_or_id_is_refused(kannel: FlaskClient, db: Db) -> None:
    assert by_kannel(kannel, "A7 1", id="") == 400
    assert kannel.post("/sms/kannel/in", query_string={"secret": SECRET, "id": "1"}, data=b"A7 1").status_code == 400
    assert replies(db) == 0


@pytest.mark.parametrize(
    ("receipt", "state"), [("1", "delivered"), ("2", "failed"), ("16", "failed"), ("8", "pending"), ("x", "pending")]
)
def test_kannels_receipts_are_applied(kannel: FlaskClient, db: Db, receipt: str, state: str) -> None:
    notification = notification_in(db, channel="text")["_id"]
    query = {"notification": notification, "type": receipt, "secret": SECRET}
    assert kannel.get("/sms/kannel/receipt", query_string=query).status_code == 200
    assert notification_in(db, channel="text")["state"] == state


def test_a_receipt_for_a_notification_long_deleted_changes_nothing(kannel: FlaskClient) -> None:
    asked = {"notification": "gone", "type": "1", "secret": SECRET}
    assert kannel.get("/sms/kannel/receipt", query_string=asked).status_code == 200


def test_twilio_hands_over_a_text_under_its_signature(twilio: FlaskClient, db: Db) -> None:
    form = {"MessageSid": "SM1", "From": ANA_PHONE, "Body": "A7 2"}
    assert by_twilio(twilio, "/sms/twilio/in", form) == 200
    assert replies(db) == 1


def test_a_wrong_or_missing_signature_takes_nothing(twilio: FlaskClient, db: Db) -> None:
    form: dict[str, Any] = {"MessageSid": "SM1", "From": ANA_PHONE, "Body": "A7 2"}
    assert by_twilio(twilio, "/sms/twilio/in", form, token="another") == 403
    assert twilio.post("/sms/twilio/in", data=form).status_code == 403
    assert replies(db) == 0


@pytest.mark.parametrize(("receipt", "state"), [("delivered", "delivered"), ("undelivered", "failed"), ("sent", "pending")])
def test_twilios_receipts_are_applied(twilio: FlaskClient, db: Db, receipt: str, state: str) -> None:
    notification = notification_in(db, channel="text")["_id"]
    path = f"/sms/twilio/receipt?notification={notification}"
    assert by_twilio(twilio, path, {"MessageSid": "SM1", "MessageStatus": receipt}) == 200
    assert notification_in(db, channel="text")["state"] == state


def test_only_the_gateway_in_use_can_call(kannel: FlaskClient, twilio: FlaskClient) -> None:
    assert kannel.post("/sms/twilio/in").status_code == 404
    assert twilio.get("/sms/kannel/receipt").status_code == 404
