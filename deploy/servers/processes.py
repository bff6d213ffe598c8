"""Processes that are started for a demo or a test run: found again by a variable in their environment, ended, waited for."""

import os
import random
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

MARKER = "KITCHEN_TABLE_HOME"


class CannotStart(RuntimeError):
    """Says what is missing and what to do about it."""


@dataclass(frozen=True)
class Server:
    """`process` is None for a server in a container and for one that somebody else started."""

    url: str
    stop: Callable[[], object] = lambda: None
    process: psutil.Popen | None = None


def free_port() -> int:
    """Below the range from which the system gives ports to outgoing calls: one of those could take it before its server does,
    even a call that looks whether the server is there yet (it may then meet itself)."""
    while not is_free(port := random.randrange(20000, 32000)):  # noqa: S311 (no secret)
        pass
    return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def begin_new_logs(home: Path, kept: timedelta) -> None:
    """What was written before goes aside with its day, and what was last written longer ago than `kept` is deleted."""
    now = datetime.now(UTC)
    for log in (home / "log").glob("*.log*"):
        written = datetime.fromtimestamp(log.stat().st_mtime, UTC)
        if now - written > kept:
            log.unlink()
        elif log.suffix == ".log":
            log.rename(log.with_name(f"{log.name}.{written:%Y%m%dT%H%M%S}"))


def spawn(
    home: Path, name: str, command: Sequence[str], more: Mapping[str, str] | None = None, folder: Path | None = None
) -> psutil.Popen:
    """Start a process in a session of its own (Ctrl-C is for the supervisor alone); its output goes to log/<name>.log."""
    (home / "log").mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **(more or {}), MARKER: str(home)}
    with (home / "log" / f"{name}.log").open("ab") as log:
        return psutil.Popen(
            command, env=environment, cwd=folder or home, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def wait_until(ready: Callable[[], object], what: str, process: psutil.Popen | None = None, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if process is not None and process.poll() is not None:
            raise CannotStart(f"{what} ended while starting; its log says why")
        if time.monotonic() > deadline:
            raise CannotStart(f"{what} was not ready after {seconds:.0f} seconds; its log may say why")
        time.sleep(0.05)


def running(home: Path) -> list[psutil.Process]:
    """Every living process that was started for this folder, this one left out."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _was_started_for(home, process)]


def end(processes: Sequence[psutil.Process], seconds: float = 30) -> list[psutil.Process]:
    """Ask each process to end, kill it when the time is up, and return those that live on (none, unless something is wrong)."""
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    _, left = psutil.wait_procs(processes, timeout=seconds)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    return psutil.wait_procs(left, timeout=5)[1]


def _was_started_for(home: Path, process: psutil.Process) -> bool:
    with suppress(psutil.Error, OSError):
        return process.environ().get(MARKER) == str(home) and process.status() != psutil.STATUS_ZOMBIE
    return False
