"""Delivers notifications: one leased worker for each channel, so that one cannot hold up the other."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from services.notify import rules
from services.notify.domain import Contact, Discard, Notification, Outcome, Postpone, Result
from services.notify.handlers import service
from services.notify.handlers.outcomes import GiveUp, give_up
from services.notify.rendering import Recipient, render_sms
from services.notify.sms import SmsSender, segments
from services.notify.smtp import EmailSender
from services.notify.store import contacts, notifications
from services.notify.store.notifications import LEASE, Claimed, DeliveryQueue
from shared import vault
from shared.backoff import delay
from shared.clock import now
from shared.contracts import Channel, EncryptedFields
from shared.leased_work import DUE_NOW, LeasedWorker
from shared.logs import get_logger
from shared.metrics import NOTIFICATION_SECONDS, NOTIFICATIONS
from shared.mongo import Db
from shared.settings import NotifySettings
from shared.vault import DecryptionError

log = get_logger("notify.delivery")
SENDER_THREADS: Mapping[Channel, int] = {"email": 4, "text": 2}
# A claimed e-mail may wait for a thread. A text may not: after a kill it would count as one that may have arrived.
CAPACITY: Mapping[Channel, int] = {"email": 16, "text": 2}
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=4)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
FIRST_LOOK_FOR_CONTACT = timedelta(seconds=1)


class ChannelSender(Protocol):
    """Called from many threads. `fields`: the contact's decrypted fields, and those of this notification as letter_link and
    letter_short_link. `longest_send`: no healthy call takes longer."""

    @property
    def longest_send(self) -> timedelta: ...

    def send(self, notification: Notification, contact: Contact, fields: Mapping[str, str]) -> Result: ...

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
        warn_of_long_texts(service.public_url)
        run_delivery(db, "text", SmsSender.from_settings(db, settings), stop)


def run_delivery(db: Db, channel: Channel, sender: ChannelSender, stop: threading.Event) -> None:
    delivery = Delivery(db, channel, sender)
    worker = LeasedWorker(delivery, capacity=CAPACITY[channel], lease=LEASE)
    service.watch(f"{channel} delivery", lambda: worker.alive() and delivery.alive())
    service.wake_after_enqueueing(channel, worker.wake_up)
    try:
        worker.run(stop)
    finally:
        delivery.close()


def give_up_texts(db: Db, stop: threading.Event) -> None:
    """Texts that were waiting when the SMS gateway was taken away become what a text becomes that nobody can send."""
    for text in notifications.find_pending(db, "text"):
        service.run(give_up, GiveUp(text.id, "failed", "no gateway"))
    stop.wait()


def warn_of_long_texts(public_url: str) -> None:
    """What we ship fits one segment; a long name, a sign outside of GSM or a long address makes each offer cost two."""
    programme, sender = service.programme, replace(service.sender, public_url=public_url)
    context = {"code": "A7", "answer_by": now(), "link": f"{public_url}/o/{'x' * 16}"}
    for language in programme.languages:
        text = render_sms("offer", context, Recipient(language, programme.time_zone, "practitioner"), sender)
        if segments(text) > 1:
            about = {"template": "offer", "setting": "PUBLIC_URL", "count": segments(text)}
            log.warning("an offer by text takes more than one segment: the programme's name or the address is long", extra=about)


@dataclass(frozen=True)
class Job:
    claimed: Claimed
    contact: Contact | None

    @property
    def notification(self) -> Notification:
        return self.claimed.notification


class Delivery:
    """The leased work of one channel (see LeasedWork)."""

    def __init__(self, db: Db, channel: Channel, sender: ChannelSender) -> None:
        self.name = f"{channel} delivery"
        self._db, self._channel, self._sender = db, channel, sender
        self._queue = DeliveryQueue(db, channel)
        self._breaker = Breaker()
        self._busy = BusyThreads(SENDER_THREADS[channel], sender.longest_send)
        self._executor = ThreadPoolExecutor(SENDER_THREADS[channel], thread_name_prefix=channel)
        self._unrecorded: set[str] = set()

    def ready(self) -> bool:
        return self._breaker.is_closed()

    def alive(self) -> bool:
        return self._busy.one_moves()

    def claim(self, limit: int) -> list[Job]:
        self._sender.close_idle()
        claimed = self._queue.claim(limit)
        # After a time without database this process may claim what it has already sent and not yet recorded.
        new = [one for one in claimed if one.notification.id not in self._unrecorded]
        people = contacts.find_many(self._db, {one.notification.person_id for one in new}) if new else {}
        return [Job(one, people.get(one.notification.person_id)) for one in new]

    def start(self, jobs: list[Job]) -> list[Future[Result]]:
        self._unrecorded.update(job.notification.id for job in jobs)
        return [self._executor.submit(self._deliver, job) for job in jobs]

    def renew(self, jobs: list[Job]) -> None:
        self._queue.renew([job.claimed.lease for job in jobs])

    def record(self, finished: list[tuple[Job, Result | BaseException]]) -> None:
        try:
            self._record(finished)
        except PyMongoError:
            raise  # and called again: until then these are not to be sent again
        except Exception:
            self._unrecorded.difference_update(job.notification.id for job, _ in finished)
            raise
        self._unrecorded.difference_update(job.notification.id for job, _ in finished)

    def _record(self, finished: list[tuple[Job, Result | BaseException]]) -> None:
        results = [(job, result) for job, result in finished if not isinstance(result, BaseException)]
        self._queue.release([job.claimed.lease for job, result in finished if isinstance(result, BaseException)])
        notifications.record(self._db, [change for job, result in results if (change := _change(job.claimed, result))])
        for job, result in results:
            if command := _give_up_command(job.notification, result):
                service.run(give_up, command)
        for job, result in results:
            _report(job.notification, result)

    def close(self) -> None:
        """Ends what is still being sent; it is sent again by another worker when its lease is over."""
        self._sender.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _deliver(self, job: Job) -> Result:
        """PyMongoError: nothing was sent. Any other error is this notification's own, and must not come back at once for ever."""
        with self._busy:
            try:
                return _reason_not_to_send(job.notification, job.contact) or self._send(job)
            except PyMongoError:
                raise
            except Exception as error:
                log.exception("a notification could not be rendered or sent", extra=_about(job.notification))
                return Outcome("deferred", type(error).__name__)

    def _send(self, job: Job) -> Result:
        if not self._breaker.is_closed():  # it opened while this one waited for a thread
            return Postpone(DUE_NOW, "provider unavailable")
        if job.contact is None:
            return Postpone(_next_look_for_contact(job.notification), "no contact yet")
        try:
            fields = _decrypted(job.notification, job.contact)
        except DecryptionError:
            return Outcome("refused", "cannot be decrypted")
        result = self._sender.send(job.notification, job.contact, fields)
        if isinstance(result, Outcome):
            self._breaker.record(result)
        return result


def _reason_not_to_send(notification: Notification, contact: Contact | None) -> Result | None:
    if notification.cancelled_because:
        return Discard(notification.cancelled_because)
    if notification.template not in rules.TEMPLATES:
        return Outcome("refused", "unknown template")
    if now() >= notification.expires_at:
        return Outcome("refused", "too late to help")
    if not rules.may_repeat(notification.channel, notification.template, notification.interruptions):
        return Outcome("refused", "interrupted while sending, it may have arrived")
    if contact and notification.channel not in contact.channels_for(notification.template):
        return Discard("not wanted any more")
    return None


def _next_look_for_contact(notification: Notification) -> datetime:
    """A second later at first; the longer it has been missing, the longer until the next look."""
    moment = now()
    return moment + max(FIRST_LOOK_FOR_CONTACT, (moment - notification.created_at) / 10)


def _change(claimed: Claimed, result: Result) -> UpdateOne | None:
    """What to write; None: more than one document changes, see give_up."""
    notification, moment = claimed.notification, now()
    if isinstance(result, Postpone):
        return notifications.postponed(claimed, result.until, result.reason)
    if isinstance(result, Discard):
        return notifications.finished(notification, "cancelled", moment, result.reason)
    if result.result == "accepted":
        return notifications.finished(notification, "accepted", moment, "", keep_links=notification.channel == "text")
    if _give_up_command(notification, result):
        return None
    if result.result == "unavailable":
        return notifications.postponed(claimed, DUE_NOW, result.reason)
    after = delay(notification.deferrals + 1, base=FIRST_RETRY, longest=LONGEST_RETRY)
    return notifications.deferred(claimed, moment + after, result.reason)


def _give_up_command(notification: Notification, result: Result) -> GiveUp | None:
    if not isinstance(result, Outcome) or result.result == "accepted":
        return None
    if result.result == "refused":
        return GiveUp(notification.id, "failed", result.reason)
    too_old = now() >= notification.created_at + rules.LONGEST_DELIVERY
    return GiveUp(notification.id, "expired", result.reason) if too_old else None


def _decrypted(notification: Notification, contact: Contact) -> dict[str, str]:
    """Addresses, and the links of this notification: decrypted only while it is being sent."""
    own = _decrypt(notification.encrypted) if notification.encrypted else {}
    return {**_decrypt(contact.encrypted), **{f"letter_{name}": text for name, text in own.items()}}


def _decrypt(encrypted: EncryptedFields) -> dict[str, str]:
    return vault.decrypt_fields(service.vault.unwrap(encrypted.wrap, encrypted.person_id), encrypted.person_id, encrypted.fields)


def _report(notification: Notification, result: Result) -> None:
    outcome = result.result if isinstance(result, Outcome) else "postponed" if isinstance(result, Postpone) else "cancelled"
    NOTIFICATIONS.labels(notification.channel, outcome).inc()
    if outcome == "accepted":
        NOTIFICATION_SECONDS.labels(notification.channel).observe((now() - notification.created_at).total_seconds())
    level = log.info if outcome in ("accepted", "postponed", "cancelled") else log.warning
    reason = "" if isinstance(result, Outcome) and outcome == "accepted" else result.reason
    level("notification", extra={**_about(notification), "outcome": outcome, "reason": reason})


def _about(notification: Notification) -> dict[str, str]:
    return {"notification_id": notification.id, "template": notification.template, "channel": notification.channel}


class Breaker:
    """While nobody can be reached at all, the whole channel waits, longer each time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._failures, self._closed_at = 0, 0.0

    def is_closed(self) -> bool:
        return time.monotonic() >= self._closed_at

    def record(self, outcome: Outcome) -> None:
        with self._guard:
            if outcome.result != "unavailable":
                self._failures = 0
                return
            self._failures += 1
            pause = delay(self._failures, base=FIRST_PAUSE, longest=LONGEST_PAUSE)
            self._closed_at = time.monotonic() + pause.total_seconds()


class BusyThreads:
    """Since when each sending thread has been at its notification."""

    def __init__(self, count: int, longest: timedelta) -> None:
        self._count, self._longest = count, longest.total_seconds()
        self._begun: dict[int, float] = {}

    def __enter__(self) -> None:
        self._begun[threading.get_ident()] = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._begun.pop(threading.get_ident(), None)

    def one_moves(self) -> bool:
        """False: every thread has been sending for longer than any healthy exchange takes."""
        stuck = [begun for begun in list(self._begun.values()) if time.monotonic() - begun > self._longest]
        return len(stuck) < self._count
