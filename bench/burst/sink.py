"""python -m bench.burst.sink PORT FILE: an SMTP server with PIPELINING that takes every e-mail and keeps a line of each.

The line (moment, address, Message-ID) is written just before the final 250: from then on the sender may forget the e-mail.
"""

import asyncio
import re
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}
MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*(\S+)")
END_OF_DATA = b"\r\n.\r\n"


class Session(asyncio.Protocol):
    def __init__(self, lines: BinaryIO) -> None:
        self._lines, self._unread, self._in_data = lines, b"", False
        self._to: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := END_OF_DATA if self._in_data else b"\r\n") in self._unread:
            part, _, self._unread = self._unread.partition(end)
            self._transport.write(self._take_content(part) if self._in_data else self._take_command(part))

    def _take_command(self, line: bytes) -> bytes:
        command = line[:4].upper()
        self._in_data = command == b"DATA"
        if command == b"RCPT":
            self._to.append(line.partition(b"<")[2].partition(b">")[0])
        elif command in (b"MAIL", b"RSET"):
            self._to = []
        elif command == b"QUIT":
            asyncio.get_running_loop().call_soon(self._transport.close)
        return ANSWERS.get(command, b"250 ok\r\n")

    def _take_content(self, content: bytes) -> bytes:
        found = MESSAGE_ID.search(content)
        for address in self._to:
            self._lines.write(b"%.6f\t%s\t%s\n" % (time.time(), address.lower(), found[1] if found else b""))
        self._in_data = False
        return b"250 accepted\r\n"


@dataclass(frozen=True)
class Letter:
    at: float
    message_id: str


class Letters:
    """What the sink has taken, by address. `read` adds what came since."""

    def __init__(self, file: Path) -> None:
        self._file, self._offset = file, 0
        self.by_address = defaultdict[str, list[Letter]](list)

    def read(self) -> int:
        """How many there are by now."""
        with self._file.open("rb") as lines:
            lines.seek(self._offset)
            whole = lines.read().rpartition(b"\n")[0]
        for line in whole.decode().splitlines():
            at, address, message_id = line.split("\t")
            self.by_address[address].append(Letter(float(at), message_id))
        self._offset += len(whole) + 1 if whole else 0
        return sum(map(len, self.by_address.values()))


async def main(port: int, file: Path) -> None:
    with file.open("ab", buffering=0) as lines:
        server = await asyncio.get_running_loop().create_server(lambda: Session(cast(BinaryIO, lines)), "127.0.0.1", port)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
