"""Containers for CONTAINERS=1, and for machines that have a container engine but no such program."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
LABEL = "kitchen-table.home"


def wanted() -> bool:
    return os.environ.get("CONTAINERS", "") not in ("", "0")


@cache
def is_there() -> bool:
    """A container engine answers."""
    import docker

    try:
        return bool(docker.from_env().ping())
    except docker.errors.DockerException:
        return False


def prepare(home: Path, image: str, port: int) -> "DockerContainer":
    """Not started yet: the caller adds its options, then calls `.start()`."""
    from testcontainers.core.container import DockerContainer

    return DockerContainer(image).with_exposed_ports(port).with_kwargs(labels={LABEL: str(home)})


def end_forgotten(home: Path) -> None:
    """Containers whose demo was killed before it could end them."""
    if is_there():
        import docker

        for container in docker.from_env().containers.list(filters={"label": f"{LABEL}={home}"}):
            container.remove(force=True)
