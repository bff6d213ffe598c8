"""Processes that the demo starts: found again by a mark in their environment, ended by their pid, waited for."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

MARK = "KITCHEN_TABLE_HOME"
PROC = Path("/proc")


class CannotStart(RuntimeError):
    """Says what is missing and what to do about it."""


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


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {**os.environ, **more, MARK: str(home)}


def spawn(
    home: Path, name: str, command: Sequence[str], more: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own (Ctrl-C is for the supervisor alone); its output goes to log/<name>.log."""
    (home / "log").mkdir(parents=True, exist_ok=True)
    with (home / "log" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment(home, more or {}), cwd=folder or home, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    remember(home, process.pid)
    return process


def wait_until(
    ready: Callable[[], object], what: str, process: subprocess.Popen[bytes] | None = None, seconds: float = 60
) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if process is not None and process.poll() is not None:
            raise CannotStart(f"{what} ended while starting; its log says why")
        if time.monotonic() > deadline:
            raise CannotStart(f"{what} was not ready after {seconds:.0f} seconds; its log may say why")
        time.sleep(0.05)


def remember(home: Path, pid: int) -> None:
    with (home / "pids").open("a") as pids:
        pids.write(f"{pid}\n")


def running(home: Path) -> list[int]:
    """Every living process that was started for this home, this one left out."""
    if PROC.joinpath("self", "environ").exists():
        found = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit() and _is_marked(entry, home)]
    else:  # no /proc: trust what was written down
        noted = (home / "pids").read_text().split() if (home / "pids").exists() else []
        found = [pid for pid in map(int, noted) if is_alive(pid)]
    return [pid for pid in found if pid != os.getpid()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def end(pids: Sequence[int], seconds: float = 30) -> list[int]:
    """Ask each process to end, insist when the time is up, and return those that live on (none, unless something is wrong)."""
    _signal(pids, signal.SIGTERM)
    left = _wait_for(pids, seconds)
    _signal(left, signal.SIGKILL)
    return _wait_for(left, 5)


def memory(home: Path) -> list[tuple[str, int]]:
    """Each process's share of the machine's memory (PSS) in bytes, largest first. Linux only."""
    shares = [(_title(pid), _pss(pid)) for pid in running(home)]
    return sorted((share for share in shares if share[1]), key=lambda share: -share[1])


def _is_marked(entry: Path, home: Path) -> bool:
    try:
        return f"{MARK}={home}".encode() in (entry / "environ").read_bytes().split(b"\0") and _state(int(entry.name)) != "Z"
    except OSError:
        return False


def _state(pid: int) -> str:
    with suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0]
    return "?"


def _title(pid: int) -> str:
    words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    names = [Path(word).name if word.startswith("/") else word for word in words if word and not word.startswith("--")]
    return " ".join(names[:5])[:70]


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_for(pids: Sequence[int], seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if is_alive(pid)]
    return left
