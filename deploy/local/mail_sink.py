"""A mail server that accepts every e-mail, delivers none, and keeps them in a Maildir to be looked at."""

import email
import email.policy
import itertools
import time
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal, TypedDict

from aiosmtpd.controller import Controller

from shared.clock import now

NEWEST = 200


class Accepted(TypedDict):
    """`at`: seconds since 1970 by the machine's clock, wherever `shared.clock` was moved."""

    to: str
    channel: Literal["email", "text"]
    at: float


@dataclass(frozen=True)
class ReceivedEmail:
    id: str
    to: str
    sender: str
    reply_to: str
    subject: str
    at: datetime
    text: str
    html: str


class MailSink:
    """An aiosmtpd handler."""

    def __init__(self, folder: Path, accepted: list[Accepted]) -> None:
        self.folder, self._accepted, self._numbers = folder, accepted, itertools.count()
        for part in ("tmp", "new", "cur"):
            (folder / part).mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        for address in envelope.rcpt_tos:
            self._keep(address, envelope.content)
            self._accepted.append({"to": address.lower(), "channel": "email", "at": time.time()})
        return "250 Message accepted for delivery"

    def _keep(self, address: str, content: bytes) -> None:
        name = f"{time.time_ns()}.{next(self._numbers)}.kitchen"  # names sort by age
        heading = f"X-RcptTo: {address}\r\nX-Received: {now().isoformat()}\r\n".encode()
        (self.folder / "tmp" / name).write_bytes(heading + content)
        (self.folder / "tmp" / name).rename(self.folder / "new" / name)


def newest_emails(folder: Path) -> list[ReceivedEmail]:
    names = sorted((path.name for path in (folder / "new").iterdir()), reverse=True)
    return [received for name in names[:NEWEST] if (received := read_email(folder, name))]


def read_email(folder: Path, id: str) -> ReceivedEmail | None:
    path = folder / "new" / Path(id).name
    if not path.is_file():
        return None
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    to, subject, came = str(mail["X-RcptTo"]), str(mail["Subject"]), datetime.fromisoformat(str(mail["X-Received"]))
    sender, reply_to = str(mail["From"]), str(mail["Reply-To"] or "")
    return ReceivedEmail(path.name, to, sender, reply_to, subject, came, _body(mail, "plain"), _body(mail, "html"))


def serve(sink: MailSink, listen: str) -> Controller:
    host, _, port = listen.rpartition(":")
    server = Controller(sink, hostname=host, port=int(port), ready_timeout=15)
    server.start()
    return server


def _body(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return str(part.get_content()) if part else ""
