"""The supervisor: starts everything in its order, and ends all of it when one process ends or Ctrl-C comes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from types import FrameType

from deploy.local.stack import ROOT, LocalStack, commands, settings, wait_for_website
from deploy.servers import mongod, rabbitmq
from deploy.servers.processes import CannotStart, Server, begin_new_logs, end, spawn
from shared import vault
from shared.retention import DAYS

WELCOME = """
Kitchen Table is ready, after {seconds:.0f} seconds.

  {url}/             the website
  {url}/demo/        where to begin, and what to try
  {url}/demo/inbox   everybody's e-mails
  {url}/demo/phone   everybody's texts
  {url}/c            the coordinators' desk (ro@demo.example)

Everything stays on this machine. Stop with Ctrl-C or `make demo-stop`; what you did is still there the next time.
"""


def run(demo: LocalStack) -> int:
    """Until Ctrl-C, SIGTERM or the end of one process. Returns what the shell should get: 0 when it was asked to end."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    begun = time.monotonic()
    begin_new_logs(demo.folder, timedelta(days=DAYS["log"]))
    demo.write(pid=os.getpid(), url=demo.url)
    with ExitStack() as at_the_end:
        at_the_end.callback(demo.file.unlink, missing_ok=True)
        try:
            environment = _start_servers(demo, at_the_end)
            processes = {name: spawn(demo.folder, name, command, environment, ROOT) for name, command in commands(demo).items()}
            at_the_end.callback(end, list(processes.values()))  # a worker may finish what it works on
            wait_for_website(demo, processes)
            demo.write(ready=True)
            print(WELCOME.format(url=demo.url, seconds=time.monotonic() - begun), flush=True)
            while all(process.poll() is None for process in processes.values()):
                time.sleep(0.2)
        except KeyboardInterrupt:
            return 0
    ended = ", ".join(name for name, process in processes.items() if process.poll() is not None)
    raise CannotStart(f"{ended} ended by itself, so the demo is stopped. Why: {demo.folder}/log/")


def _start_servers(demo: LocalStack, at_the_end: ExitStack) -> dict[str, str]:
    """MongoDB and RabbitMQ at once, since each takes its time; then queues, indexes and people. Returns the environment."""
    print("Starting MongoDB and RabbitMQ", flush=True)
    with ThreadPoolExecutor(2) as pool:
        starting = [pool.submit(server.start, demo.folder) for server in (mongod, rabbitmq)]
        at_the_end.callback(_stop_servers, starting)
    database, broker = (future.result() for future in starting)
    vault.generate_keys(demo.folder / "keys")
    environment = settings(demo, database.url, broker.url)
    demo.write(environment=environment)
    # In a process of its own, whose memory is free afterwards.
    if subprocess.run([sys.executable, "-m", "deploy.demo.people"], env=demo.environment(), cwd=ROOT).returncode:
        raise CannotStart("The demo could not be prepared. Was its data made by another version? Then: make demo-clean")
    return environment


def _stop_servers(starting: Sequence[Future[Server]]) -> None:
    for future in starting:
        if not future.exception():  # waits for one that is still starting
            future.result().stop()


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
