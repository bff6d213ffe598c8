"""Messages handed to one mail server, over connections that stay open between the messages of a burst."""

import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from urllib.parse import unquote, urlsplit

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


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


@dataclass(frozen=True)
class Mail:
    """`content`: lines that end with CRLF. One to an address beyond ASCII needs SMTPUTF8. Addresses are as shared.mime.Address
    takes them: no sign in them ends a command."""

    from_address: str
    to: str
    content: bytes

    @property
    def options(self) -> str:
        return "" if self.to.isascii() else " SMTPUTF8"

    @property
    def commands(self) -> Sequence[str]:
        return f"MAIL FROM:<{self.from_address}>{self.options}", f"RCPT TO:<{self.to}>", "DATA"


@dataclass(frozen=True)
class MailOutcome:
    """accepted; deferred: not this message now, or nobody knows; refused: this message never; unavailable: nothing was handed
    over, and the server takes nothing now, whatever the message."""

    result: Literal["accepted", "deferred", "refused", "unavailable"]
    reason: str = ""


class UnexpectedReply(smtplib.SMTPResponseException):
    """The server did not say to this command what leads to delivery."""

    def __init__(self, command: str, code: int) -> None:
        super().__init__(code, f"{code} to {command}")


class CannotTakeAddress(smtplib.SMTPException):
    """The address needs SMTPUTF8, and the server does not offer it or refuses it. This says nothing about other messages."""


@dataclass
class _Connection:
    smtp: smtplib.SMTP
    idle_since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class _Exchange:
    """A connection on which MAIL was accepted; `replies`: those to RCPT and DATA, still to be read."""

    smtp: smtplib.SMTP
    replies: Iterator[int]


class SmtpClient:
    """Sends from many threads. A connection is used again only after a message was accepted on it; after any other answer it is
    closed, so that no message can suffer from the one before."""

    def __init__(self, url: str, timeouts: Timeouts | None = None) -> None:
        parts = urlsplit(url)
        self._scheme, self._host = parts.scheme, parts.hostname or "localhost"
        self._port = parts.port or PORTS[parts.scheme]
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self.timeouts = timeouts or Timeouts()
        self._guard = threading.Lock()
        self._idle: list[_Connection] = []
        self._in_use: set[smtplib.SMTP] = set()

    def send(self, mail: Mail) -> MailOutcome:
        try:
            exchange = self._begin(mail)
        except CannotTakeAddress:
            return MailOutcome("refused", "the mail server cannot take this address (SMTPUTF8)")
        except OSError as error:  # also every error of smtplib; at MAIL the server takes nothing at all
            return MailOutcome("unavailable", _reason(error))
        accepted = False
        try:
            outcome = self._hand_over(exchange, mail.content)
            accepted = outcome.result == "accepted"
            return outcome
        finally:
            self._put_back(exchange.smtp, usable=accepted)

    def close_idle(self) -> None:
        """Close what has been idle for too long."""
        with self._guard:
            old = [one for one in self._idle if time.monotonic() - one.idle_since > self.timeouts.idle]
            self._idle = [one for one in self._idle if one not in old]
        for one in old:
            _quit(one.smtp)

    def close(self) -> None:
        """Close every connection; a message that is just being sent counts as deferred."""
        with self._guard:
            idle, self._idle = self._idle, []
            for smtp in self._in_use:
                _end_waiting(smtp)
        for one in idle:
            _abort(one.smtp)

    def _begin(self, mail: Mail) -> _Exchange:
        """One that the server closed while idle costs nothing: a new connection is opened at once. Our own address is the same
        in every message: a refused one is a setting to correct."""
        idle = self._take_idle()
        if idle is not None:
            with suppress(OSError):
                return self._mail(idle, mail)
        return self._mail(self._connect(), mail)

    def _mail(self, smtp: smtplib.SMTP, mail: Mail) -> _Exchange:
        with self._guard:
            self._in_use.add(smtp)
        try:
            if mail.options and not smtp.has_extn("smtputf8"):
                raise CannotTakeAddress
            replies = _replies(smtp, mail.commands)
            code = next(replies)
            if mail.options and code >= 500:
                raise CannotTakeAddress
            _expect("MAIL", code, 250)
        except BaseException:
            self._put_back(smtp, usable=False)
            raise
        return _Exchange(smtp, replies)

    def _hand_over(self, exchange: _Exchange, content: bytes) -> MailOutcome:
        smtp = exchange.smtp
        try:
            _expect_recipient(exchange)
            _expect("DATA", next(exchange.replies), 354)
            smtp.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            _wait_at_most(smtp, self.timeouts.final_reply)
            _expect("message", smtp.getreply()[0], 250)
            _wait_at_most(smtp, self.timeouts.reply)
        except OSError as error:  # when the connection is lost, the message may have arrived
            for_good = isinstance(error, UnexpectedReply) and error.smtp_code >= 500
            return MailOutcome("refused" if for_good else "deferred", _reason(error))
        return MailOutcome("accepted")

    def _take_idle(self) -> smtplib.SMTP | None:
        """The one used last, so that in quiet times one stays open and the others age."""
        self.close_idle()
        with self._guard:
            return self._idle.pop().smtp if self._idle else None

    def _put_back(self, smtp: smtplib.SMTP, *, usable: bool) -> None:
        with self._guard:
            self._in_use.discard(smtp)
            if usable:
                self._idle.append(_Connection(smtp))
        if not usable:
            _quit(smtp)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """It reads all certificates of the machine: once, and only where TLS is spoken."""
        return ssl.create_default_context()

    def _connect(self) -> smtplib.SMTP:
        if self._scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=self.timeouts.connect, context=self._tls)
        else:
            smtp = smtplib.SMTP(self._host, self._port, timeout=self.timeouts.connect)
        try:
            _wait_at_most(smtp, self.timeouts.reply)
            if self._scheme == "smtp+starttls":
                smtp.starttls(context=self._tls)
            if self._login:
                smtp.login(*self._login)
            smtp.ehlo_or_helo_if_needed()
        except BaseException:
            _abort(smtp)
            raise
        return smtp


def _replies(smtp: smtplib.SMTP, commands: Sequence[str]) -> Iterator[int]:
    """The code of the reply to each command. Where the server offers PIPELINING (RFC 2920), all leave in one write."""
    together = smtp.has_extn("pipelining")
    if together:
        smtp.send("".join(f"{command}\r\n" for command in commands).encode())
    for command in commands:
        if not together:
            smtp.send(f"{command}\r\n".encode())
        yield smtp.getreply()[0]


def _expect_recipient(exchange: _Exchange) -> None:
    try:
        _expect("RCPT", next(exchange.replies), 250, 251, 252)
    except UnexpectedReply:
        if exchange.smtp.has_extn("pipelining"):
            _end_empty_message(exchange)
        raise


def _end_empty_message(exchange: _Exchange) -> None:
    """A server that refused the recipient may still have answered DATA with 354: then it waits for a message."""
    with suppress(OSError):
        if next(exchange.replies) == 354:
            exchange.smtp.send(b".\r\n")


def _expect(command: str, code: int, *codes: int) -> None:
    if code not in codes:
        raise UnexpectedReply(command, code)


def _wait_at_most(smtp: smtplib.SMTP, seconds: float) -> None:
    assert smtp.sock is not None
    smtp.sock.settimeout(seconds)


def _reason(error: OSError) -> str:
    """Never what it says: a server's answer may quote an address."""
    if isinstance(error, UnexpectedReply):
        return str(error.smtp_error)
    code = getattr(error, "smtp_code", None)
    cause = error.__context__ if isinstance(error, smtplib.SMTPServerDisconnected) and error.__context__ else error
    return str(code) if isinstance(code, int) and code > 0 else type(cause).__name__


def _quit(smtp: smtplib.SMTP) -> None:
    """Politely, but without waiting for the answer."""
    with suppress(OSError):
        smtp.putcmd("quit")
    _abort(smtp)


def _abort(smtp: smtplib.SMTP) -> None:
    _end_waiting(smtp)
    with suppress(OSError):
        smtp.close()


def _end_waiting(smtp: smtplib.SMTP) -> None:
    """A thread that waits for an answer, or is about to, gets an end of file. It closes the connection, nobody else."""
    sock = smtp.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
