"""The only SMTP: e-mails over connections that stay open between the messages of a burst."""

import re
import smtplib
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, formataddr
from urllib.parse import unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

from services.notify.domain import Contact, Notification, Outcome, Result
from services.notify.handlers import service
from services.notify.rendering import PAGES, Recipient, RenderedEmail, render_email
from shared.i18n import supported
from shared.settings import NotifySettings

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
SERVICE_UNAVAILABLE = 421  # and the server closes the connection; in the middle of a session too (RFC 5321, 3.8)
EXPECTED = {"MAIL": (250,), "RCPT": (250, 251, 252), "DATA": (354,)}


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

    def send(self, notification: Notification, contact: Contact, fields: Mapping[str, str]) -> Result:
        language, sender = supported(contact.language), service.sender
        context = {**notification.context, "link": _email_link(contact, fields)}
        recipient = Recipient(language, contact.time_zone, contact.role, fields.get("known_as", ""))
        mail = compose_email(
            render_email(notification.template, context, recipient, sender),
            notification_id=notification.id,
            to=fields["email"],
            sender=self._settings.mail_from,
            sender_name=sender.from_name,
            reply_to=self._settings.mail_reply_to,
            language=language,
            moment=notification.created_at,
        )
        return self._smtp.send(mail)

    def close_idle(self) -> None:
        self._smtp.close_idle()

    def close(self) -> None:
        self._smtp.close()


def _email_link(contact: Contact, fields: Mapping[str, str]) -> str:
    own = fields.get("link", "") if contact.role == "supportee" else ""
    return fields.get("letter_link") or own or service.public_url + PAGES[contact.role]


def compose_email(
    rendered: RenderedEmail,
    *,
    notification_id: str,
    to: str,
    sender: str,
    sender_name: str,
    reply_to: str,
    language: str,
    moment: datetime,
) -> EmailMessage:
    """An e-mail that says the same thing twice, plainest first. The same notification always has the same Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr((sender_name, sender))
    mail["To"] = to
    mail["Reply-To"] = reply_to
    mail["Subject"] = rendered.subject
    mail["Date"] = format_datetime(moment)
    mail["Message-ID"] = f"<{notification_id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = language  # last: set_content takes away every Content- field that was there before
    return mail


class ConnectionLost(Exception):
    """The server ended the connection (421, or a closed socket) before the message was handed over."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(reason)
        self.command, self.reason = command, reason


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
        idle = self._take_idle()
        if idle is not None:
            with suppress(ConnectionLost):  # closed while it was idle: nothing was handed over, a new one is opened at once
                return self._send_over(idle, mail)
        try:
            connection = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            return Outcome("unavailable", _reason(error))
        try:
            return self._send_over(connection, mail)
        except ConnectionLost as lost:
            # At MAIL the server takes nothing at all; later it may be this message.
            return Outcome("unavailable" if lost.command == "MAIL" else "deferred", lost.reason)

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
            connections = [*(idle.connection for idle in self._idle), *self._in_use]
            self._idle.clear()
        for connection in connections:
            _abort(connection)

    def _send_over(self, connection: smtplib.SMTP, mail: EmailMessage) -> Outcome:
        with self._guard:
            self._in_use.add(connection)
        outcome = None
        try:
            outcome = _hand_over(connection, mail, self.timeouts)
            return outcome
        finally:
            self._put_back(connection, usable=outcome is not None and outcome.result == "accepted")

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


def _hand_over(connection: smtplib.SMTP, mail: EmailMessage, timeouts: Timeouts) -> Outcome:
    """Raises ConnectionLost while nothing was handed over. Afterwards a lost connection means: deferred, it may have arrived."""
    to, utf8 = _ascii_if_possible(str(mail["To"].addresses[0].addr_spec))
    if utf8 and not connection.has_extn("smtputf8"):
        return Outcome("refused", "the mail server cannot take this address (SMTPUTF8)")
    sender, content = str(mail["From"].addresses[0].addr_spec), mail.as_bytes(policy=SMTPUTF8 if utf8 else SMTP)
    steps: dict[str, Callable[[], int]] = {
        "MAIL": lambda: connection.mail(sender, ("SMTPUTF8",) if utf8 else ())[0],
        "RCPT": lambda: connection.rcpt(to)[0],
        "DATA": lambda: connection.docmd("DATA")[0],
    }
    for command, ask in steps.items():
        code = _answer(command, ask)
        if code not in EXPECTED[command]:
            return _outcome(command, code)
    try:
        return _outcome("message", _send_content(connection, content, timeouts))
    except (OSError, smtplib.SMTPException) as error:
        return Outcome("deferred", _reason(error))


def _answer(command: str, ask: Callable[[], int]) -> int:
    try:
        code = ask()
    except (OSError, smtplib.SMTPException) as error:
        raise ConnectionLost(command, _reason(error)) from error
    if code == SERVICE_UNAVAILABLE:
        raise ConnectionLost(command, str(code))
    return code


def _send_content(connection: smtplib.SMTP, content: bytes, timeouts: Timeouts) -> int:
    connection.send(re.sub(rb"(?m)^\.", b"..", content) + (b"" if content.endswith(b"\r\n") else b"\r\n") + b".\r\n")
    _wait_at_most(connection, timeouts.final_reply)
    code = connection.getreply()[0]
    _wait_at_most(connection, timeouts.reply)
    return code


def _outcome(command: str, code: int) -> Outcome:
    if code == 250:
        return Outcome("accepted")
    reason = f"{code} to {command}"
    if code < 500:
        return Outcome("deferred", reason)
    # The sender's address is ours and the same for every message: a refused one is a setting to correct, not a lost message.
    return Outcome("unavailable" if command == "MAIL" else "refused", reason)


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


def _reason(error: BaseException) -> str:
    """Never what it says: a server's answer may quote an address."""
    code = getattr(error, "smtp_code", None)
    cause = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) and error.__context__ else error
    return str(code) if isinstance(code, int) and code > 0 else type(cause).__name__


def _quit(connection: smtplib.SMTP) -> None:
    """Politely, but without waiting for the answer."""
    with suppress(OSError, smtplib.SMTPException):
        connection.putcmd("quit")
    _abort(connection)


def _abort(connection: smtplib.SMTP) -> None:
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(2)  # wakes a thread that waits for an answer
    with suppress(OSError, smtplib.SMTPException):
        connection.close()
