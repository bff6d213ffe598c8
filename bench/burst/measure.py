"""Two phases for a system: so many requests a second, and a burst. Every letter is waited for and counted."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice

from bench.burst import load
from bench.burst.counters import Amounts, Counters, Memory, each_request, each_second
from bench.burst.load import Press, Visitor
from bench.burst.sink import Letter, Letters
from bench.burst.systems import System

WARM_UP = 60
SECONDS_IDLE = 4
SECONDS_FOR_MARKS = 1.0  # what is written down after a letter was sent
SECONDS_TO_SETTLE = 2  # for what preparing left to do, and for letters that come twice
PressSend = Callable[[Sequence[Visitor]], Coroutine[None, None, list[Press]]]


@dataclass(frozen=True)
class Size:
    """`quiet`: letters are missing when none came for so many seconds."""

    requests: int
    clients: int
    rate: float
    seconds: float
    quiet: float


@dataclass(frozen=True)
class Phase:
    """`cpu`: milliseconds for each request, by process. `database`: for each request."""

    presses: Sequence[Press]
    letters: Mapping[str, list[Letter]]
    cpu: Amounts
    database: Amounts

    def letters_of(self, visitor: Visitor) -> list[list[Letter]]:
        return [self.letters.get(address, []) for address in (visitor.practitioner, visitor.supportee)]

    @property
    def complete(self) -> list[Press]:
        return [press for press in self.presses if all(self.letters_of(press.visitor))]

    @property
    def not_accepted(self) -> int:
        return sum(press.status != load.ACCEPTED for press in self.presses)

    @property
    def missing(self) -> int:
        return sum(not letters for press in self.presses for letters in self.letters_of(press.visitor))

    @property
    def repeated(self) -> list[list[Letter]]:
        return [letters for press in self.presses for letters in self.letters_of(press.visitor) if len(letters) > 1]

    @property
    def seconds(self) -> float:
        """From the first Send to the last letter."""
        first = min(press.began for press in self.presses)
        return max(letters[0].at for press in self.complete for letters in self.letters_of(press.visitor)) - first

    @property
    def milliseconds_to_offer(self) -> list[float]:
        return sorted(1000 * (self.letters_of(press.visitor)[0][0].at - press.began) for press in self.complete)


@dataclass(frozen=True)
class Run:
    name: str
    paced: Phase
    burst: Phase
    memory: Mapping[str, Memory]


class Measurement:
    """`warm_up` first; then `run` as often as `rounds` says. `size`: of one round."""

    def __init__(self, system: System, counters: Counters, letters: Letters, size: Size, rounds: int) -> None:
        self._system, self._counters, self._letters, self._size = system, counters, letters, size
        self._idle: Amounts = {}
        self._visitors = iter(self._prepare(WARM_UP + rounds * (self._in_a_paced_phase + size.requests)))

    def warm_up(self) -> None:
        time.sleep(SECONDS_TO_SETTLE)
        self._burst(WARM_UP)
        self._idle = self._measure_idle()

    def run(self, during_burst: AbstractContextManager[object]) -> Run:
        port, rate = self._system.port, self._size.rate
        paced = self._phase(self._next(self._in_a_paced_phase), lambda some: load.so_many_a_second(port, some, rate))
        with during_burst:
            burst = self._burst(self._size.requests)
        memory = self._counters.memory()
        time.sleep(SECONDS_TO_SETTLE)
        self._letters.read()
        return Run(self._system.name, paced, burst, memory)

    @property
    def _in_a_paced_phase(self) -> int:
        return int(self._size.rate * self._size.seconds)

    def _prepare(self, count: int) -> list[Visitor]:
        return self._system.prepare([f"{self._system.name}-{number}@load.example" for number in range(count)])

    def _next(self, count: int) -> list[Visitor]:
        return list(islice(self._visitors, count))

    def _burst(self, count: int) -> Phase:
        port, clients = self._system.port, self._size.clients
        return self._phase(self._next(count), lambda some: load.as_fast_as_answered(port, some, clients))

    def _measure_idle(self) -> Amounts:
        before = self._counters.read()
        time.sleep(SECONDS_IDLE)
        return each_second(before, self._counters.read())

    def _phase(self, visitors: Sequence[Visitor], press_send: PressSend) -> Phase:
        begin = self._counters.read()
        presses = asyncio.run(press_send(visitors))
        self._wait_for_letters(visitors)
        time.sleep(SECONDS_FOR_MARKS)
        cpu, database = each_request(begin, self._counters.read(), len(visitors), self._idle)
        return Phase(presses, self._letters.by_address, cpu, database)

    def _wait_for_letters(self, visitors: Sequence[Visitor]) -> None:
        """Until there is one for each address, or none came for a while."""
        missing, since = (
            {address for visitor in visitors for address in (visitor.practitioner, visitor.supportee)},
            time.monotonic(),
        )
        while missing and time.monotonic() - since < self._size.quiet:
            time.sleep(0.1)
            self._letters.read()
            still = missing - self._letters.by_address.keys()
            if still != missing:
                missing, since = still, time.monotonic()
