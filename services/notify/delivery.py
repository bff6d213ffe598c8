"""Delivers notifications: one leased worker for each channel, so that one cannot hold up the other."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import pymongo
from pymongo.errors import PyMongoError

from services.notify import store
from services.notify.domain import TEMPLATES, Contact, Notification, Outcome, reason_not_to_send
from services.notify.email import EmailSender
from services.notify.handlers import service
from services.notify.handlers.outcomes import GiveUp, give_up
from services.notify.rendering import Brand, Recipient, render_sms
from services.notify.sms import SmsSender, segments
from services.notify.store import LEASE, DeliveryQueue
from shared.backoff import Breaker, delay
from shared.clock import now
from shared.contracts import Channel
from shared.i18n import short_day
from shared.leased_work import Lease, LeasedWorker
from shared.logs import get_logger
from shared.metrics import NOTIFICATION_SECONDS, NOTIFICATIONS
from shared.mongo import Db
from shared.settings import NotifySettings
from shared.threaded_work import Claimed, ThreadedWork
from shared.vault import DecryptionError

ClaimedNotification = Claimed[Notification]
log = get_logger("notify.delivery")
SENDER_THREADS: Mapping[Channel, int] = {"email": 4, "text": 2}
CAPACITY: Mapping[Channel, int] = {"email": 128, "text": 8}  # what is more than the threads waits for one of them
TOGETHER = 16  # prepared by one thread, sent by all
RECORD_WITHIN = timedelta(seconds=0.1)  # longer would repeat more e-mails after a kill
JUST_WRITTEN = timedelta(milliseconds=100)  # it is not asked again whether it was cancelled since
FRESH_FOR = LEASE / 2  # a contact that was read, and a mark that was made, longer ago say little
DAYS_IN_TEXTS = ("answer_by", "hear_by", "ends_at", "starts_at")
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=4)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
FIRST_LOOK_FOR_CONTACT = timedelta(seconds=1)
SECONDS_TO_PREPARE = 5
PAUSE_WITHOUT_DATABASE = timedelta(seconds=1)
EVERY_WEEKDAY_AND_MONTH = [datetime(2026, month, day, 12, tzinfo=UTC) for month in range(1, 13) for day in range(20, 27)]


class ChannelSender(Protocol):
    """Called from many threads. `fields`: the contact's decrypted fields, and those of this notification as notification_link and
    notification_short_link. `longest_send`: no healthy call takes longer."""

    @property
    def longest_send(self) -> timedelta: ...

    def send(self, notification: Notification, contact: Contact, fields: Mapping[str, str]) -> Outcome: ...

    def close_idle(self) -> None:
        """Called about once a second."""

    def close(self) -> None: ...


def deliver_notifications(settings: NotifySettings) -> None:
    """Register what delivers in this worker: call it before the worker starts."""

    @service.background_task("email delivery")
    def deliver_email(db: Db, stop: threading.Event) -> None:
        run_delivery(db, "email", EmailSender(settings), stop)

    if settings.sms_gateway == "none":
        service.background_task("give up texts")(give_up_texts)
        return

    @service.background_task("text delivery")
    def deliver_texts(db: Db, stop: threading.Event) -> None:
        try:
            warn_of_long_texts(service.brand)
        except Exception:  # whatever is wrong with one template, the texts of the others go out
            log.exception("the lengths of texts could not be looked at")
        run_delivery(db, "text", SmsSender(db, settings), stop)


def run_delivery(db: Db, channel: Channel, sender: ChannelSender, stop: threading.Event) -> None:
    delivery = Delivery(db, channel, sender)
    worker = DeliveryWorker(delivery)
    service.watch(delivery.name, lambda: worker.alive() and delivery.alive())
    service.deliveries[channel] = worker
    try:
        worker.run(stop)
    finally:
        service.deliveries.pop(channel, None)
        delivery.close()


def give_up_texts(db: Db, stop: threading.Event) -> None:
    """Texts that were waiting when the SMS gateway was taken away become what a text becomes that nobody can send."""
    for text in store.find_pending_notifications(db, "text"):
        service.run(give_up, GiveUp(text.id, "failed", "no gateway"))
    stop.wait()


def warn_of_long_texts(brand: Brand) -> None:
    """What we ship fits one segment on every day; a long name, a sign outside of GSM or a long address makes some cost two."""
    for language in service.programme.languages:
        texts = [name for name, template in TEMPLATES.items() if "text" in template.channels]
        size = {name: segments(_longest(name, language, brand)) for name in texts}
        long = [name for name in texts if size[name] > 1]
        if long:
            about = {"template": ", ".join(long), "setting": "PUBLIC_URL", "count": max(size.values())}
            log.warning("texts take more than one segment: the programme's name or an address is long", extra=about)


def _longest(name: str, language: str, brand: Brand) -> str:
    zone, with_own_page = (
        service.programme.time_zone,
        name in ("offer", "reminder", "note_for_you", "agreement_news", "look_back"),
    )
    link = f"{brand.public_url}/o/{'x' * 16}" if with_own_page else f"{brand.public_url}/s"
    day = max(EVERY_WEEKDAY_AND_MONTH, key=lambda moment: len(short_day(moment, zone, language)))
    recipient = Recipient(language, zone, "practitioner" if with_own_page else "supportee")
    facts = {"code": "A7", **dict.fromkeys(DAYS_IN_TEXTS, day), "link": link}
    return render_sms(name, facts, recipient, brand)


@dataclass(frozen=True)
class Written(Claimed[Notification]):
    """One that this process has just written, so that its contact is known."""

    contact: Contact
    since: float


@dataclass(frozen=True)
class Attempt:
    """`marked`: as uncertain, together with others. `since`: when that was, and when the contact was read."""

    claimed: ClaimedNotification
    contact: Contact | None
    marked: bool
    since: float


class Delivery(ThreadedWork[Notification, Outcome]):
    """The leased work of one channel."""

    def __init__(self, db: Db, channel: Channel, sender: ChannelSender, fresh_for: timedelta = FRESH_FOR) -> None:
        self.channel, self.queue, threads = channel, DeliveryQueue(db, channel), SENDER_THREADS[channel]
        name = f"{channel} delivery"
        super().__init__(name, self.queue, threads=threads, longest=sender.longest_send, together=TOGETHER)
        self._db, self._sender, self._fresh_for = db, sender, fresh_for.total_seconds()
        self._breaker = Breaker(base=FIRST_PAUSE, longest=LONGEST_PAUSE)

    def ready(self) -> bool:
        return self._breaker.is_closed()

    def claim(self, limit: int) -> list[ClaimedNotification]:
        self._sender.close_idle()
        return super().claim(limit)

    def prepare(self, items: list[ClaimedNotification]) -> list[Callable[[], Outcome]]:
        """Contacts are read together, and what is handed over for the first time is marked together."""
        since = time.monotonic()
        try:
            with pymongo.timeout(SECONDS_TO_PREPARE):  # else one lost connection would hold them all
                contacts = self._find_contacts(items)
                marked = self._mark([one for one in items if one.item.person_id in contacts])
        except PyMongoError as error:
            return [partial(_postponed_without_database, error)] * len(items)
        attempts = [Attempt(one, contacts.get(one.item.person_id), one.lease.id in marked, since) for one in items]
        return [partial(self._work_on, attempt) for attempt in attempts]

    def record(self, finished: list[tuple[ClaimedNotification, Outcome | BaseException]]) -> None:
        """What was not begun is due again at once; the mark that it was written with is taken back."""
        super().record([(claimed, _not_begun(done) if isinstance(done, BaseException) else done) for claimed, done in finished])

    def record_outcomes(self, finished: list[tuple[ClaimedNotification, Outcome]]) -> None:
        given_up = [_give_up_command(claimed.item, outcome) for claimed, outcome in finished]
        others = [one for one, command in zip(finished, given_up, strict=True) if command is None]
        store.record_outcomes(self._db, others, now())
        for command in filter(None, given_up):
            service.run(give_up, command)
        for claimed, outcome in finished:
            _report(claimed.item, outcome)

    def close(self) -> None:
        """Ends what is still being sent; it is sent again by another worker when its lease is over."""
        self._sender.close()
        super().close()

    def _find_contacts(self, items: list[ClaimedNotification]) -> Mapping[str, Contact]:
        known = {one.item.person_id: one.contact for one in items if isinstance(one, Written) and self._is_fresh(one.since)}
        others = {one.item.person_id for one in items} - known.keys()
        return {**known, **store.find_contacts(self._db, others)} if others else known

    def _mark(self, items: list[ClaimedNotification]) -> set[str]:
        """Texts, and what may have ended a worker before, are marked one by one: none pays for what ends this worker. An e-mail
        that this process has just written was written with its mark, and may have been cancelled since."""
        if self.channel != "email" or not self._breaker.is_closed():
            return set()
        new = [one for one in items if isinstance(one, Written) and _is_just_written(one)]
        written = [one for one in items if isinstance(one, Written) and self._is_fresh(one.since) and one not in new]
        others = [one for one in items if not one.item.uncertain and one not in (*new, *written)]
        return {one.lease.id for one in new} | store.find_held(self._db, written) | store.mark_uncertain(self._db, others)

    def _work_on(self, attempt: Attempt) -> Outcome:
        """PyMongoError: nothing was sent. Any other error is this notification's own, and must not come back at once for ever."""
        notification = attempt.claimed.item
        try:
            if not self._is_fresh(attempt.since):  # it has waited long for a thread
                attempt = replace(attempt, contact=store.find_contact(self._db, notification.person_id), marked=False)
            return reason_not_to_send(notification, attempt.contact, now()) or self._send(attempt)
        except PyMongoError as error:
            return _postponed_without_database(error)
        except Exception as error:
            log.exception("a notification could not be rendered or sent", extra=_about(notification))
            return Outcome("deferred", type(error).__name__, after=_retry_delay(notification))

    def _send(self, attempt: Attempt) -> Outcome:
        notification, contact = attempt.claimed.item, attempt.contact
        if not self._breaker.is_closed():  # it opened while this one waited for a thread
            return Outcome("postponed", "provider unavailable")
        if contact is None:
            return Outcome("postponed", "no contact yet", after=_pause_without_contact(notification))
        try:
            fields = _decrypted(notification, contact)
        except DecryptionError:
            return Outcome("refused", "cannot be decrypted")
        if not attempt.marked and not store.mark_uncertain(self._db, [attempt.claimed]):
            return Outcome("postponed", "claimed by another worker")
        outcome = self._sender.send(notification, contact, fields)
        if outcome.result not in ("postponed", "cancelled"):
            self._breaker.record(reached=outcome.result != "unavailable")
        return replace(outcome, after=_retry_delay(notification)) if outcome.result in ("deferred", "uncertain") else outcome

    def _is_fresh(self, since: float) -> bool:
        return time.monotonic() - since <= self._fresh_for


class DeliveryWorker(LeasedWorker[ClaimedNotification, Outcome]):
    """A ChannelDelivery: what this process writes goes on from memory."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(delivery, capacity=CAPACITY[delivery.channel], lease=LEASE, record_within=RECORD_WITHIN)
        self._queue = delivery.queue

    def lease(self, notification: Notification) -> Notification:
        return self._queue.leased(notification) if self.can_take() else notification

    def submit_written(self, notification: Notification, contact: Contact) -> None:
        lease = Lease(notification.id, notification.claim or "")
        self.submit([Written(replace(notification, uncertain=0), lease, contact, time.monotonic())])

    def wake(self) -> None:
        self.wake_up.wake()


def _is_just_written(one: Written) -> bool:
    """And nobody else can have claimed it."""
    still_leased = one.item.next_at is not None and one.item.next_at - now() > FRESH_FOR
    return still_leased and time.monotonic() - one.since < JUST_WRITTEN.total_seconds()


def _not_begun(error: BaseException) -> Outcome:
    return Outcome("postponed", type(error).__name__)


def _postponed_without_database(error: PyMongoError) -> Outcome:
    return Outcome("postponed", type(error).__name__, after=PAUSE_WITHOUT_DATABASE)


def _retry_delay(notification: Notification) -> timedelta:
    return delay(notification.deferrals + notification.uncertain + 1, base=FIRST_RETRY, longest=LONGEST_RETRY)


def _pause_without_contact(notification: Notification) -> timedelta:
    """A second at first; the longer it has been missing, the longer until the next look."""
    missing = now() - notification.created_at
    return min(max(FIRST_LOOK_FOR_CONTACT, missing / 10), LONGEST_RETRY)


def _give_up_command(notification: Notification, outcome: Outcome) -> GiveUp | None:
    if outcome.result == "expired":
        return GiveUp(notification.id, "expired", outcome.reason)
    return GiveUp(notification.id, "failed", outcome.reason) if outcome.result == "refused" else None


def _decrypted(notification: Notification, contact: Contact) -> dict[str, str]:
    """Addresses, and the links of this notification: decrypted only while it is being sent."""
    own = service.vault.decrypt_fields(notification.encrypted) if notification.encrypted else {}
    return {**service.vault.decrypt_fields(contact.encrypted), **{f"notification_{name}": text for name, text in own.items()}}


def _report(notification: Notification, outcome: Outcome) -> None:
    NOTIFICATIONS.labels(notification.channel, outcome.result).inc()
    if outcome.result == "accepted":
        NOTIFICATION_SECONDS.labels(notification.channel).observe((now() - notification.created_at).total_seconds())
    level = log.info if outcome.result in ("accepted", "postponed", "cancelled") else log.warning
    level("notification processed", extra={**_about(notification), "outcome": outcome.result, "reason": outcome.reason})


def _about(notification: Notification) -> dict[str, str]:
    return {"notification_id": notification.id, "template": notification.template, "channel": notification.channel}
