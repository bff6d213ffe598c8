"""Debian's packages, when this process may install them. A package's own service is kept from starting by itself."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.demo.processes import CannotStart

ONE_AT_A_TIME = threading.Lock()
NOBODY_STARTS_BY_ITSELF = Path("/usr/sbin/policy-rc.d")


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> None:
    print(f"Installing {', '.join(packages)} from this system's packages", flush=True)
    with ONE_AT_A_TIME, _no_service_starts():
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            done = subprocess.run(
                ["apt-get", "-o", "DPkg::Lock::Timeout=120", *command],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                capture_output=True,
                text=True,
            )
            if done.returncode and command[0] == "install":
                raise CannotStart(f"apt-get could not install {', '.join(packages)}:\n{done.stderr.strip()}")


@contextmanager
def _no_service_starts() -> Iterator[None]:
    if NOBODY_STARTS_BY_ITSELF.exists():
        yield
        return
    NOBODY_STARTS_BY_ITSELF.write_text("#!/bin/sh\nexit 101\n")
    NOBODY_STARTS_BY_ITSELF.chmod(0o755)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            NOBODY_STARTS_BY_ITSELF.unlink()
