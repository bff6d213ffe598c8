"""Containers for CONTAINERS=1, and for machines that have a container engine but no such program."""

import os
from functools import cache
from pathlib import Path

import docker
from testcontainers.core.container import DockerContainer

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
LABEL = "kitchen-table.home"


def wanted() -> bool:
    return os.environ.get("CONTAINERS", "") not in ("", "0")


@cache
def is_there() -> bool:
    """A container engine answers."""
    try:
        return bool(docker.from_env().ping())
    except docker.errors.DockerException:
        return False


def prepare(home: Path, image: str, port: int) -> DockerContainer:
    """Not started yet: the caller adds its options, then calls `.start()`."""
    return DockerContainer(image).with_exposed_ports(port).with_kwargs(labels={LABEL: str(home)})


def end_forgotten(home: Path) -> None:
    """Containers whose demo was killed before it could end them."""
    if is_there():
        for container in docker.from_env().containers.list(filters={"label": f"{LABEL}={home}"}):
            container.remove(force=True)
