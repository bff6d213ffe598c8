"""The only SMTP: e-mails over connections that stay open between the messages of a burst."""

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, formataddr
from urllib.parse import unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

from services.notify.domain import Contact, Notification, Outcome
from services.notify.handlers import service
from services.notify.rendering import PAGES, Recipient, RenderedEmail, render_email
from shared.i18n import supported
from shared.settings import NotifySettings

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
FROM_A_MACHINE = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@dataclass(frozen=True)
class Timeouts:
    """In seconds. `final_reply`: after the final dot; a shorter one leads to duplicates (RFC 5321, 4.5.3.2.6: 10 minutes).
    `idle`: a connection that nobody used for so long is closed, before a server does it."""

    connect: float = 30
    reply: float = 60
    final_reply: float = 600
    idle: float = 60

    @property
    def longest_exchange(self) -> float:
        """Greeting, EHLO, STARTTLS, EHLO, AUTH and three commands, twice (a connection closed while idle), and the last reply."""
        return 2 * (self.connect + 8 * self.reply) + self.final_reply


class EmailSender:
    def __init__(self, settings: NotifySettings, timeouts: Timeouts | None = None) -> None:
        self._settings, self._smtp = settings, SmtpSender(settings.smtp_url, timeouts)
        self.longest_send = timedelta(seconds=self._smtp.timeouts.longest_exchange)

    def send(self, notification: Notification, contact: Contact, fields: Mapping[str, str]) -> Outcome:
        language, brand, address = supported(contact.language), service.brand, self._settings.mail_from
        recipient = Recipient(language, contact.time_zone, contact.role, fields.get("known_as", ""))
        context = {**notification.context, "link": _email_link(contact, fields)}
        headers = {
            "From": formataddr((brand.from_name, address)),
            "To": fields["email"],
            "Reply-To": self._settings.mail_reply_to,
            "Date": format_datetime(notification.created_at),
            "Message-ID": f"<{notification.id}@{address.rpartition('@')[2]}>",  # of this notification always the same
            "Content-Language": language,
        }
        return self._smtp.send(compose_email(render_email(notification.template, context, recipient, brand), headers))

    def close_idle(self) -> None:
        self._smtp.close_idle()

    def close(self) -> None:
        self._smtp.close()


def _email_link(contact: Contact, fields: Mapping[str, str]) -> str:
    own = fields.get("link", "") if contact.role == "supportee" else ""
    return fields.get("notification_link") or own or service.public_url + PAGES[contact.role]


def compose_email(rendered: RenderedEmail, headers: Mapping[str, str]) -> EmailMessage:
    """An e-mail that says the same thing twice, plainest first."""
    mail = EmailMessage(policy=SMTP)
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    for name, value in {**headers, "Subject": rendered.subject, **FROM_A_MACHINE}.items():
        mail[name] = value
    return mail


class UnexpectedReply(smtplib.SMTPResponseException):
    """The server did not say to this command what leads to delivery."""

    def __init__(self, command: str, code: int) -> None:
        super().__init__(code, f"{code} to {command}")


class CannotTakeAddress(smtplib.SMTPException):
    """The address needs SMTPUTF8, and the server does not offer it or refuses it. This says nothing about other messages."""


@dataclass(frozen=True)
class Envelope:
    """What a server is told. `options`: of the MAIL command."""

    from_address: str
    to: str
    options: tuple[str, ...]
    content: bytes


@dataclass
class _Idle:
    connection: smtplib.SMTP
    since: float


class SmtpSender:
    """Sends from many threads. A connection is used again only after a message was accepted on it; after any other answer it is
    closed, so that no message can suffer from the one before."""

    def __init__(self, url: str, timeouts: Timeouts | None = None) -> None:
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname or "localhost"
        self._port = parts.port or PORTS[parts.scheme]
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self.timeouts = timeouts or Timeouts()
        self._guard = threading.Lock()
        self._idle: list[_Idle] = []
        self._in_use: set[smtplib.SMTP] = set()

    def send(self, mail: EmailMessage) -> Outcome:
        envelope = envelope_of(mail)
        try:
            connection = self._begin(envelope)
        except CannotTakeAddress:
            return Outcome("refused", "the mail server cannot take this address (SMTPUTF8)")
        except OSError as error:  # also every error of smtplib; at MAIL the server takes nothing at all
            return Outcome("unavailable", _reason(error))
        accepted = False
        try:
            outcome = self._hand_over(connection, envelope)
            accepted = outcome.result == "accepted"
            return outcome
        finally:
            self._put_back(connection, usable=accepted)

    def close_idle(self) -> None:
        """Close what has been idle for too long."""
        with self._guard:
            old = [idle for idle in self._idle if time.monotonic() - idle.since > self.timeouts.idle]
            self._idle = [idle for idle in self._idle if idle not in old]
        for idle in old:
            _quit(idle.connection)

    def close(self) -> None:
        """Close every connection; a message that is just being sent counts as deferred."""
        with self._guard:
            idle, self._idle = self._idle, []
            for connection in self._in_use:
                _end_waiting(connection)
        for one in idle:
            _abort(one.connection)

    def _begin(self, envelope: Envelope) -> smtplib.SMTP:
        """A connection on which MAIL was accepted. One that the server closed while idle costs nothing: a new one is opened at
        once. Our own address is the same in every message: a refused one is a setting to correct."""
        idle = self._take_idle()
        if idle is not None:
            with suppress(OSError):
                return self._mail(idle, envelope)
        return self._mail(self._connect(), envelope)

    def _mail(self, connection: smtplib.SMTP, envelope: Envelope) -> smtplib.SMTP:
        with self._guard:
            self._in_use.add(connection)
        try:
            if envelope.options and not connection.has_extn("smtputf8"):
                raise CannotTakeAddress
            reply = connection.mail(envelope.from_address, envelope.options)
            if envelope.options and reply[0] >= 500:
                raise CannotTakeAddress
            _expect("MAIL", reply, 250)
        except BaseException:
            self._put_back(connection, usable=False)
            raise
        return connection

    def _hand_over(self, connection: smtplib.SMTP, envelope: Envelope) -> Outcome:
        try:
            _expect("RCPT", connection.rcpt(envelope.to), 250, 251, 252)
            _expect("DATA", connection.docmd("DATA"), 354)
            connection.send(envelope.content)
            _wait_at_most(connection, self.timeouts.final_reply)
            _expect("message", connection.getreply(), 250)
            _wait_at_most(connection, self.timeouts.reply)
        except OSError as error:  # when the connection is lost, the message may have arrived
            for_good = isinstance(error, UnexpectedReply) and error.smtp_code >= 500
            return Outcome("refused" if for_good else "deferred", _reason(error))
        return Outcome("accepted")

    def _take_idle(self) -> smtplib.SMTP | None:
        """The one used last, so that in quiet times one stays open and the others age."""
        self.close_idle()
        with self._guard:
            return self._idle.pop().connection if self._idle else None

    def _put_back(self, connection: smtplib.SMTP, *, usable: bool) -> None:
        with self._guard:
            self._in_use.discard(connection)
            if usable:
                self._idle.append(_Idle(connection, time.monotonic()))
        if not usable:
            _quit(connection)

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self.timeouts.connect, context=context)
        else:
            connection = smtplib.SMTP(self._host, self._port, timeout=self.timeouts.connect)
        try:
            _wait_at_most(connection, self.timeouts.reply)
            if self._scheme == "smtp+starttls":
                connection.starttls(context=context)
            if self._login:
                connection.login(*self._login)
            connection.ehlo_or_helo_if_needed()
        except BaseException:
            _abort(connection)
            raise
        return connection


def envelope_of(mail: EmailMessage) -> Envelope:
    to, utf8 = _ascii_if_possible(mail["To"].addresses[0].addr_spec)
    content = mail.as_bytes(policy=SMTPUTF8 if utf8 else SMTP).rstrip(b"\r\n")
    ended = re.sub(rb"(?m)^\.", b"..", content) + b"\r\n.\r\n"
    return Envelope(mail["From"].addresses[0].addr_spec, to, ("SMTPUTF8",) if utf8 else (), ended)


def _expect(command: str, reply: tuple[int, bytes], *codes: int) -> None:
    if reply[0] not in codes:
        raise UnexpectedReply(command, reply[0])


def _ascii_if_possible(address: str) -> tuple[str, bool]:
    """The address as it is sent, and whether it needs SMTPUTF8: any domain has an ASCII form, not every mailbox has one."""
    if address.isascii():
        return address, False
    with suppress(EmailNotValidError):
        ascii_form = validate_email(address, check_deliverability=False).ascii_email
        if ascii_form:
            return ascii_form, False
    return address, True


def _wait_at_most(connection: smtplib.SMTP, seconds: float) -> None:
    assert connection.sock is not None
    connection.sock.settimeout(seconds)


def _reason(error: OSError) -> str:
    """Never what it says: a server's answer may quote an address."""
    if isinstance(error, UnexpectedReply):
        return str(error.smtp_error)
    code = getattr(error, "smtp_code", None)
    cause = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) and error.__context__ else error
    return str(code) if isinstance(code, int) and code > 0 else type(cause).__name__


def _quit(connection: smtplib.SMTP) -> None:
    """Politely, but without waiting for the answer."""
    with suppress(OSError):
        connection.putcmd("quit")
    _abort(connection)


def _abort(connection: smtplib.SMTP) -> None:
    _end_waiting(connection)
    with suppress(OSError):
        connection.close()


def _end_waiting(connection: smtplib.SMTP) -> None:
    """A thread that waits for an answer, or is about to, gets an end of file. It closes the connection, nobody else."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
