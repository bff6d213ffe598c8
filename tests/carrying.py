"""Notify's own threads that send, started and stopped inside a test, with the settings they need."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.notify.post import Post
from services.notify.sending import Carrier, Mail, Texts
from services.notify.texts import gateway
from shared.mongo import Db, Doc, WakeUp
from shared.service import Service
from shared.settings import NotifySettings


def notify_settings(keys: Path, **chosen: Any) -> NotifySettings:
    usual: dict[str, Any] = {
        "mongodb_uri": "mongodb://unused", "amqp_url": "amqp://unused", "keys_dir": keys,
        "programme_file": Path("deploy/programme.toml"), "public_url": "http://kt.example", "log_level": "WARNING",
        "metrics_port": 0, "worker_threads": 1, "smtp_url": "smtp://127.0.0.1:1", "mail_from": "table@kt.example",
        "mail_reply_to": "people@kt.example", "sms_gateway": "none", "kannel_url": "", "kannel_user": "", "kannel_password": "",
        "kannel_callback_secret": "", "twilio_account_sid": "", "twilio_auth_token": "", "twilio_from": "",
        "twilio_api_url": "https://api.twilio.com", "sms_callback_url": "http://kt.example", "minutes_between_texts": 60,
    }  # fmt: skip
    return NotifySettings(**{**usual, **chosen})


@contextmanager
def carrying_mail(notify: Service, settings: NotifySettings) -> Iterator[None]:
    post = Post(settings.smtp_url)
    with _running(Carrier(notify.db, "email", Mail(post, settings).send, bell_in(notify))):
        yield
    post.close()


@contextmanager
def carrying_texts(notify: Service, settings: NotifySettings) -> Iterator[None]:
    gap = timedelta(minutes=settings.minutes_between_texts)
    with _running(Carrier(notify.db, "text", Texts(notify.db, gateway(settings), gap).send, bell_in(notify))):
        yield


def bell_in(notify: Service) -> WakeUp:
    bell = WakeUp()
    notify.after_commit(lambda _: bell.wake())
    return bell


@contextmanager
def _running(carrier: Carrier) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=carrier.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def eventually(what: Callable[[], object], seconds: float = 10) -> None:
    """Wait until it is so; fail when it does not come."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def row(db: Db, **where: Any) -> Doc:
    found = db.letters.find_one(where)
    assert found
    return found
