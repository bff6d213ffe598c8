"""A real SMTP server (aiosmtpd) on a free port, which can be as unkind as those of the world.

with a_mailbox() as mailbox:
    mailbox.url                                    # for SMTP_URL
    mailbox.wait_for("ana@example.org")            # the e-mails that came, parsed
    mailbox.answer["RCPT"] = "451 later"           # what to say to MAIL, RCPT, DATA, or to the message after its final dot
    mailbox.greylist("ana@example.org", "DATA")    # 451 to this command, once for each recipient that is asked for
    mailbox.asks_for_mail_to_nobody = True         # 354 to DATA even when every recipient was refused
    mailbox.hang_up_after_message = 1              # take the message and drop the connection before the 250, once
    mailbox.hold()                                 # take messages and say nothing until let_go()
    mailbox.close_connections("421 idle too long") # what a server does with idle connections
"""

import asyncio
import email
import email.policy
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Mailbox:
    """`extensions`: what it offers beside the plainest SMTP, of 8BITMIME, SMTPUTF8, PIPELINING."""

    def __init__(self, extensions: tuple[str, ...] = ("8BITMIME", "PIPELINING")) -> None:
        self.extensions = extensions
        self.emails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.came_at: list[float] = []
        self.commands: list[str] = []
        self.mail_to_nobody: list[bytes] = []
        self.connections = 0
        self.answer: dict[str, str] = {}
        self.asks_for_mail_to_nobody = False
        self.hang_up_after_message = 0
        self._greylisted: dict[str, str] = {}
        self._held = threading.Event()
        self._let_go = threading.Event()
        self._let_go.set()
        self._arrived = threading.Condition()
        self._servers: list[SMTP] = []
        self._controller: Controller

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @property
    def open_connections(self) -> int:
        return sum(server.transport is not None and not server.transport.is_closing() for server in self._servers)

    def start(self, port: int = 0) -> None:
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=port or _free_port(), ready_timeout=10, enable_SMTPUTF8="SMTPUTF8" in self.extensions
        )
        self._controller.start()
        self.connections = 0  # the controller has looked whether its port answers

    def stop(self) -> None:
        self.let_go()
        self._controller.stop(no_assert=True)

    def to(self, address: str) -> list[EmailMessage]:
        return [one for one in list(self.emails) if parseaddr(str(one["To"]))[1] == address]

    def wait_for(self, address: str, count: int = 1, seconds: float = 20) -> list[EmailMessage]:
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.to(address)) >= count, seconds)
        assert len(self.to(address)) >= count, f"{len(self.to(address))} of {count} e-mails came"
        return self.to(address)

    def greylist(self, address: str, command: str) -> None:
        self._greylisted[address] = command

    def hold(self) -> None:
        self._held.clear()
        self._let_go.clear()

    def wait_until_held(self) -> None:
        assert self._held.wait(20)

    def let_go(self) -> None:
        self._let_go.set()

    def close_connections(self, farewell: str = "") -> None:
        """Returns when they are closed."""
        done = threading.Event()

        def close() -> None:
            for server in self._servers:
                if server.transport is not None and not server.transport.is_closing():
                    server.transport.write(f"{farewell}\r\n".encode() if farewell else b"")
                    server.transport.close()
            self._servers.clear()
            done.set()

        self._controller.loop.call_soon_threadsafe(close)
        assert done.wait(10)

    def refusal(self, command: str, recipient: str) -> str | None:
        if self._greylisted.get(recipient) == command:
            del self._greylisted[recipient]
            return "451 4.7.1 greylisted, try again later"
        return self.answer.get(command)

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, hostname: str, responses: list[str]) -> list[str]:
        session.host_name = hostname
        others = [line for line in responses if "8BITMIME" not in line]
        last = others.pop()
        return others + [f"250-{name}" for name in self.extensions if name != "SMTPUTF8"] + [last]

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        self.commands.append(" ".join(["MAIL", *options]))
        refusal = self.refusal("MAIL", "")
        if refusal is None:
            envelope.mail_from = address
        return refusal or "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        refusal = self.refusal("RCPT", address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        refusal = self.refusal("message", envelope.rcpt_tos[0])
        if refusal:
            return refusal
        self._keep(envelope.content)
        if self.hang_up_after_message:
            self.hang_up_after_message -= 1
            assert server.transport
            server.transport.abort()
        self._held.set()
        while not self._let_go.is_set():
            await asyncio.sleep(0.02)
        return "250 OK"

    def _keep(self, content: bytes) -> None:
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        with self._arrived:
            self.raw.append(content)
            self.emails.append(parsed)
            self.came_at.append(time.time())
            self._arrived.notify_all()


class _Server(SMTP):
    async def smtp_DATA(self, arg: str) -> None:
        mailbox: Mailbox = self.event_handler
        recipients = self.envelope.rcpt_tos if self.envelope else []
        if not recipients and mailbox.asks_for_mail_to_nobody:
            await self._read_mail_to_nobody()
            return
        refusal = mailbox.refusal("DATA", recipients[0]) if recipients else None
        if refusal:  # the mail transaction stays open, as RFC 5321 has it
            await self.push(refusal)
        else:
            await super().smtp_DATA(arg)

    async def _read_mail_to_nobody(self) -> None:
        mailbox: Mailbox = self.event_handler
        await self.push("354 go on")
        lines = []
        while (line := await self._reader.readline()) not in (b".\r\n", b""):
            lines.append(line)
        mailbox.mail_to_nobody.append(b"".join(lines) if line else b"not ended")
        await self.push("554 no valid recipients")


class _Controller(Controller):
    def factory(self) -> SMTP:
        server = _Server(self.handler, **self.SMTP_kwargs)
        self.handler.connections += 1
        self.handler._servers.append(server)
        return server


@contextmanager
def a_mailbox(*extensions: str) -> Iterator[Mailbox]:
    mailbox = Mailbox(extensions) if extensions else Mailbox()
    mailbox.start()
    try:
        yield mailbox
    finally:
        mailbox.stop()


def words_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part
    return str(part.get_content())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])
