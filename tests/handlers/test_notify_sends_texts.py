"""Texts through a real Kannel with a phone at its message centre, and through the Twilio SDK against a real HTTP server."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from services.notify.delivery import warn_of_long_texts
from services.notify.domain import after_quiet_hours
from services.notify.handlers.offers import enqueue_match_notification, enqueue_offer_notification, enqueue_offer_reminder
from services.notify.handlers.outbound import NotifyService
from services.notify.handlers.outcomes import Receipt, apply_receipt
from services.notify.handlers.replies import SmsReceived, receive_sms
from services.notify.sms import Sms, make_gateway
from services.notify.web import make_app
from shared.clock import now
from shared.contracts import MatchMade, ReplyReceived
from shared.messages import from_json, parse_event
from shared.mongo import Db
from shared.service import Service
from shared.settings import NotifySettings
from tests import kannel as real_kannel
from tests.delivery import delivering_email, delivering_texts, make_due, notification_in, notify_settings
from tests.eventually import eventually
from tests.kannel import Kannel, a_kannel
from tests.mailbox import a_mailbox, words_of
from tests.receivers import ANA_PHONE, WREN_PHONE, a_reminder, an_offer, ana, record_contact, wren

SECRET = "kannel-callback-secret"


@pytest.fixture(scope="module")
def website() -> Iterator[BaseWSGIServer]:
    """A port that Kannel can call back, before it is known what answers there."""
    server = make_server("127.0.0.1", 0, lambda _, __: [], threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def kannel(tmp_path_factory: pytest.TempPathFactory, website: BaseWSGIServer) -> Iterator[Kannel]:
    real_kannel.ensure()
    with a_kannel(tmp_path_factory.mktemp("kannel"), f"http://127.0.0.1:{website.server_port}", SECRET) as kannel:
        yield kannel


@pytest.fixture
def settings(keys: Path, kannel: Kannel, website: BaseWSGIServer, notify: Service) -> NotifySettings:
    kannel.phone.texts.clear()
    settings = notify_settings(
        keys, sms_gateway="kannel", kannel_url=kannel.url, kannel_user=kannel.user, kannel_password=kannel.password,
        kannel_callback_secret=SECRET, sms_callback_url=kannel.callback_url,
    )  # fmt: skip
    website.app = make_app(settings)
    return settings


@pytest.fixture
def db(notify: Service) -> Db:
    record_contact(ana(notify), notify.db)
    record_contact(wren(notify, channels=("text",)), notify.db)
    notify.db.notifications.delete_many({})  # that Wren's request has arrived was said before the test begins
    return notify.db


@pytest.fixture
def sending(notify: Service, settings: NotifySettings, db: Db) -> Iterator[None]:
    with delivering_texts(notify, settings):
        yield


def offer(notify: Service, offer_id: str = "o1", code: str = "A7") -> None:
    notify.run(enqueue_offer_notification, an_offer(notify, offer_id, code=code))


def tell_wren(notify: Service, version: int = 5) -> None:
    yes = MatchMade(match_id="m", offer_id="o9", request_id="r1", practitioner_id="kai", supportee_id="wren", version=version)
    notify.run(enqueue_match_notification, yes)


def text_in(db: Db, offer_id: str = "o1", template: str = "offer") -> dict[str, object]:
    return notification_in(db, offer_id=offer_id, channel="text", template=template)


def move_clock(monkeypatch: pytest.MonkeyPatch, folder: Path, by: timedelta) -> None:
    (folder / "clock").write_text(str(by.total_seconds()))
    monkeypatch.setitem(os.environ, "CLOCK_FILE", str(folder / "clock"))


@pytest.mark.usefixtures("sending")
def test_an_offer_arrives_as_one_text_and_its_receipt_comes_back(notify: Service, kannel: Kannel, db: Db) -> None:
    offer(notify)
    [words] = kannel.phone.wait_for(ANA_PHONE)
    assert "https://kt.example/o/k7QmX2RtZ9pLw4Hd" in words
    assert "A7 1" in words
    eventually(lambda: text_in(db)["state"] == "delivered")
    assert "encrypted" not in text_in(db)


@pytest.mark.usefixtures("sending")
def test_a_supportee_is_told_only_that_there_is_news(notify: Service, kannel: Kannel, db: Db) -> None:
    tell_wren(notify)
    [words] = kannel.phone.wait_for(WREN_PHONE)
    assert words == (
        "Kitchen Table: there is news for you. Read it when you are ready: https://kt.example/s Reply STOP to end texts"
    )


@pytest.mark.usefixtures("sending")
def test_spanish_arrives_with_its_own_letters(notify: Service, kannel: Kannel, db: Db) -> None:
    record_contact(ana(notify, version=2, language="es"), db)
    notify.run(receive_sms, SmsReceived("t1", ANA_PHONE, "hola"))
    [words] = kannel.phone.wait_for(ANA_PHONE)
    assert "qué pregunta" in words


def test_signs_outside_of_the_alphabet_arrive_whole(settings: NotifySettings, kannel: Kannel) -> None:
    assert make_gateway(settings).send(Sms("l1", ANA_PHONE, "canción 💜")).result == "accepted"
    assert kannel.phone.wait_for(ANA_PHONE) == ["canción 💜"]


@pytest.mark.usefixtures("sending")
def test_a_text_from_the_phone_becomes_an_answer_once(notify: Service, kannel: Kannel, db: Db) -> None:
    offer(notify)
    kannel.phone.wait_for(ANA_PHONE)
    kannel.phone.write(ANA_PHONE, "a7 1")
    eventually(lambda: db.outbox.count_documents({}))
    [reply] = [parse_event(from_json(one["body"])) for one in db.outbox.find()]
    assert isinstance(reply, ReplyReceived)
    assert (reply.offer_id, reply.practitioner_id, reply.answer) == ("o1", "ana", "yes")


@pytest.mark.usefixtures("sending")
def test_stop_ends_texts_start_brings_them_back_and_both_are_answered(notify: Service, kannel: Kannel, db: Db) -> None:
    kannel.phone.write(ANA_PHONE, "Stop")
    assert "no more texts" in kannel.phone.wait_for(ANA_PHONE)[0]
    offer(notify)
    eventually(lambda: text_in(db)["state"] == "failed")
    kannel.phone.write(ANA_PHONE, "START")
    assert "texts are on again" in kannel.phone.wait_for(ANA_PHONE, 2)[1]
    offer(notify, "o2")
    assert len(kannel.phone.wait_for(ANA_PHONE, 3)) == 3


@pytest.mark.usefixtures("sending")
def test_a_second_text_waits_until_the_hour_is_over(
    notify: Service, kannel: Kannel, db: Db, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer(notify, "o1")
    kannel.phone.wait_for(ANA_PHONE)
    notify.run(enqueue_offer_reminder, a_reminder(notify, an_offer(notify, "o1")))
    eventually(lambda: text_in(db, template="reminder").get("reason") == "one text an hour")
    held = text_in(db, template="reminder")["next_at"]
    assert timedelta(minutes=58) < held - now() <= timedelta(minutes=60)  # type: ignore[operator]
    move_clock(monkeypatch, tmp_path, timedelta(minutes=61))
    assert "still with you" in kannel.phone.wait_for(ANA_PHONE, 2)[1]


@pytest.mark.usefixtures("sending")
def test_each_offer_is_texted_at_once_however_soon_after_another(notify: Service, kannel: Kannel, db: Db) -> None:
    for number, code in enumerate(("A7", "B3", "C9")):
        offer(notify, f"o{number}", code=code)
    texts = kannel.phone.wait_for(ANA_PHONE, 3)
    assert sorted(code for code in ("A7", "B3", "C9") for words in texts if f"{code} 1" in words) == ["A7", "B3", "C9"]
    eventually(lambda: db.notifications.count_documents({"channel": "text", "state": "delivered"}) == 3)


@pytest.mark.usefixtures("sending")
def test_a_second_offer_waits_for_the_morning_too(notify: Service, kannel: Kannel, db: Db) -> None:
    hour = now().hour
    offer(notify, "o1")
    kannel.phone.wait_for(ANA_PHONE)
    record_contact(ana(notify, version=2, time_zone="UTC", quiet_from=hour, quiet_until=(hour + 2) % 24), db)
    offer(notify, "o2", code="B3")
    make_due(db)
    eventually(lambda: text_in(db, "o2").get("reason") == "quiet hours")
    assert len(kannel.phone.to(ANA_PHONE)) == 1


@pytest.mark.usefixtures("sending")
def test_a_yes_in_other_words_is_told_what_to_send(notify: Service, kannel: Kannel, db: Db) -> None:
    offer(notify, code="N2")
    kannel.phone.wait_for(ANA_PHONE)
    kannel.phone.write(ANA_PHONE, "Sure, happy to")
    assert "to answer, send N2 1 for yes or N2 2 for not this time." in kannel.phone.wait_for(ANA_PHONE, 2)[1]
    assert db.outbox.count_documents({}) == 0


@pytest.mark.usefixtures("sending")
def test_in_quiet_hours_a_text_waits_for_the_morning(notify: Service, kannel: Kannel, db: Db) -> None:
    hour = now().hour
    quiet = {"time_zone": "UTC", "quiet_from": hour, "quiet_until": (hour + 2) % 24}
    record_contact(ana(notify, version=2, **quiet), db)
    offer(notify)
    waiting = text_in(db)
    assert waiting["state"] == "pending"
    make_due(db)
    eventually(lambda: text_in(db).get("reason") == "quiet hours")
    assert text_in(db)["next_at"] == after_quiet_hours(now(), "UTC", hour, (hour + 2) % 24)
    assert kannel.phone.to(ANA_PHONE) == []


def test_while_the_gateway_is_away_texts_wait_and_then_go(
    notify: Service, settings: NotifySettings, kannel: Kannel, db: Db
) -> None:
    nobody = notify_settings(settings.keys_dir, **{**_kannel_part(settings), "kannel_url": "http://127.0.0.1:9"})
    with delivering_texts(notify, nobody):
        offer(notify)
        eventually(lambda: text_in(db).get("reason") == "ConnectionError")
    assert (text_in(db)["state"], text_in(db)["uncertain"]) == ("pending", 0)
    with delivering_texts(notify, settings):
        assert len(kannel.phone.wait_for(ANA_PHONE)) == 1


def test_a_wrong_password_is_our_trouble_and_loses_no_text(settings: NotifySettings) -> None:
    wrong = notify_settings(settings.keys_dir, **{**_kannel_part(settings), "kannel_password": "wrong"})
    assert make_gateway(wrong).send(Sms("l1", ANA_PHONE, "hello")).result == "unavailable"


def test_an_address_that_makes_each_offer_two_texts_is_said_at_the_start(
    notify: NotifyService, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_long_texts(notify.brand)
    assert not [record for record in caplog.records if record.name.startswith("kitchen.notify")]
    warn_of_long_texts(replace(notify.brand, public_url="https://the-kitchen-table-of-our-whole-town.example.org/peers"))
    assert {vars(record)["setting"] for record in caplog.records if record.name.startswith("kitchen.notify")} == {"PUBLIC_URL"}


def test_a_name_that_makes_texts_cost_two_is_said_at_the_start_whatever_day_it_is(
    notify: NotifyService, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_long_texts(replace(notify.brand, name="The Kitchen Table of Oldtown"))
    warned = [vars(record)["template"] for record in caplog.records if record.name.startswith("kitchen.notify")]
    assert warned == ["offer, reminder", "offer, reminder"]


def _kannel_part(settings: NotifySettings) -> dict[str, str]:
    names = ("sms_gateway", "kannel_url", "kannel_user", "kannel_password", "kannel_callback_secret", "sms_callback_url")
    return {name: getattr(settings, name) for name in names}


# Twilio


class TwilioApi(ThreadingHTTPServer):
    """What the SDK meets: an HTTP server that keeps what it was asked and answers as it is told."""

    status, answer = 201, b'{"sid": "SM1", "status": "queued"}'

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Ask)
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Ask(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        api = self.server
        assert isinstance(api, TwilioApi)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        api.asked.append((urlsplit(self.path).path, parse_qs(body)))
        self.send_response(api.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(api.answer)))
        self.end_headers()
        self.wfile.write(api.answer)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def twilio_api() -> Iterator[TwilioApi]:
    with TwilioApi() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield api
        api.shutdown()


def twilio_settings(keys: Path, api: TwilioApi, **chosen: str) -> NotifySettings:
    usual = {"twilio_account_sid": "AC1", "twilio_auth_token": "token", "twilio_from": "+15550100", "twilio_api_url": api.url}
    return notify_settings(keys, sms_gateway="twilio", **{**usual, **chosen})


def test_twilio_is_asked_to_send_and_to_call_back(notify: Service, keys: Path, twilio_api: TwilioApi, db: Db) -> None:
    with delivering_texts(notify, twilio_settings(keys, twilio_api)):
        offer(notify)
        eventually(lambda: text_in(db)["state"] == "accepted")
    [(path, asked)] = twilio_api.asked
    assert path == "/2010-04-01/Accounts/AC1/Messages.json"
    assert asked["To"] == [ANA_PHONE]
    assert asked["From"] == ["+15550100"]
    assert asked["Body"][0].startswith("Kitchen Table: someone would like to meet you")
    assert asked["StatusCallback"] == [f"http://kt.example/sms/twilio/receipt?notification={text_in(db)['_id']}"]


def test_an_accepted_text_that_fails_later_becomes_an_email_with_the_same_link(
    notify: Service, keys: Path, twilio_api: TwilioApi, db: Db
) -> None:
    record_contact(ana(notify, version=2, channels=("text",)), db)
    with delivering_texts(notify, twilio_settings(keys, twilio_api)):
        offer(notify)
        eventually(lambda: text_in(db)["state"] == "accepted")
    record_contact(ana(notify, version=3, channels=("email", "text")), db)
    notify.run(apply_receipt, Receipt(str(text_in(db)["_id"]), "failed"))
    with a_mailbox() as mailbox, delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        [mail] = mailbox.wait_for("ana@example.org")
    assert f"https://kt.example/o/{'x' * 43}" in words_of(mail)


def test_twilio_sends_for_a_messaging_service_too(keys: Path, twilio_api: TwilioApi) -> None:
    make_gateway(twilio_settings(keys, twilio_api, twilio_from="MG1")).send(Sms("l1", ANA_PHONE, "hello"))
    assert twilio_api.asked[0][1]["MessagingServiceSid"] == ["MG1"]


@pytest.mark.parametrize(
    ("status", "code", "result"),
    [
        (400, 21211, "refused"),
        (400, 21610, "refused"),
        (401, 20003, "unavailable"),
        (429, 20429, "unavailable"),
        (503, 20500, "unavailable"),
    ],
)
def test_what_twilio_says_is_about_this_text_or_about_us(
    keys: Path, twilio_api: TwilioApi, status: int, code: int, result: str
) -> None:
    twilio_api.status, twilio_api.answer = status, f'{{"code": {code}, "message": "no", "status": {status}}}'.encode()
    assert make_gateway(twilio_settings(keys, twilio_api)).send(Sms("l1", ANA_PHONE, "hello")).result == result
