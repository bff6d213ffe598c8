"""The one supervisor: starts the demo's processes, shows what deserves a look, and ends all when one ends or Ctrl-C comes."""

import json
import shlex
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from honcho import manager
from honcho.printer import Printer

from deploy.demo.home import ROOT, Home, Process
from deploy.demo.processes import environment

SECONDS_TO_END = 30
ASKED_TO_END = {None, 0, 130, 143}  # 130: Ctrl-C, 143: make demo-stop
manager.KILL_WAIT = SECONDS_TO_END  # a worker may finish what it has in hand


class CalmPrinter(Printer):  # type: ignore[misc]
    """Every line goes to log/<process>.log; the terminal gets warnings and what a process says as it dies."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._files: dict[str, Any] = {}

    def write(self, message: Any) -> None:
        text = message.data.decode(errors="replace") if isinstance(message.data, bytes) else message.data
        self._file(message.name).write(text)
        shown = _worth_showing(message.name, text)
        if shown:
            print(f"{message.name:>13}  {shown}", flush=True)

    def _file(self, name: str) -> Any:
        if name not in self._files:
            self._files[name] = (self._folder / f"{name}.log").open("a", buffering=1)
        return self._files[name]


def run(home: Home, processes: list[Process]) -> int:
    """Until Ctrl-C, SIGTERM or the end of one process. The number that the shell should hear."""
    together = manager.Manager(CalmPrinter(home.folder / "log"))
    for process in processes:
        command = f"exec {shlex.join(process.command)}"
        together.add_process(process.name, command, env=environment(home.folder, process.environment), cwd=str(ROOT))
    threading.Thread(target=_say_when_ready, args=(home, processes), daemon=True).start()
    together.loop()
    return 0 if together.returncode in ASKED_TO_END else int(together.returncode)


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 (our own loopback address)
            return bool(answer.status == 200)
    except OSError:
        return False


def _say_when_ready(home: Home, processes: list[Process]) -> None:
    webs = [process for process in processes if process.port]
    while not all(is_ready(f"http://127.0.0.1:{web.port}") for web in webs):
        time.sleep(0.1)
    home.note(ready=True)
    print(WELCOME.format(url=home.url, seconds=time.monotonic() - home_started), flush=True)


home_started = time.monotonic()
WELCOME = """
Kitchen Table is ready, after {seconds:.0f} seconds.

  {url}/             the website
  {url}/demo/        where to begin, and what to try
  {url}/demo/inbox   everybody's letters
  {url}/demo/phone   everybody's texts
  {url}/c            the coordinators' desk (ro@demo.example)

Everything stays on this machine. Stop with Ctrl-C or `make demo-stop`; what you did is still there the next time.
"""


def _worth_showing(name: str, text: str) -> str:
    if name == "system":
        return text.strip() if "stopped" in text and "rc=0" not in text and "rc=-15" not in text else ""
    try:
        line = json.loads(text)
    except ValueError:
        return text.rstrip() if any(word in text for word in ("Error", "Settings are", "must", "missing")) else ""
    if line.get("level") not in {"WARNING", "ERROR", "CRITICAL"}:
        return ""
    if str(line.get("reason", "")).startswith("RetryLater"):  # news came before what it needs, and is tried again by itself
        return ""
    return " ".join(str(line[key]) for key in ("says", "reason", "error") if line.get(key))
