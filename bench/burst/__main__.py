"""make burst: N (1000) requests by CLIENTS (16) as fast as they are answered, from Send to the last letter: an offer to the
practitioner, a receipt to the supportee. Before that RATE (5) requests a second for SECONDS (30; fewer for a small N).

MongoDB, RabbitMQ and a mail server are started for it; the product runs as docker-compose.yml has it, without an SMS gateway.
Where FLOOR_DIR (../shared/bench/floor) is there, the same load is put on it, on the same servers: the same job written straight
down, as a measure of what this machine allows. A machine may be half as fast a minute later, so both take turns for ROUNDS (3),
the floor first and last; each round of the product is compared with the floor just before and just after it.
KILL=1: in the burst each worker and one web process are killed; people whose connection breaks press Send again.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import psutil

from bench.burst import report
from bench.burst.counters import Counters
from bench.burst.kills import Kills
from bench.burst.measure import Measurement, Run, Size
from bench.burst.sink import Letters
from bench.burst.systems import Floor, Product, Servers, code_of_floor, started
from deploy.local.stack import ROOT
from deploy.servers import mongod, rabbitmq
from deploy.servers.processes import CannotStart, Server, end, free_port, is_open, spawn, wait_until

N, CLIENTS = int(os.environ.get("N") or 1000), int(os.environ.get("CLIENTS") or 16)
RATE = float(os.environ.get("RATE") or 5)
KILL = bool(os.environ.get("KILL"))
SECONDS = float(os.environ.get("SECONDS") or min(30, N / 40))
ROUNDS = int(os.environ.get("ROUNDS") or 3)
SIZE = Size(N, CLIENTS, RATE, SECONDS, quiet=180 if KILL else 60)
FLOOR_DIR = Path(os.environ.get("FLOOR_DIR") or ROOT / "../shared/bench/floor").resolve()


def _stop(server: Future[Server]) -> None:
    if not server.exception():
        server.result().stop()


class Stand:
    """The servers, and what each system is measured with. The mail server is a process of its own: it waits for nobody."""

    def __init__(self, folder: Path, at_the_end: ExitStack) -> None:
        self.folder, self.mail, self.killed = folder, folder / "mail", list[str]()
        for name in ("MONGODB_URI", "AMQP_URL"):  # servers of our own: what is in others is somebody's
            os.environ.pop(name, None)
        with ThreadPoolExecutor(2) as pool:
            starting = pool.submit(mongod.start, folder, cache_gb=0.5), pool.submit(rabbitmq.start, folder)
        for server in starting:
            at_the_end.callback(_stop, server)
        database, broker = (server.result() for server in starting)
        known = {"mongod": database.process, "RabbitMQ": broker.process}
        self._server_processes: dict[str, psutil.Process] = {name: process for name, process in known.items() if process}
        port = free_port()
        sink = spawn(folder, "sink", [sys.executable, "-m", "bench.burst.sink", str(port), str(self.mail)], folder=ROOT)
        at_the_end.callback(end, [sink])
        wait_until(lambda: is_open(port), "The mail server", sink)
        self.servers = Servers(database.url, broker.url, f"smtp://127.0.0.1:{port}")

    @contextmanager
    def counters(self, processes: Mapping[str, psutil.Process]) -> Iterator[Counters]:
        counters = Counters(self.servers.mongodb_uri, {**processes, **self._server_processes})
        yield counters
        counters.close()

    @contextmanager
    def measuring(self, system: Product | Floor, rounds: int) -> Iterator[Measurement]:
        print(f"Starting: {system.name}", flush=True)
        with started(system), self.counters(system.processes) as counters:
            yield Measurement(system, counters, Letters(self.mail), SIZE, rounds)

    def alone(self) -> list[Run]:
        product = Product(self.folder / "product", self.servers)
        kills = Kills(product, self.mail, 2 * N, self.killed) if KILL else nullcontext()
        with self.measuring(product, 1) as measurement:
            measurement.warm_up()
            return [measurement.run(kills)]

    def beside_floor(self) -> tuple[list[Run], list[Run]]:
        """Runs of the product, and of the floor: one more."""
        product = Product(self.folder / "product", self.servers)
        floor = Floor(self.folder / "floor", self.servers, FLOOR_DIR, self.folder / "code")
        with self.measuring(floor, ROUNDS + 1) as of_floor, self.measuring(product, ROUNDS) as of_product:
            of_floor.warm_up()
            of_product.warm_up()
            products, floors = [], [of_floor.run(nullcontext())]
            for number in range(ROUNDS):
                print(f"Round {number + 1} of {ROUNDS}", flush=True)
                products.append(of_product.run(nullcontext()))
                floors.append(of_floor.run(nullcontext()))
            return products, floors


def has_floor(folder: Path) -> bool:
    if KILL or not (FLOOR_DIR / "floor.py").is_file():
        return False
    there = code_of_floor(folder / "code")
    if not there:
        print(f"Without the floor: this clone does not have commit {Floor.COMMIT}.")
    return there


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    with tempfile.TemporaryDirectory(prefix="burst-", ignore_cleanup_errors=True) as folder, ExitStack() as at_the_end:
        stand, floor = Stand(Path(folder), at_the_end), has_floor(Path(folder))
        products, floors = stand.beside_floor() if floor else (stand.alone(), [])
        if KILL:  # what a killed process had used is not known
            print(f"Killed, one after the other: {', '.join(stand.killed)}")
        else:
            report.show(products, floors)
        line, well = report.last_line(products, floors, stand.killed if KILL else None)
        if not well:
            report.show_logs(stand.folder / "product/log")
    print(line, flush=True)
    return 0 if well else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CannotStart as reason:
        sys.exit(str(reason))
