"""The mail server of the demo: accepts every letter, delivers none, and keeps them in a Maildir to be looked at."""

import email
import email.policy
import itertools
import os
import time
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from deploy.demo.accepted import AcceptedLog
from shared.clock import now

NEWEST = 200


@dataclass(frozen=True)
class SeenLetter:
    id: str
    to: str
    sender: str
    reply_to: str
    subject: str
    at: datetime
    text: str
    html: str


class Mailbox:
    """An aiosmtpd handler. Files are named by the moment they came, so their names sort by age."""

    def __init__(self, folder: Path, accepted: AcceptedLog) -> None:
        self._folder, self._accepted, self._number = folder, accepted, itertools.count()
        for part in ("tmp", "new", "cur"):
            (folder / part).mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        for address in envelope.rcpt_tos:
            self._keep(address, envelope.content)
            self._accepted.note(address.lower(), "email")
        return "250 Message accepted for delivery"

    def letters(self) -> list[SeenLetter]:
        names = sorted((path.name for path in (self._folder / "new").iterdir()), reverse=True)
        return [letter for name in names[:NEWEST] if (letter := self.letter(name))]

    def letter(self, id: str) -> SeenLetter | None:
        path = self._folder / "new" / Path(id).name
        if not path.is_file():
            return None
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        return SeenLetter(
            id=path.name, to=parseaddr(str(mail["X-RcptTo"]))[1], sender=str(mail["From"]), reply_to=str(mail["Reply-To"] or ""),
            subject=str(mail["Subject"]), at=datetime.fromisoformat(str(mail["X-Received"])),
            text=_body(mail, "plain"), html=_body(mail, "html"),
        )  # fmt: skip

    def _keep(self, address: str, content: bytes) -> None:
        name = f"{time.time_ns()}.{os.getpid()}_{next(self._number)}.kitchen"
        heading = f"X-RcptTo: {address}\r\nX-Received: {now().isoformat()}\r\n".encode()
        (self._folder / "tmp" / name).write_bytes(heading + content)
        (self._folder / "tmp" / name).rename(self._folder / "new" / name)


def serve(mailbox: Mailbox, listen: str) -> Controller:
    host, _, port = listen.rpartition(":")
    server = Controller(mailbox, hostname=host, port=int(port), ready_timeout=15)
    server.start()
    return server


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else ""
