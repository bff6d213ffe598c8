"""People who press Send, over HTTP/1.1: so many a second, or as fast as so many clients are answered."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

ACCEPTED = 303
MOST_PRESSES = 20
PATH = "/ask/check"


@dataclass(frozen=True)
class Visitor:
    """Somebody at `Check your answers`. Two letters come of it: the offer to `practitioner`, the receipt to `supportee`."""

    practitioner: str
    headers: str
    body: str

    @property
    def supportee(self) -> str:
        return supportee_of(self.practitioner)

    @property
    def request(self) -> bytes:
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(self.body)}\r\n"
        return f"{head}Content-Type: application/x-www-form-urlencoded\r\n{self.headers}\r\n{self.body}".encode()


@dataclass(frozen=True)
class Press:
    """Moments in seconds since 1970: just before the first POST, and when the last one was answered."""

    visitor: Visitor
    began: float
    answered: float
    status: int


def supportee_of(practitioner: str) -> str:
    return f"from-{practitioner}"


class Client:
    """One connection, kept open while it works."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def press(self, visitor: Visitor) -> Press:
        """Whoever gets no answer presses once more, as a person would: the product must take that for the same request."""
        began = time.time()
        for _ in range(MOST_PRESSES):
            status = await self._post(visitor)
            if status:
                break
            await asyncio.sleep(0.1)
        return Press(visitor, began, time.time(), status)

    async def _post(self, visitor: Visitor) -> int:
        """HTTP status; 0 when the connection broke."""
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writer.write(visitor.request)
            return await self._answer()
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return 0

    async def _answer(self) -> int:
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).lower().strip().split(b"\r\n")
        headers = {name: value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        await self._reader.readexactly(int(headers.get(b"content-length", 0)))
        if headers.get(b"connection") == b"close":
            self.close()
        return int(status.split()[1])

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


async def so_many_a_second(port: int, visitors: Sequence[Visitor], rate: float) -> list[Press]:
    """Each on a connection of its own, at a random moment of its turn, whether the others were answered or not."""
    spread, begin = random.Random(1), time.time()
    turns = [begin + (number + spread.random()) / rate for number in range(len(visitors))]

    async def one(visitor: Visitor, at: float) -> Press:
        await asyncio.sleep(at - time.time())
        client = Client(port)
        press = await client.press(visitor)
        client.close()
        return press

    return list(await asyncio.gather(*map(one, visitors, turns)))


async def as_fast_as_answered(port: int, visitors: Sequence[Visitor], clients: int) -> list[Press]:
    waiting, presses = iter(visitors), list[Press]()

    async def work() -> None:
        client = Client(port)
        for visitor in waiting:
            presses.append(await client.press(visitor))
        client.close()

    await asyncio.gather(*(work() for _ in range(clients)))
    return presses
