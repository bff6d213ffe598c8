"""Delivery goes on and nobody is forgotten: odd documents, killed workers, a database away, wrong keys, hung servers."""

import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.notify.delivery import SENDER_THREADS, ClaimedNotification, Delivery, DeliveryWorker, Written
from services.notify.domain import Contact, Notification, Outcome
from services.notify.email import EmailSender
from services.notify.handlers.contacts import record_contact as record_supportee
from services.notify.handlers.offers import enqueue_not_this_time, enqueue_offer_notification
from services.notify.handlers.outbound import NotifyService
from services.notify.handlers.requests import enqueue_note, erase_supportee
from services.notify.store import LEASE, DeliveryQueue, record_outcomes
from shared import vault
from shared.clock import now
from shared.contracts import Channel, NoteWritten, NotificationFailed, OfferDeclined, OfferMade, RequestWithdrawn
from shared.leased_work import DUE_NOW, LONGEST_TRANSACTION, NotStarted
from shared.messages import from_json, parse_event
from shared.mongo import Db
from shared.programme import read_programme
from shared.service import Service
from tests.delivery import delivering, delivering_email, end_leases, make_due, notification_in, notify_settings
from tests.eventually import eventually
from tests.mailbox import Mailbox, a_mailbox
from tests.receivers import an_offer, ana, encrypted_for_notify, record_contact, wren

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
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        yield


def offer(notify: Service, offer_id: str = "o1") -> None:
    notify.run(enqueue_offer_notification, an_offer(notify, offer_id))


def events_in(db: Db) -> list[object]:
    return [parse_event(from_json(one["body"])) for one in db.outbox.find()]


# Documents


def test_a_contact_that_cannot_be_read_yet_only_delays(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    """Two reads need not show the same commits: whoever finds the notification may not see its contact yet."""
    offer(notify)
    contact = db.contacts.find_one_and_delete({"_id": "ana"})
    assert contact
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        eventually(lambda: notification_in(db).get("reason") == "no contact yet")
        db.contacts.insert_one(contact)
        mailbox.wait_for(ANA)
        eventually(lambda: notification_in(db)["state"] == "accepted")


@pytest.mark.usefixtures("sending")
def test_every_supportee_hears_that_their_request_has_arrived(notify: Service, mailbox: Mailbox, db: Db) -> None:
    """Contact and notification come with one commit, while delivery is looking for work all the time."""
    people = [
        replace(wren(notify, request_id=f"r{number}"), person_id=f"w{number}", encrypted=own_address(notify, f"w{number}"))
        for number in range(100)
    ]
    for person in people:
        notify.run(record_supportee, person)
    eventually(lambda: len(mailbox.emails) == len(people), seconds=60)
    eventually(lambda: db.notifications.count_documents({"state": "accepted"}) == len(people))


def own_address(notify: Service, person_id: str) -> object:
    return encrypted_for_notify(notify.vault, person_id, email=f"{person_id}@example.org", link="https://kt.example/s/x")


def test_a_template_of_another_release_is_a_task_for_a_person_and_the_others_go_on(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    model, many = a_document(notify, db), 2 * SENDER_THREADS["email"]
    odd = {**model, "template": "of another release"}
    db.notifications.insert_many([{**odd, "_id": f"odd{number}", "cause": f"c{number}"} for number in range(many)])
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        offer(notify, "o2")
        mailbox.wait_for(ANA)
        eventually(lambda: db.outbox.count_documents({}) == many)
    assert events_in(db)[0] == NotificationFailed(person_id="ana", template="of another release")


def test_a_document_that_no_release_writes_fails_alone(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    odd = {name: value for name, value in a_document(notify, db).items() if name not in ("context", "cause")}
    db.notifications.insert_one({**odd, "_id": "odd"})
    offer(notify, "o2")
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        mailbox.wait_for(ANA)
        eventually(lambda: notification_in(db, _id="odd")["state"] == "failed")


def a_document(notify: Service, db: Db) -> dict[str, object]:
    """A due notification, taken out of the database as it stands there."""
    offer(notify, "model")
    found = db.notifications.find_one_and_delete({"offer_id": "model"})
    assert found
    return found


def test_a_notification_that_comes_too_late_is_not_sent_and_a_coordinator_hears(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    offer(notify)
    db.notifications.update_many({}, {"$set": {"expires_at": now() - timedelta(seconds=1)}})
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        eventually(lambda: notification_in(db)["state"] == "expired")
    assert mailbox.emails == []
    assert events_in(db) == [NotificationFailed(person_id="ana", template="offer")]


# Attempts


@pytest.mark.usefixtures("sending")
def test_many_deferrals_and_one_killed_worker_are_not_many_killed_workers(notify: Service, mailbox: Mailbox, db: Db) -> None:
    mailbox.answer["RCPT"] = "451 greylisted"
    offer(notify)
    for number in range(1, 6):
        eventually(lambda count=number: db.notifications.find_one({"deferrals": count}))
        make_due(db)
    eventually(lambda: db.notifications.find_one({"deferrals": 6}))
    mailbox.answer.clear()
    end_leases(db)
    mailbox.wait_for(ANA)


@pytest.mark.usefixtures("sending")
def test_an_email_whose_workers_keep_dying_is_given_up_in_the_end(notify: Service, mailbox: Mailbox, db: Db) -> None:
    mailbox.answer["RCPT"] = "451 greylisted"
    offer(notify)
    eventually(lambda: db.notifications.find_one({"deferrals": 1}))
    db.notifications.update_one({}, {"$inc": {"uncertain": 4}, "$set": {"next_at": now()}})
    eventually(lambda: notification_in(db)["state"] == "failed")
    assert events_in(db) == [NotificationFailed(person_id="ana", template="offer")]


def test_what_a_killed_worker_held_goes_out_within_seconds(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    offer(notify)
    assert len(DeliveryQueue(db, "email").claim(5)) == 1  # and that worker is never heard of again
    eventually(lambda: db.notifications.find_one({"claim": {"$exists": True}}))
    assert notification_in(db)["next_at"] - now() <= timedelta(seconds=10)
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        mailbox.wait_for(ANA, seconds=60)


def test_an_email_that_was_only_claimed_again_and_again_is_sent(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    """Each worker died while the e-mail waited for one of its threads."""
    offer(notify)
    for number in range(1, 8):
        eventually(lambda: DeliveryQueue(db, "email").claim(5))
        eventually(lambda count=number: db.notifications.find_one({"attempts": count}))
        db.notifications.update_one({}, {"$set": {"next_at": now() - timedelta(seconds=1)}})
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        mailbox.wait_for(ANA)
        eventually(lambda: notification_in(db)["state"] == "accepted")


def test_a_worker_that_lost_its_lease_while_the_email_waited_for_a_thread_does_not_send_it(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    offer(notify)
    delivery = Delivery(db, "email", EmailSender(notify_settings(keys, smtp_url=mailbox.url)))
    [claimed] = delivery.claim(5)
    end_leases(db)
    [send] = delivery.prepare([claimed])
    assert send() == Outcome("postponed", "claimed by another worker")
    delivery.close()
    assert mailbox.emails == []


def test_what_may_have_ended_a_worker_is_marked_alone_and_others_pay_nothing_for_it(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    for number in range(3):
        offer(notify, f"o{number}")
    db.notifications.update_one({"offer_id": "o0"}, {"$set": {"uncertain": 1}})
    delivery = Delivery(db, "email", EmailSender(notify_settings(keys, smtp_url=mailbox.url)))
    claimed = sorted(delivery.claim(5), key=lambda one: str(one.item.offer_id))
    sends = delivery.prepare(claimed)
    eventually(lambda: db.notifications.count_documents({"uncertain": 1}) == 3)
    assert sends[0]() == Outcome("accepted")
    eventually(lambda: notification_in(db, offer_id="o0")["uncertain"] == 2)
    delivery.close()


def test_of_what_is_marked_together_only_what_is_still_held_is_sent(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    for number in range(3):
        offer(notify, f"o{number}")
    delivery = Delivery(db, "email", EmailSender(notify_settings(keys, smtp_url=mailbox.url)))
    claimed = delivery.claim(5)
    db.notifications.update_one({"offer_id": "o1"}, {"$set": {"claim": "of another worker"}})
    outcomes = {one.item.offer_id: send() for one, send in zip(claimed, delivery.prepare(claimed), strict=True)}
    postponed = Outcome("postponed", "claimed by another worker")
    assert outcomes == {"o0": Outcome("accepted"), "o1": postponed, "o2": Outcome("accepted")}
    delivery.close()


def test_who_changes_their_mind_while_an_email_waits_for_a_thread_gets_none(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    offer(notify)
    delivery = Delivery(db, "email", EmailSender(notify_settings(keys, smtp_url=mailbox.url)), fresh_for=timedelta())
    [send] = delivery.prepare(delivery.claim(5))
    record_contact(ana(notify, version=2, channels=()), db)
    assert send() == Outcome("cancelled", "not wanted any more")
    delivery.close()
    assert mailbox.emails == []


# From memory


@pytest.mark.usefixtures("sending")
def test_what_this_worker_writes_goes_on_from_memory(notify: Service, mailbox: Mailbox, db: Db) -> None:
    with failing(db, "update", collection="notifications"):  # so nothing due can be claimed
        offer(notify)
        mailbox.wait_for(ANA)
    eventually(lambda: notification_in(db)["state"] == "accepted")


@pytest.mark.usefixtures("sending")
def test_the_same_offer_told_twice_is_one_email(notify: Service, mailbox: Mailbox, db: Db) -> None:
    mailbox.hold()
    offer(notify)
    mailbox.wait_until_held()
    offer(notify)
    mailbox.let_go()
    eventually(lambda: notification_in(db)["state"] == "accepted")
    offer(notify)
    offer(notify, "o2")
    mailbox.wait_for(ANA, 2)
    eventually(lambda: db.notifications.count_documents({"state": "accepted"}) == 2)
    assert len(mailbox.emails) == 2


def test_what_was_written_by_a_worker_that_was_killed_before_it_sent_it_is_left_alone_for_a_while_and_then_sent(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    with writing_for_a_killed_worker(notify):
        offer(notify)
    assert DeliveryQueue(db, "email").claim(5) == []
    assert notification_in(db)["next_at"] - now() <= LONGEST_TRANSACTION + LEASE
    db.notifications.update_one({}, {"$set": {"next_at": now() - timedelta(seconds=1)}})
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        mailbox.wait_for(ANA)
        eventually(lambda: notification_in(db)["state"] == "accepted")


def test_what_is_cancelled_while_it_waits_in_memory_is_not_sent(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    record_contact(wren(notify, channels=()), db)
    with writing_for_a_killed_worker(notify) as worker:
        offer(notify)
    notify.run(
        enqueue_not_this_time, OfferDeclined(offer_id="o1", request_id="r1", practitioner_id="ana", version=2, then="wait")
    )
    delivery = Delivery(db, "email", EmailSender(notify_settings(keys, smtp_url=mailbox.url)))
    [written] = worker.submitted
    assert isinstance(written, Written)
    for waiting in (replace(written, since=written.since - 1), replace(written, since=-math.inf)):
        [send] = delivery.prepare([waiting])
        assert send() == Outcome("postponed", "claimed by another worker")
    delivery.close()
    assert mailbox.emails == []


def test_what_was_written_to_be_sent_and_finds_no_room_is_due_at_once_and_not_marked(notify: Service, keys: Path, db: Db) -> None:
    with writing_for_a_killed_worker(notify) as worker:
        offer(notify)
    assert notification_in(db)["uncertain"] == 1
    delivery = Delivery(db, "email", EmailSender(notify_settings(keys)))
    delivery.record([(written, NotStarted()) for written in worker.submitted])
    delivery.close()
    row = notification_in(db)
    assert (row["state"], row["uncertain"], row["next_at"], "claim" in row) == ("pending", 0, DUE_NOW, False)


def test_a_text_that_waits_for_the_morning_is_not_leased(notify: Service, db: Db) -> None:
    record_contact(ana(notify, version=2, channels=("text",), quiet_from=0, quiet_until=23), db)
    with writing_for_a_killed_worker(notify, "text") as worker:
        offer(notify)
    awake = now().astimezone(ZoneInfo("America/New_York")).hour == 23
    assert ("claim" in notification_in(db, channel="text")) is awake
    assert bool(worker.submitted) is awake


class Killed(DeliveryWorker):
    """A worker that is killed right after the commit."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery)
        self.submitted: list[ClaimedNotification] = []

    def submit(self, items: list[ClaimedNotification]) -> None:
        self.submitted += items


@contextmanager
def writing_for_a_killed_worker(notify: Service, channel: Channel = "email") -> Iterator[Killed]:
    assert isinstance(notify, NotifyService)
    worker = Killed(Delivery(notify.db, channel, Hanging()))
    notify.deliveries[channel] = worker
    yield worker
    del notify.deliveries[channel]


def test_the_next_attempt_is_counted_from_the_servers_clock(notify: Service, db: Db) -> None:
    offer(notify)
    [claimed] = DeliveryQueue(db, "email").claim(1)
    record_outcomes(db, [(claimed, Outcome("deferred", "451 to RCPT", after=timedelta(minutes=5)))], now() + timedelta(hours=9))
    waits = notification_in(db)["next_at"] - db.client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
    assert timedelta(minutes=4) < waits <= timedelta(minutes=5)


# The database


@contextmanager
def failing(db: Db, *commands: str, collection: str | None = None) -> Iterator[None]:
    """The server closes the connection on these commands, whoever sends them."""
    admin = db.client.admin
    data: dict[str, object] = {"failCommands": list(commands), "closeConnection": True}
    if collection:
        data["namespace"] = f"{db.name}.{collection}"
    admin.command({"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": data})
    try:
        yield
    finally:
        admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def test_an_email_whose_contact_cannot_be_read_for_a_while_is_sent(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    offer(notify)
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        with failing(db, "find", collection="contacts"):
            for number in range(2, 8):
                eventually(lambda count=number: db.notifications.find_one({"attempts": {"$gte": count}}), seconds=60)
        mailbox.wait_for(ANA)
        eventually(lambda: notification_in(db)["state"] == "accepted")


@pytest.mark.usefixtures("sending")
def test_an_outcome_is_kept_until_the_database_takes_it(notify: Service, mailbox: Mailbox, db: Db) -> None:
    mailbox.hold()
    offer(notify)
    mailbox.wait_until_held()
    with failing(db, "update", "findAndModify"):
        mailbox.let_go()
        end_leases_by_waiting(db)
    eventually(lambda: notification_in(db)["state"] == "accepted")
    assert len(mailbox.emails) == 1


def end_leases_by_waiting(db: Db) -> None:
    """Nothing can be renewed now: wait until the lease is over for everybody."""
    eventually(lambda: db.notifications.find_one({"claim": {"$exists": True}}))
    eventually(lambda: notification_in(db)["next_at"] < now() - timedelta(seconds=1), seconds=60)


def test_what_was_sent_and_is_not_recorded_yet_is_not_started_again(
    notify: Service, keys: Path, mailbox: Mailbox, db: Db
) -> None:
    """The lease may end while the database is away, and it may answer the claim first when it comes back."""
    offer(notify)
    delivery = Delivery(db, "email", EmailSender(notify_settings(keys, smtp_url=mailbox.url)))
    [claimed] = delivery.claim(5)
    [future] = delivery.start([claimed])
    assert future.result(20) == Outcome("accepted")
    end_leases(db)
    assert delivery.claim(5) == []
    delivery.record([(claimed, future.result())])
    delivery.close()
    assert notification_in(db)["state"] == "accepted"


# Keys


def test_what_cannot_be_decrypted_is_a_task_for_a_person(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        notify.run(enqueue_offer_notification, broken(an_offer(notify)))
        eventually(lambda: notification_in(db)["state"] == "failed")
    assert notification_in(db)["reason"] == "cannot be decrypted"
    assert events_in(db) == [NotificationFailed(person_id="ana", template="offer")]


def broken(event: OfferMade) -> OfferMade:
    return replace(event, encrypted=replace(event.encrypted, fields={"link": event.encrypted.fields["short_link"]}))


def test_nobody_is_called_for_somebody_who_has_withdrawn(notify: Service, keys: Path, mailbox: Mailbox, db: Db) -> None:
    notify.run(record_supportee, wren(notify, channels=("email",)))
    mailbox.hold()
    mailbox.hang_up_after_message = 1
    with delivering_email(notify, notify_settings(keys, smtp_url=mailbox.url)):
        mailbox.wait_until_held()
        notify.run(erase_supportee, RequestWithdrawn(request_id="r1"))
        assert db.notifications.count_documents({}) == 0
        mailbox.let_go()
        notify.run(record_supportee, wren(notify, person_id="kit", request_id="r2", channels=("email",)))
        eventually(lambda: notification_in(db, person_id="kit")["state"] == "accepted")
    assert db.notifications.count_documents({"person_id": "wren"}) == 0
    said = {row["type"] for row in db.outbox.find()}
    assert ("contact.erased.v1" in said, "notification.failed.v1" in said) == (True, False)


def test_after_a_withdrawal_nothing_is_enqueued(notify: Service) -> None:
    notify.run(erase_supportee, RequestWithdrawn(request_id="r1"))
    notify.run(record_supportee, wren(notify))
    note = NoteWritten(note_id="n1", request_id="r1", supportee_id="wren", encrypted="x", version=3)
    notify.run(enqueue_note, note)
    assert notify.db.notifications.count_documents({}) == 0


def test_a_worker_with_keys_that_decrypt_nothing_refuses_to_start(notify: Service, db: Db, tmp_path: Path) -> None:
    vault.generate_keys(tmp_path)
    wrong = type(notify)().configure(
        notify.db, vault.load_vault(tmp_path, "notify"), read_programme(Path("deploy/programme.toml")), "https://kt.example"
    )
    with pytest.raises(SystemExit, match="KEYS_DIR"):
        wrong.make_indexes()
    db.contacts.delete_many({})
    wrong.make_indexes()


def test_the_worker_ends_and_names_the_setting(notify: Service, db: Db, tmp_path: Path) -> None:
    vault.generate_keys(tmp_path)
    contacts = db.client["notify"].contacts  # the worker's own database
    contacts.insert_one(db.contacts.find_one() or {})
    try:
        worker = subprocess.run(
            [sys.executable, "-m", "services.notify"], env=worker_environment(db, tmp_path), capture_output=True, timeout=60
        )
    finally:
        db.client.drop_database("notify")
    assert worker.returncode == 1
    assert b"KEYS_DIR" in worker.stderr


def worker_environment(db: Db, keys: Path) -> dict[str, str]:
    host, port = db.client.address or ("", 0)
    return {
        **os.environ, "KEYS_DIR": str(keys), "MONGODB_URI": f"mongodb://{host}:{port}/?directConnection=true",
        "AMQP_URL": "amqp://127.0.0.1:1", "PUBLIC_URL": "http://localhost", "SMTP_URL": "smtp://127.0.0.1:1",
        "MAIL_FROM": "table@kt.example", "MAIL_REPLY_TO": "people@kt.example", "METRICS_PORT": "0",
    }  # fmt: skip


def test_one_contact_that_cannot_be_decrypted_stops_no_worker(notify: Service, db: Db) -> None:
    db.contacts.insert_one({**(db.contacts.find_one() or {}), "_id": "bo"})
    notify.make_indexes()


# Signs of life


def test_a_channel_whose_senders_all_hang_is_not_alive(notify: Service, db: Db) -> None:
    sender = Hanging()
    for number in range(SENDER_THREADS["email"]):
        offer(notify, f"o{number}")
    with delivering(notify, "email", sender):
        eventually(lambda: not notify.parts["email delivery"]())
        sender.let_go.set()
        eventually(lambda: notify.parts["email delivery"]())


def test_one_slow_server_is_not_a_dead_channel(notify: Service, db: Db) -> None:
    sender = Hanging()
    offer(notify)
    with delivering(notify, "email", sender):
        assert sender.taken.wait(20)
        eventually(lambda: sender.overdue)
        assert notify.parts["email delivery"]()
        sender.let_go.set()


class Hanging:
    """A sender that answers when it is let go, although no healthy call takes longer than nothing."""

    longest_send = timedelta()

    def __init__(self) -> None:
        self.taken, self.let_go = threading.Event(), threading.Event()
        self.overdue = False

    def send(self, notification: Notification, contact: Contact, fields: Mapping[str, str]) -> Outcome:
        self.taken.set()
        self.overdue = not self.let_go.wait(0.01)
        self.let_go.wait(60)
        return Outcome("accepted")

    def close_idle(self) -> None:
        pass

    def close(self) -> None:
        self.let_go.set()
