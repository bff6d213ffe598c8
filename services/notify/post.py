"""The only SMTP: letters by mail, over connections that stay open."""

import queue
import smtplib
import ssl
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from urllib.parse import unquote, urlsplit

from services.notify.letters import Letter
from services.notify.rules import Outcome

SECONDS_TO_WAIT = 20
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def envelope(letter: Letter, *, letter_id: str, to: str, sender: str, sender_name: str, reply_to: str, language: str,
             moment: datetime) -> EmailMessage:  # fmt: skip
    """A mail that says the same thing twice, plainest first. The same letter always has the same Message-ID."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr((sender_name, sender))
    mail["To"] = to
    mail["Reply-To"] = reply_to
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(moment)
    mail["Message-ID"] = f"<{letter_id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    mail["Content-Language"] = language  # last: set_content takes away every Content- field that was there before
    return mail


class Post:
    """Connections are taken from the top of a pile, so that a quiet house keeps one warm instead of opening many."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname or "localhost"
        self._port = parts.port or PORTS[parts.scheme]
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._open: queue.LifoQueue[smtplib.SMTP] = queue.LifoQueue()

    def send(self, mail: EmailMessage) -> Outcome:
        try:
            connection, fresh = self._take()
        except (OSError, smtplib.SMTPException) as error:
            return Outcome("away", type(error).__name__)
        outcome = self._try(connection, mail)
        if outcome is None and not fresh:  # the server had closed it while it lay idle; nothing was handed over
            return self._send_on_a_new_one(mail)
        return outcome or Outcome("away", "closed")

    def _send_on_a_new_one(self, mail: EmailMessage) -> Outcome:
        try:
            return self._try(self._connect(), mail) or Outcome("away", "closed")
        except (OSError, smtplib.SMTPException) as error:
            return Outcome("away", type(error).__name__)

    def _try(self, connection: smtplib.SMTP, mail: EmailMessage) -> Outcome | None:
        """None when the connection turned out to be closed before anything was handed over."""
        try:
            code = _hand_over(connection, mail)
        except smtplib.SMTPResponseException as error:
            code = error.smtp_code
        except UnicodeError:
            code = 553
        except OSError as error:  # gone in the middle: it may have arrived, the Message-ID stays the same
            _close(connection)
            return Outcome("later", type(error).__name__)
        if code in (None, 421):
            _close(connection)
            return None if code is None else Outcome("later", "421")
        self._open.put(connection)
        return _outcome(code or 0)

    def close(self) -> None:
        with suppress(queue.Empty):
            while True:
                _close(self._open.get_nowait())

    def _take(self) -> tuple[smtplib.SMTP, bool]:
        try:
            return self._open.get_nowait(), False
        except queue.Empty:
            return self._connect(), True

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS_TO_WAIT, context=context)
        else:
            connection = smtplib.SMTP(self._host, self._port, timeout=SECONDS_TO_WAIT)
        try:
            if self._scheme == "smtp+starttls":
                connection.starttls(context=context)
            if self._login:
                connection.login(*self._login)
            connection.ehlo_or_helo_if_needed()
        except BaseException:
            _close(connection)
            raise
        return connection


def _hand_over(connection: smtplib.SMTP, mail: EmailMessage) -> int | None:
    """The server's last word, or None when the connection was already closed."""
    try:
        code, _ = connection.mail(_address(mail["From"]))
    except (smtplib.SMTPServerDisconnected, ConnectionError):
        return None
    if code == 250:
        code, _ = connection.rcpt(_address(mail["To"]))
    if code in (250, 251):
        code, _ = connection.data(mail.as_bytes())
    if code not in (250, 421):
        with suppress(OSError):
            connection.rset()
    return code


def _outcome(code: int) -> Outcome:
    if code == 250:
        return Outcome("accepted")
    return Outcome("refused" if 500 <= code <= 599 else "later", str(code))


def _address(header: object) -> str:
    return str(header.addresses[0].addr_spec)  # type: ignore[attr-defined]


def _close(connection: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        connection.close()
