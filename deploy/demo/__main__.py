"""python -m deploy.demo start | stop | clean | memory | logs | dead ... | people FILE | coordinator NAME EMAIL"""

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

from deploy.demo import containers, servers, supervisor
from deploy.demo.home import ROOT, Home, processes, this_home
from deploy.demo.processes import MARK, CannotStart, end, environment, is_free, memory, running, spawn
from shared import vault


def start(home: Home) -> int:
    if os.environ.get("DETACH", "0") not in ("", "0"):
        return start_in_background(home)
    if os.environ.get(MARK) != str(home.folder):  # begin again under the mark by which all that starts here is found
        _refuse_a_second(home)
        os.execve(sys.executable, [sys.executable, "-m", "deploy.demo", "start"], environment(home.folder, {}))  # noqa: S606
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    home.notes.unlink(missing_ok=True)
    home.note(pid=os.getpid(), url=home.url)
    print("Starting MongoDB and RabbitMQ", flush=True)
    together = servers.start(home.folder)
    try:
        vault.generate_keys(home.folder / "keys")
        wanted = processes(home, together.mongodb_uri, together.amqp_url)
        home.note(environments={process.name: process.environment for process in wanted})
        came = _say(home, "matching", "deploy.demo.prepare").strip()
        print("Everybody is still here" if came == "0" else f"{came} practitioners and a coordinator came in", flush=True)
        return supervisor.run(home, wanted)
    finally:
        together.stop()
        home.notes.unlink(missing_ok=True)
        print("Stopped.", flush=True)


def start_in_background(home: Home) -> int:
    _refuse_a_second(home)
    home.folder.mkdir(parents=True, exist_ok=True)
    process = spawn(home.folder, "start", [sys.executable, "-m", "deploy.demo", "start"], {"DETACH": ""}, folder=ROOT)
    deadline = time.monotonic() + 300
    while not home.noted().get("ready"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotStart((home.folder / "log" / "start.log").read_text()[-3000:])
        time.sleep(0.1)
    print(f"Kitchen Table is ready in the background: {home.url}/demo/ (make demo-stop ends it)")
    return 0


def stop(home: Home) -> int:
    """The supervisor is asked first, so that everything ends in its order; whatever is left then is ended by its pid."""
    end([pid for pid in running(home.folder) if pid == home.noted().get("pid")], seconds=60)
    containers.end_forgotten(home.folder)
    left = end(running(home.folder))
    if left:
        print(f"These processes live on: {', '.join(map(str, left))}")
        return 1
    for file in (home.notes, home.folder / "pids"):
        file.unlink(missing_ok=True)
    print("No process of the demo is running.")
    return 0


def clean(home: Home) -> int:
    if running(home.folder):
        raise CannotStart("The demo is running. First: make demo-stop")
    shutil.rmtree(home.folder, ignore_errors=True)
    print("The demo's data is gone.")
    return 0


def show_memory(home: Home) -> int:
    from rich.console import Console
    from rich.table import Table

    shares = memory(home.folder)
    table = Table("process", "MB", title="Memory of the demo (each process's share, PSS)", title_justify="left")
    for title, share in shares:
        table.add_row(title, f"{share / 1e6:.0f}")
    Console().print(table)
    print(f"together {sum(share for _, share in shares) / 1e6:.0f} MB in {len(shares)} processes")
    return 0


def logs(home: Home) -> int:
    files = sorted((home.folder / "log").glob("*.log"))
    if not files:
        raise CannotStart("There are no logs yet. First: make demo")
    try:
        return subprocess.run(["tail", "-n", "20", "-F", *files]).returncode
    except KeyboardInterrupt:
        return 0


def dead(home: Home, *arguments: str) -> int:
    return _run(home, "matching", "shared.bus.dead", *arguments)


def people(home: Home, file: str) -> int:
    return _run(home, "matching", "services.matching.people", file)


def coordinator(home: Home, name: str, email: str) -> int:
    return _run(
        home, "matching", "services.matching.coordinators", "add", "--name", name or email.split("@")[0], "--email", email
    )


def _refuse_a_second(home: Home) -> None:
    if running(home.folder):
        raise CannotStart(f"A demo is running already: {home.noted().get('url', home.url)}/demo/ (make demo-stop ends it)")
    if not is_free(home.port):
        raise CannotStart(f"Port {home.port} is taken by something else. Another one: make demo PORT=8001")


def _environment_of(home: Home, process: str) -> dict[str, str]:
    known: dict[str, dict[str, str]] = home.noted().get("environments", {})
    if process not in known:
        raise CannotStart("The demo is not running. First: make demo")
    return environment(home.folder, known[process])


def _run(home: Home, as_process: str, module: str, *arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", module, *arguments], env=_environment_of(home, as_process), cwd=ROOT).returncode


def _say(home: Home, as_process: str, module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module], env=_environment_of(home, as_process), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise CannotStart(f"{module} failed")
    return done.stdout


COMMANDS: dict[str, Any] = {
    "start": start, "stop": stop, "clean": clean, "memory": show_memory, "logs": logs, "dead": dead, "people": people,
    "coordinator": coordinator,
}  # fmt: skip

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(str(__doc__))
    try:
        sys.exit(COMMANDS[sys.argv[1]](this_home(), *sys.argv[2:]))
    except CannotStart as reason:
        sys.exit(str(reason))
