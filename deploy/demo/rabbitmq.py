"""A RabbitMQ of our own: a private node with its own cookie and its own port mapper, so that it meets no other node."""

import secrets
import shutil
import subprocess
from pathlib import Path

import pika

from deploy.demo import debian
from deploy.demo.containers import Container, engine
from deploy.demo.processes import CannotStart, answers, free_port, spawn, wait_until

IMAGE = "rabbitmq:4"
HOW_TO_GET_IT = "No RabbitMQ here. Set AMQP_URL, or install rabbitmq-server, or install a container engine (docker or podman)."
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


def start(home: Path) -> tuple[str, list[subprocess.Popen[bytes] | Container]]:
    """The address of a RabbitMQ that keeps its data under `home`, and the processes to end, the node first."""
    program = find_program()
    if program is None and not engine() and debian.may_install():
        debian.install("rabbitmq-server")
        program = find_program()
    if program:
        url, processes = _start_program(home, program)
    elif engine():
        url, processes = _start_container(home)
    else:
        raise CannotStart(HOW_TO_GET_IT)
    watched = processes[0] if isinstance(processes[0], subprocess.Popen) else None
    wait_until(lambda: accepts(url), "RabbitMQ", watched, seconds=120)
    return url, processes


def find_program() -> str | None:
    return str(UNWRAPPED) if UNWRAPPED.exists() else shutil.which("rabbitmq-server")


def _start_program(home: Path, program: str) -> tuple[str, list[subprocess.Popen[bytes] | Container]]:
    here, port, mapper_port = home / "rabbitmq", free_port(), free_port()
    here.mkdir(parents=True, exist_ok=True)
    _write_configuration(here, port)
    surroundings = _surroundings(here, mapper_port)
    mapper = _start_mapper(home, mapper_port, surroundings)
    node = spawn(home, "rabbitmq", [program], surroundings)
    return f"amqp://guest:guest@127.0.0.1:{port}/%2F", [node, *mapper]


def _write_configuration(here: Path, port: int) -> None:
    (here / "rabbitmq.conf").write_text(CONFIG.format(port=port))
    (here / "enabled_plugins").write_text("[].\n")
    (here / "nothing").touch()
    cookie = here / ".erlang.cookie"
    if not cookie.exists():
        cookie.touch(mode=0o600)
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)


def _surroundings(here: Path, mapper_port: int) -> dict[str, str]:
    return {
        "HOME": str(here),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_CONF_ENV_FILE": str(here / "nothing"),
        "RABBITMQ_NODENAME": "kitchen@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(here / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "enabled_plugins"),
        "RABBITMQ_FEATURE_FLAGS_FILE": str(here / "feature_flags"),
        "RABBITMQ_MNESIA_BASE": str(here / "data"),
        "RABBITMQ_LOG_BASE": str(here / "log"),
        "RABBITMQ_PID_FILE": str(here / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": SMALL,
        # The script then becomes the node instead of staying beside it: one pid, which obeys SIGTERM.
        "RABBITMQ_ALLOW_INPUT": "yes",
    }


def _start_mapper(home: Path, port: int, surroundings: dict[str, str]) -> list[subprocess.Popen[bytes]]:
    """Started by us, it is ours to end; left to the node, it would become a daemon that nobody ends."""
    program = shutil.which("epmd")
    if program is None:
        return []
    mapper = spawn(home, "epmd", [program, "-port", str(port), "-address", "127.0.0.1"], surroundings)
    wait_until(lambda: answers(port), "epmd", mapper)
    return [mapper]


def _start_container(home: Path) -> tuple[str, list[subprocess.Popen[bytes] | Container]]:
    port = free_port()
    # guest may not come from outside a container.
    guest = {"RABBITMQ_DEFAULT_USER": "kitchen", "RABBITMQ_DEFAULT_PASS": "kitchen"}
    return f"amqp://kitchen:kitchen@127.0.0.1:{port}/%2F", [Container(home, "rabbitmq", IMAGE, {port: 5672}, settings=guest)]


def accepts(url: str) -> bool:
    try:
        pika.BlockingConnection(
            pika.URLParameters(f"{url}?socket_timeout=2&connection_attempts=1&blocked_connection_timeout=2")
        ).close()
    except (pika.exceptions.AMQPError, OSError):
        return False
    return True
