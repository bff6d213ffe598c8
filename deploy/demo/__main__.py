"""python -m deploy.demo start | stop | clean | memory | logs | kitchen ARGUMENTS..."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from deploy.demo import supervisor
from deploy.local.stack import ROOT, LocalStack, stack_in_environment
from deploy.servers import containers
from deploy.servers.processes import CannotStart, end, is_free, running, spawn


def start(demo: LocalStack) -> int:
    if running(demo.folder):
        raise CannotStart(f"A demo is running already: {demo.read().get('url', demo.url)}/demo/ (make demo-stop ends it)")
    if not is_free(demo.port):
        raise CannotStart(f"Port {demo.port} is taken by something else. Another one: make demo PORT=8001")
    demo.file.unlink(missing_ok=True)  # a demo that was killed left it behind, and with it the word that it is ready
    if os.environ.get("DETACH", "0") in ("", "0"):
        return supervisor.run(demo)
    return _start_in_background(demo)


def _start_in_background(demo: LocalStack) -> int:
    process = spawn(demo.folder, "start", [sys.executable, "-m", "deploy.demo", "run"], folder=ROOT)
    deadline = time.monotonic() + 300
    while not demo.read().get("ready"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotStart((demo.folder / "log" / "start.log").read_text()[-3000:])
        time.sleep(0.1)
    print(f"Kitchen Table is ready in the background: {demo.url}/demo/ (make demo-stop ends it)")
    return 0


def stop(demo: LocalStack) -> int:
    """The supervisor is asked first, so that everything ends in its order; then whatever is left."""
    with suppress(psutil.NoSuchProcess, KeyError):
        first = psutil.Process(demo.read()["pid"])
        if "deploy.demo" in first.cmdline():  # and not another process that got this pid after a crash
            end([first], seconds=60)
    containers.end_forgotten(demo.folder)
    if left := end(running(demo.folder)):
        raise CannotStart(f"These processes live on: {', '.join(str(process.pid) for process in left)}")
    demo.file.unlink(missing_ok=True)
    print("No process of the demo is running.")
    return 0


def clean(demo: LocalStack) -> int:
    if running(demo.folder):
        raise CannotStart("The demo is running. First: make demo-stop")
    shutil.rmtree(demo.folder, ignore_errors=True)
    print("The demo's data is gone.")
    return 0


def memory(demo: LocalStack) -> int:
    """Each process's share of the machine's memory (PSS): what two processes share is counted half for each."""
    shares = sorted(
        ((process.memory_full_info().pss / 1e6, process) for process in running(demo.folder)), key=lambda one: -one[0]
    )
    for share, process in shares:
        print(f"{share:7.0f} MB  {' '.join(process.cmdline()[:4])[-70:]}")
    print(f"together {sum(share for share, _ in shares):.0f} MB in {len(shares)} processes")
    return 0


def logs(demo: LocalStack) -> int:
    with suppress(KeyboardInterrupt):
        subprocess.run(["tail", "-n", "20", "-F", *sorted((demo.folder / "log").glob("*.log"))])
    return 0


def kitchen(demo: LocalStack, *arguments: str) -> int:
    """The operator's command line against the running demo, which keeps all services in one place."""
    return subprocess.run([sys.executable, "-m", "deploy.kitchen", *arguments], env=demo.environment()).returncode


COMMANDS: list[Callable[..., int]] = [start, stop, clean, memory, logs, kitchen, supervisor.run]

if __name__ == "__main__":
    command = next((one for one in COMMANDS if [one.__name__] == sys.argv[1:2]), None)
    if not command:
        sys.exit(str(__doc__))
    try:
        sys.exit(command(stack_in_environment(), *sys.argv[2:]))
    except CannotStart as reason:
        sys.exit(str(reason))
