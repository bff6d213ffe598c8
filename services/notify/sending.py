"""Letters that are due go out: mail and texts each in their own threads, so that the one cannot hold up the other.

A letter is claimed by moving its own `next_at` two minutes ahead. Whoever dies in between loses the claim with that time.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import PyMongoError

from services.notify import gsm, rules, store
from services.notify.handlers import service
from services.notify.handlers.outcomes import GivenUp, give_up
from services.notify.letters import House, Reader, write_letter, write_text
from services.notify.post import Post, envelope
from services.notify.rules import Contact, Outcome
from services.notify.texts import Gateway, Text, gateway
from shared import vault
from shared.clock import now
from shared.contracts import Channel, EncryptedFields
from shared.i18n import supported
from shared.logs import get_logger
from shared.metrics import LETTERS, SUBMIT_TO_TOLD
from shared.mongo import Db, Doc, WakeUp
from shared.outbox import OutboxMessage
from shared.settings import NotifySettings
from shared.vault import DecryptionError

log = get_logger("notify.sending")
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_FINISH = 20
LONGEST_PAUSE = 30.0
THREADS: Mapping[Channel, int] = {"email": 4, "text": 2}
Send = Callable[[Doc, Contact, Mapping[str, str]], Outcome]
PAGES = {"supportee": "/s", "practitioner": "/me", "coordinator": "/c"}


def send_letters(settings: NotifySettings) -> None:
    """Register the two tasks that send: call it before the worker starts."""
    post = Post(settings.smtp_url)
    gap = timedelta(minutes=settings.minutes_between_texts)
    mail_bell, text_bell = WakeUp(), WakeUp()

    def ring(_: list[OutboxMessage]) -> None:
        mail_bell.wake()
        text_bell.wake()

    service.after_commit(ring)

    @service.background_task("post")
    def carry_mail(db: Db, stop: threading.Event) -> None:
        Carrier(db, "email", Mail(post, settings).send, mail_bell).run(stop)
        post.close()

    @service.background_task("texts")
    def carry_texts(db: Db, stop: threading.Event) -> None:
        if settings.sms_gateway != "none":
            warn_of_long_texts()
        Carrier(db, "text", Texts(db, gateway(settings), gap).send, text_bell).run(stop)


def warn_of_long_texts() -> None:
    """What we ship fits one segment; a long name, a sign outside of GSM or a long address makes each offer cost two."""
    programme = service.programme
    facts = {"code": "A7", "answer_by": now(), "link": f"{service.public_url}/o/{'x' * 16}"}
    for language in programme.languages:
        words = write_text("offer", facts, Reader(language, programme.time_zone, "practitioner"), _house())
        if gsm.segments(words) > 1:
            told = {"letter": "offer", "setting": "PUBLIC_URL", "count": gsm.segments(words)}
            log.warning("an offer by text takes more than one segment: the programme's name or the address is long", extra=told)


class NotNow(Exception):
    """The letter waits, and nobody tried to send it."""

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(reason)
        self.until, self.reason = until, reason


class NotWanted(Exception):
    """The letter is not sent at all, and that is right."""


@dataclass(frozen=True)
class Mail:
    post: Post
    settings: NotifySettings

    def send(self, row: Doc, contact: Contact, fields: Mapping[str, str]) -> Outcome:
        language = supported(contact.language)
        facts = {**row["facts"], "link": _link_for_mail(row, contact, fields)}
        house = _house()
        letter = write_letter(row["letter"], facts, _reader(contact, language, fields.get("known_as", "")), house)
        mail = envelope(
            letter, letter_id=row["_id"], to=fields["email"], sender=self.settings.mail_from, sender_name=house.sender_name,
            reply_to=self.settings.mail_reply_to, language=language, moment=row["made_at"],
        )  # fmt: skip
        return self.post.send(mail)


@dataclass(frozen=True)
class Texts:
    db: Db
    gateway: Gateway
    gap: timedelta

    def send(self, row: Doc, contact: Contact, fields: Mapping[str, str]) -> Outcome:
        if not rules.KINDS[row["letter"]].answers:
            refused = self._keep_the_peace(row, contact)
            if refused:
                return refused
        language = supported(contact.language)
        facts = {**row["facts"], "link": _link_for_text(row, contact, fields)}
        words = write_text(row["letter"], facts, _reader(contact, language, ""), _house())
        return self.gateway.send(Text(row["_id"], fields["phone"], words))

    def _keep_the_peace(self, row: Doc, contact: Contact) -> Outcome | None:
        """Nobody is texted who said stop, nor in their quiet hours, nor twice within the hour."""
        moment, phone = now(), contact.phone or ""
        if store.has_stopped(self.db, phone):
            if contact.role == "supportee":
                raise NotWanted("stopped")
            return Outcome("refused", "stopped")
        awake = rules.when_to_send(moment, "text", row["letter"], contact)
        if awake > moment:
            raise NotNow(awake, "quiet hours")
        free = store.take_the_hour(self.db, phone, row["_id"], moment, self.gap)
        if free:
            raise NotNow(free, "one text an hour")
        return None


class Carrier:
    """A few threads: one looks for the next letter that is due, the others carry what was found."""

    def __init__(self, db: Db, channel: Channel, send: Send, bell: WakeUp) -> None:
        self._db, self._channel, self._send, self._bell = db, channel, send, bell
        self._looking = threading.Lock()
        self._breaker = Breaker()
        self._stop = threading.Event()

    def run(self, stop: threading.Event) -> None:
        self._stop = stop
        names = [f"{self._channel}-{number}" for number in range(THREADS[self._channel])]
        threads = [threading.Thread(target=self._carry, name=name, daemon=True) for name in names]
        for thread in threads:
            thread.start()
        stop.wait()
        self._bell.wake()
        end = time.monotonic() + SECONDS_TO_FINISH
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _carry(self) -> None:
        while not self._stop.is_set():
            try:
                with self._looking:
                    row = self._next()
                if row:
                    self._deliver(row)
            except PyMongoError as error:
                log.warning("letters wait for the database", extra={"channel": self._channel, "reason": type(error).__name__})
                self._stop.wait(1.0)

    def _next(self) -> Doc | None:
        """The next letter that is due, or None after a while without one."""
        pause = self._breaker.seconds_left()
        if pause:
            self._stop.wait(min(pause, SECONDS_BETWEEN_LOOKS))
            return None
        row = None if self._stop.is_set() else store.claim(self._db, self._channel, now())
        if row is None and not self._stop.is_set():
            self._bell.wait(SECONDS_BETWEEN_LOOKS)
        return row

    def _deliver(self, row: Doc) -> None:
        try:
            outcome = self._try(row)
        except NotNow as wait:
            store.hold(self._db, row["_id"], wait.until, tried=False, reason=wait.reason)
            return
        except NotWanted as reason:
            self._drop(row, str(reason))
            return
        self._breaker.note(outcome)
        self._record(row, outcome)

    def _try(self, row: Doc) -> Outcome:
        if row["state"] == "sending" and not rules.may_repeat(self._channel, row["letter"], row["tries"]):
            return Outcome("refused", "its sender died, it may have arrived")
        if now() >= row["stale_at"]:
            return Outcome("refused", "too late to help") if row["tries"] else _not_wanted("too late to help")
        contact = store.contact(self._db, row["person_id"])
        if contact is None or self._channel not in rules.ways_to_tell(contact, row["letter"]):
            raise NotWanted("not asked for any more")
        try:
            return self._send(row, contact, _opened(row, contact))
        except DecryptionError:
            raise NotWanted("encrypted for ever") from None
        except (NotNow, NotWanted, PyMongoError):
            raise
        except Exception as error:
            log.exception("a letter could not be written", extra=_about(row))
            return Outcome("later", type(error).__name__)

    def _record(self, row: Doc, outcome: Outcome) -> None:
        moment, letter_id = now(), row["_id"]
        again = rules.next_try(row["made_at"], row["tries"] + 1, moment)
        if outcome.result == "accepted":
            store.finish(self._db, letter_id, "accepted", moment, keep_facts=self._channel == "text")
            SUBMIT_TO_TOLD.labels(self._channel).observe((moment - row["made_at"]).total_seconds())
        elif outcome.result == "away" and again:
            store.hold(self._db, letter_id, moment, tried=False, reason=outcome.reason)
        elif outcome.result == "later" and again:
            store.hold(self._db, letter_id, again, tried=True, reason=outcome.reason)
        else:
            refused = outcome.result == "refused"
            service.run(give_up, GivenUp(letter_id, "failed" if refused else "gave_up", outcome.reason))
        LETTERS.labels(self._channel, outcome.result).inc()
        level = log.info if outcome.result == "accepted" else log.warning
        level("letter", extra={**_about(row), "outcome": outcome.result, "reason": outcome.reason})

    def _drop(self, row: Doc, reason: str) -> None:
        store.finish(self._db, row["_id"], "dropped", now(), reason)
        LETTERS.labels(self._channel, "dropped").inc()
        log.info("letter", extra={**_about(row), "outcome": "dropped", "reason": reason})


class Breaker:
    """When nobody answers at all, all letters of this way wait a little together, longer each time."""

    def __init__(self) -> None:
        self._away, self._open_at = 0, 0.0

    def seconds_left(self) -> float:
        return max(0.0, self._open_at - time.monotonic())

    def note(self, outcome: Outcome) -> None:
        if outcome.result != "away":
            self._away = 0
            return
        self._away += 1
        self._open_at = time.monotonic() + min(LONGEST_PAUSE, 0.5 * 2 ** min(self._away, 10))


def _not_wanted(reason: str) -> Outcome:
    raise NotWanted(reason)


def _opened(row: Doc, contact: Contact) -> dict[str, str]:
    """The addresses, and what was encrypted for this letter alone: open only while it is being sent."""
    fields = _open(contact.encrypted)
    if "encrypted" in row:
        fields.update({f"letter_{name}": text for name, text in _open(EncryptedFields(**row["encrypted"])).items()})
    return fields


def _open(encrypted: EncryptedFields) -> dict[str, str]:
    return vault.decrypt_fields(service.vault.unwrap(encrypted.wrap, encrypted.person_id), encrypted.person_id, encrypted.fields)


def _link_for_mail(row: Doc, contact: Contact, fields: Mapping[str, str]) -> str:
    own = fields.get("link", "") if contact.role == "supportee" else ""
    return fields.get("letter_link") or own or service.public_url + PAGES[contact.role]


def _link_for_text(row: Doc, contact: Contact, fields: Mapping[str, str]) -> str:
    """A text may be read by others: to a supportee it carries no link of their own."""
    page = service.public_url + PAGES[contact.role]
    return page if contact.role == "supportee" else fields.get("letter_short_link") or fields.get("letter_link") or page


def _reader(contact: Contact, language: str, known_as: str) -> Reader:
    return Reader(language, contact.time_zone, contact.role, known_as)


def _house() -> House:
    programme = service.programme
    return House(programme.name, programme.sender_name, programme.write_to, service.public_url)


def _about(row: Doc) -> dict[str, Any]:
    return {"letter_id": row["_id"], "letter": row["letter"], "channel": row["channel"]}
