"""Debian's packages, when this process may install them. A package's own service is kept from starting by itself."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.servers.processes import CannotStart

ONE_AT_A_TIME = threading.Lock()
START_POLICY = Path("/usr/sbin/policy-rc.d")
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120")


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> None:
    """Raises CannotStart with what apt-get said."""
    print(f"Installing {', '.join(packages)} from this system's packages", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with ONE_AT_A_TIME, _no_service_starts():
        subprocess.run([*APT, "update"], env=environment, capture_output=True)
        command = [*APT, "install", "-y", "--no-install-recommends", *packages]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise CannotStart(f"apt-get could not install {', '.join(packages)}:\n{done.stderr.strip()}")


@contextmanager
def _no_service_starts() -> Iterator[None]:
    if START_POLICY.exists():
        yield
        return
    START_POLICY.write_text("#!/bin/sh\nexit 101\n")
    START_POLICY.chmod(0o755)
    try:
        yield
    finally:
        START_POLICY.unlink(missing_ok=True)
