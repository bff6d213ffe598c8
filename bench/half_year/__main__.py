"""make half-year: 26 weeks on real servers, of people who answer, forget, change their mind, end, leave and come back at random.

N (150) requests by people of their own, SEED (1). The clock moves half a week at a time; every timer runs, every event and every
notification arrives; then whoever happens to does something. After each week the invariants are checked (invariants.py). The last
line is `half-year: N requests, 0 broken`; otherwise each finding, with the week.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random

from rich.console import Console

from bench.half_year.invariants import broken
from bench.half_year.pages import Browser
from bench.half_year.people import Coordinator, Practitioner, Supportee, bring_in
from bench.half_year.world import World, a_world

N, SEED, WEEKS = int(os.environ.get("N") or 150), os.environ.get("SEED") or "1", int(os.environ.get("WEEKS") or 26)
WEEKS_OF_ASKING = 16
WEEKS_BETWEEN_LINES = 4
HALVES = (timedelta(days=3), timedelta(days=4))
AT_ONCE = 4
console = Console(stderr=True, soft_wrap=True)


class HalfYear:
    def __init__(self, world: World) -> None:
        self.world, self.random, self.trouble = world, Random(SEED), list[str]()
        self.practitioners = [
            Practitioner(number, world, self._browser(number), Random(f"{SEED}/p{number}")) for number in range(max(8, N // 4))
        ]
        self.supportees = [
            Supportee(number, world, self._browser(1000 + number), Random(f"{SEED}/s{number}")) for number in range(N)
        ]
        self.coordinator = Coordinator(world, self._browser(5000), Random(f"{SEED}/c"))

    def _browser(self, number: int) -> Browser:
        return Browser(self.world.url, f"127.{1 + number // 250}.0.{1 + number % 250}", self.trouble)

    def begin(self) -> None:
        bring_in(self.world, self.practitioners, self.coordinator, self.random)
        self.world.settle()

    def week(self, number: int) -> list[str]:
        for half in HALVES:
            self.world.advance(half)
            self._ask(number)
            self._live()
            self.world.settle()
        return broken(self.world, self.supportees)

    def so_far(self) -> str:
        """How many requests stand how."""
        matching = self.world.services["matching"].db
        states = Counter(row["state"] for row in matching.requests.find({}, {"state": 1}))
        states["with an hour"] = matching.meetings.count_documents({"series": {"$exists": True}, "ended_at": {"$exists": False}})
        asked = sum(one.asked_at is not None for one in self.supportees)
        return ", ".join([f"{asked} asked so far", *(f"{number} {state}" for state, number in sorted(states.items()))])

    def _ask(self, week: int) -> None:
        """All have asked some weeks before the end, so that everybody's waiting, or pair, has time to go wrong."""
        new = [one for one in self.supportees if one.asked_at is None]
        share = max(1, N // (2 * WEEKS_OF_ASKING)) if week < WEEKS_OF_ASKING else len(new)
        chosen = [self.random.choice(self.practitioners).slug for _ in new[:share]]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(Supportee.ask, new[:share], chosen))

    def _live(self) -> None:
        people = [self.coordinator, *self.practitioners, *self.supportees]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda one: one.live(), people))


def main() -> int:
    begun, found = time.monotonic(), list[str]()
    with tempfile.TemporaryDirectory() as folder, a_world(Path(folder)) as world:
        half_year = HalfYear(world)
        half_year.begin()
        for week in range(WEEKS):
            new = half_year.week(week)
            if new or week % WEEKS_BETWEEN_LINES == WEEKS_BETWEEN_LINES - 1 or week == WEEKS - 1:
                console.print(f"week {week + 1}: {half_year.so_far()}; {len(new)} broken, {time.monotonic() - begun:.0f} s")
            found += [f"week {week + 1}: {finding}" for finding in new]
        found += [f"on a page: {trouble}" for trouble in half_year.trouble] + [f"a timer: {one}" for one in world.failures]
        found += world.found_by_checks()
        found += [f"dead letters of {name}: {count}" for name, count in world.dead_letters().items() if count]
    for finding in sorted(set(found)):
        print(finding)
    print(f"half-year: {N} requests, {len(set(found))} broken", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
