"""A RabbitMQ of our own: a private node with its own cookie and its own port mapper, so that it meets no other node."""

import os
import secrets
import shutil
from pathlib import Path

import pika
import psutil

from deploy.servers import containers, debian
from deploy.servers.processes import CannotStart, Server, end, free_port, is_open, spawn, wait_until

HOW_TO_GET_IT = "No RabbitMQ here. Set AMQP_URL, or install rabbitmq-server, or install a container engine such as docker."
# The script behind the packages' wrapper, which insists on root or on the user rabbitmq.
UNWRAPPED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
SMALL = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none +A 4 -noinput -kernel inet_dist_use_interface {127,0,0,1}"
CONFIG = """\
listeners.tcp.default = 127.0.0.1:{port}
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 16000000
log.file = false
log.console = true
log.console.level = warning
"""


def start(home: Path) -> Server:
    """Its data stays under `home`."""
    if given := os.environ.get("AMQP_URL"):
        return Server(given)
    program = None if containers.wanted() else find_program()
    if not program and not containers.is_there() and debian.may_install():
        debian.install("rabbitmq-server")
        program = find_program()
    if not program and not containers.is_there():
        raise CannotStart(HOW_TO_GET_IT)
    server = _start_program(home, program) if program else _start_container(home)
    wait_until(lambda: accepts(server.url), "RabbitMQ", server.process, seconds=120)
    return server


def find_program() -> str | None:
    return str(UNWRAPPED) if UNWRAPPED.exists() else shutil.which("rabbitmq-server")


def accepts(url: str) -> bool:
    try:
        pika.BlockingConnection(
            pika.URLParameters(f"{url}?socket_timeout=2&connection_attempts=1&blocked_connection_timeout=2")
        ).close()
    except (pika.exceptions.AMQPError, OSError):
        return False
    return True


def _start_program(home: Path, program: str) -> Server:
    folder, port, mapper_port = home / "rabbitmq", free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    _write_configuration(folder, port)
    environment = _environment(folder, mapper_port)
    mapper = _start_mapper(home, mapper_port, environment)
    node = spawn(home, "rabbitmq", [program], environment)
    return Server(f"amqp://guest:guest@127.0.0.1:{port}/%2F", lambda: end([node], 20) + end(mapper, 20), node)


def _write_configuration(folder: Path, port: int) -> None:
    (folder / "rabbitmq.conf").write_text(CONFIG.format(port=port))
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "empty").touch()
    cookie = folder / ".erlang.cookie"
    if not cookie.exists():
        cookie.touch(mode=0o600)
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)


def _environment(folder: Path, mapper_port: int) -> dict[str, str]:
    paths = {
        "CONF_ENV_FILE": "empty",
        "CONFIG_FILE": "rabbitmq.conf",
        "ADVANCED_CONFIG_FILE": "advanced.config",
        "PID_FILE": "pid",
    }
    paths |= {"ENABLED_PLUGINS_FILE": "enabled_plugins", "FEATURE_FLAGS_FILE": "feature_flags"}
    paths |= {"MNESIA_BASE": "data", "LOG_BASE": "log"}
    return {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "kitchen@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": SMALL,
        # The script then becomes the node instead of staying beside it: one pid, which obeys SIGTERM.
        "RABBITMQ_ALLOW_INPUT": "yes",
        **{f"RABBITMQ_{name}": str(folder / path) for name, path in paths.items()},
    }


def _start_mapper(home: Path, port: int, environment: dict[str, str]) -> list[psutil.Process]:
    """Started by us, it is ours to end; left to the node, it would become a daemon that nobody ends."""
    program = shutil.which("epmd")
    if program is None:
        return []
    mapper = spawn(home, "epmd", [program, "-port", str(port), "-address", "127.0.0.1"], environment)
    wait_until(lambda: is_open(port), "epmd", mapper)
    return [mapper]


def _start_container(home: Path) -> Server:
    container = containers.prepare(home, os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4"), 5672)
    # guest may not come from outside a container.
    container.with_env("RABBITMQ_DEFAULT_USER", "kitchen").with_env("RABBITMQ_DEFAULT_PASS", "kitchen").start()
    return Server(f"amqp://kitchen:kitchen@127.0.0.1:{container.get_exposed_port(5672)}/%2F", container.stop)
