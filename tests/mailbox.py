"""A real SMTP server (aiosmtpd) on a free port, which can also be told to be difficult.

with a_mailbox() as mailbox:
    mailbox.url                                   # for SMTP_URL
    mailbox.wait_for("ana@example.org")           # the letters that came, parsed
    mailbox.answer["rcpt"] = "451 later"          # what to say next to rcpt, mail or data; `del` to be kind again
    mailbox.hang_up_after_data = 1                # take the letter and drop the line before the 250, once
"""

import email
import email.policy
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
    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.came_at: list[float] = []
        self.connections = 0
        self.answer: dict[str, str] = {}
        self.hang_up_after_data = 0
        self._news = threading.Condition()
        self._controller: Controller

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    def start(self, port: int = 0) -> None:
        self._controller = _Controller(self, hostname="127.0.0.1", port=port or _free_port(), ready_timeout=10)
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop(no_assert=True)

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in list(self.letters) if parseaddr(str(letter["To"]))[1] == address]

    def wait_for(self, address: str, count: int = 1, seconds: float = 10) -> list[EmailMessage]:
        with self._news:
            self._news.wait_for(lambda: len(self.to(address)) >= count, seconds)
        assert len(self.to(address)) >= count, f"{len(self.to(address))} of {count} letters came"
        return self.to(address)

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return self.answer.get("mail", "250 OK")

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if "rcpt" in self.answer:
            return self.answer["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if "data" in self.answer:
            return self.answer["data"]
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        with self._news:
            self.letters.append(letter)
            self.came_at.append(time.time())
            self._news.notify_all()
        if self.hang_up_after_data:
            self.hang_up_after_data -= 1
            assert server.transport
            server.transport.abort()
        return "250 OK"


class _Controller(Controller):
    def factory(self) -> SMTP:
        self.handler.connections += 1
        return super().factory()


@contextmanager
def a_mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    mailbox.start()
    try:
        yield mailbox
    finally:
        mailbox.stop()


def words_of(letter: EmailMessage, kind: str = "plain") -> str:
    part = letter.get_body((kind,))
    assert part
    return str(part.get_content())


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])
