"""A server in a container, where the machine has an engine but no such program."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from deploy.demo.processes import CannotStart


@cache
def engine() -> str | None:
    """docker or podman, when it is there and answers."""
    for name in ("docker", "podman"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return None


class Container:
    def __init__(
        self,
        home: Path,
        name: str,
        image: str,
        ports: dict[int, int],
        volume: str = "",
        command: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        image = os.environ.get(f"{'MONGO' if name == 'mongodb' else 'RABBITMQ'}_IMAGE", image)
        published = [part for outside, inside in ports.items() for part in ("-p", f"127.0.0.1:{outside}:{inside}")]
        given = [part for key, value in (settings or {}).items() for part in ("-e", f"{key}={value}")]
        started = subprocess.run(
            [str(engine()), "run", "-d", "--rm", *published, *given, *(["-v", volume] if volume else []), image, *command],
            capture_output=True, text=True,
        )  # fmt: skip
        if started.returncode:
            raise CannotStart(f"The container for {name} did not start: {started.stderr.strip().splitlines()[-1:]}")
        self.id = started.stdout.strip()
        self._note = home / f"{name}.container"
        self._note.write_text(self.id)

    def stop(self) -> None:
        end_container(self.id)
        self._note.unlink(missing_ok=True)


def end_container(id: str) -> None:
    subprocess.run([str(engine()), "stop", id], capture_output=True)


def end_forgotten(home: Path) -> None:
    """Containers whose demo was killed before it could end them."""
    for note in home.glob("*.container"):
        with suppress(OSError):
            end_container(note.read_text())
            note.unlink()
