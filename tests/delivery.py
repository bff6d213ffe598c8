"""Notify's delivery, started and stopped inside a test, with the settings it needs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.notify.delivery import ChannelSender, run_delivery
from services.notify.email import EmailSender
from services.notify.sms import SmsSender
from shared.clock import now
from shared.contracts import Channel
from shared.mongo import Db, Doc
from shared.service import Service
from shared.settings import NotifySettings
from shared.smtp import Timeouts


def notify_settings(keys: Path, **chosen: Any) -> NotifySettings:
    usual: dict[str, Any] = {
        "mongodb_uri": "mongodb://unused", "amqp_url": "amqp://unused", "keys_dir": keys,
        "programme_file": Path("deploy/programme.toml"), "public_url": "http://localhost", "log_level": "WARNING",
        "metrics_port": 0, "worker_threads": 1, "smtp_url": "smtp://127.0.0.1:1", "mail_from": "table@kt.example",
        "mail_reply_to": "people@kt.example", "sms_gateway": "none", "kannel_url": "", "kannel_user": "", "kannel_password": "",
        "kannel_callback_secret": "", "twilio_account_sid": "", "twilio_auth_token": "", "twilio_from": "",
        "twilio_api_url": "https://api.twilio.com", "sms_callback_url": "http://kt.example", "minutes_between_texts": 60,
    }  # fmt: skip
    return NotifySettings(**{**usual, **chosen})


@contextmanager
def delivering_email(notify: Service, settings: NotifySettings, timeouts: Timeouts | None = None) -> Iterator[None]:
    with delivering(notify, "email", EmailSender(settings, timeouts)):
        yield


@contextmanager
def delivering_texts(notify: Service, settings: NotifySettings) -> Iterator[None]:
    with delivering(notify, "text", SmsSender(notify.db, settings)):
        yield


@contextmanager
def delivering(notify: Service, channel: Channel, sender: ChannelSender) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_delivery, args=(notify.db, channel, sender, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def notification_in(db: Db, **where: Any) -> Doc:
    found = db.notifications.find_one(where)
    assert found
    return found


def make_due(db: Db) -> None:
    """What waits for its next attempt is due now."""
    db.notifications.update_many({"next_at": {"$exists": True}, "claim": {"$exists": False}}, {"$set": {"next_at": now()}})


def end_leases(db: Db) -> None:
    """As if the worker that was sending them had been killed a while ago."""
    leased = {"$set": {"claim": "a worker that died", "next_at": now() - timedelta(seconds=1)}, "$inc": {"uncertain": 1}}
    db.notifications.update_many({"state": "pending"}, leased)
