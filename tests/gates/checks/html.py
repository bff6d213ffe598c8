"""The Nu HTML checker, over all pages at once."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.servers import debian
from deploy.servers.processes import CannotStart
from tests.gates.page_state import PageState

PACKAGE, VERSION = "vnu-jar", "26.9.27"
SHA256_OF_PACKAGE = "5970d3ffca91a627cf0965e5d91bb2e4242307c29292998de0b419d6a901b2b7"
JAR_IN_PACKAGE = "package/build/dist/vnu.jar"
HOME = Path(".local/vnu")
HOW_TO_GET_IT = f"The HTML checker needs Java and {PACKAGE} {VERSION}: apt-get install default-jre-headless npm; or set VNU_JAR."


def ensure() -> Path:
    """The checker is on this machine afterwards, and where; or CannotStart says what is missing."""
    given = os.environ.get("VNU_JAR")
    jar = Path(given) if given else HOME / f"{VERSION}.jar"
    needed = {"java": "default-jre-headless", **({} if jar.is_file() else {"npm": "npm"})}
    missing = [package for program, package in needed.items() if not shutil.which(program)]
    if missing and debian.may_install():
        debian.install(*missing)
    elif missing:
        raise CannotStart(HOW_TO_GET_IT)
    if not jar.is_file():
        _download(jar)
    return jar


def _download(jar: Path) -> None:
    """By npm as it is set up here: it names no registry. What comes is what was looked at, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or not archives:
            raise CannotStart(f"{HOW_TO_GET_IT}\n{done.stderr.strip()}")
        if hashlib.sha256(archives[0].read_bytes()).hexdigest() != SHA256_OF_PACKAGE:
            raise CannotStart(f"{PACKAGE} {VERSION} is not the file that it was: nothing of it is used.")
        with tarfile.open(archives[0]) as archive:
            content = archive.extractfile(JAR_IN_PACKAGE)
            assert content, f"{JAR_IN_PACKAGE} is not in {PACKAGE} {VERSION}"
            jar.parent.mkdir(parents=True, exist_ok=True)
            new = jar.with_suffix(".new")
            new.write_bytes(content.read())
            new.replace(jar)


def check(states: Sequence[PageState], jar: Path) -> Iterator[tuple[PageState, str]]:
    with tempfile.TemporaryDirectory() as name:
        files = {f"{number:04}.html": state for number, state in enumerate(states)}
        for file, state in files.items():
            Path(name, file).write_text(state.html)
        for file, problem in _problems(jar, Path(name)):
            yield files[file], problem


def _problems(jar: Path, folder: Path) -> Iterator[tuple[str, str]]:
    command = ["java", "-Xss4m", "-jar", str(jar), "--format", "json", "--errors-only", "--exit-zero-always", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[str]] = defaultdict(list)
    for message in json.loads(done.stderr)["messages"]:
        where = f"line {message['lastLine']}: " if "lastLine" in message else ""
        found[Path(message["url"]).name].append(f"HTML: {where}{message['message']}")
    for file, problems in sorted(found.items()):
        yield from ((file, problem) for problem in problems)
