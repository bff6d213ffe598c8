"""E-mail through a real Postfix, which greylists and relays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.notify.handlers.offers import enqueue_offer_notification
from shared.service import Service
from tests.delivery import delivering_email, make_due, notification_in, notify_settings
from tests.eventually import eventually
from tests.mailbox import Mailbox, a_mailbox, words_of
from tests.postfix import Greylist, Postfix, a_greylist, a_postfix, can_run
from tests.receivers import an_offer, ana, record_contact

ANA = "ana@example.org"
pytestmark = pytest.mark.skipif(not can_run(), reason="needs Postfix (apt-get install postfix) and root")


@pytest.fixture(scope="module")
def sink() -> Iterator[Mailbox]:
    with a_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def greylist() -> Iterator[Greylist]:
    with a_greylist() as greylist:
        yield greylist


@pytest.fixture(scope="module")
def postfix(sink: Mailbox, greylist: Greylist) -> Iterator[Postfix]:
    with a_postfix(relay_to=sink.port, greylist=greylist) as postfix:
        yield postfix


def test_a_greylisted_email_arrives_through_postfix_at_the_second_attempt(
    notify: Service, keys: Path, sink: Mailbox, greylist: Greylist, postfix: Postfix
) -> None:
    record_contact(ana(notify, channels=("email",)), notify.db)
    with delivering_email(notify, notify_settings(keys, smtp_url=postfix.url)):
        notify.run(enqueue_offer_notification, an_offer(notify))
        eventually(lambda: notify.db.notifications.find_one({"deferrals": 1, "reason": "450 to RCPT"}))
        make_due(notify.db)
        [mail] = sink.wait_for(ANA)
        eventually(lambda: notification_in(notify.db)["state"] == "accepted")
    assert greylist.deferred == [ANA]
    assert mail["Message-ID"] == f"<{notification_in(notify.db)['_id']}@kt.example>"
    assert f"https://kt.example/o/{'x' * 43}" in words_of(mail)


def test_a_burst_passes_postfix_whole(notify: Service, keys: Path, sink: Mailbox, greylist: Greylist, postfix: Postfix) -> None:
    greylist.known.add(ANA)
    before = len(sink.emails)
    record_contact(ana(notify, channels=("email",)), notify.db)
    with delivering_email(notify, notify_settings(keys, smtp_url=postfix.url)):
        for number in range(30):
            notify.run(enqueue_offer_notification, an_offer(notify, f"o{number}"))
        sink.wait_for(ANA, before + 30, seconds=60)
    assert len({mail["Message-ID"] for mail in sink.emails[before:]}) == 30
