"""The website behind its proxy, as compose starts both: forms that come a byte at a time keep nobody else waiting."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from deploy.servers.processes import free_port

THREADS = 2
SECONDS_TO_START = 30
ENOUGH_SECONDS = 10


@pytest.fixture(scope="module")
def gunicorn(mongodb_uri: str, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Its port and its log."""
    port, log = free_port(), tmp_path_factory.mktemp("web") / "log"
    environment = {
        **os.environ, "MONGODB_URI": mongodb_uri, "AMQP_URL": "amqp://unused.example", "KEYS_DIR": str(keys),
        "PUBLIC_URL": "http://localhost",
    }  # fmt: skip
    command = [
        sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "-b", f"127.0.0.1:{port}", "-w", "1",
        "--threads", str(THREADS), "--no-control-socket", "services.intake.web:make_app()",
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stderr=out)
    wait_for_status(f"http://127.0.0.1:{port}/livez", 200)
    yield port, log
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def proxy(gunicorn: tuple[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Caddy with the deployment's own Caddyfile and start command; only addresses differ."""
    if not shutil.which("caddy"):
        pytest.skip("needs caddy")
    port, home = free_port(), tmp_path_factory.mktemp("caddy")
    text = Path("deploy/Caddyfile").read_text()
    (home / "Caddyfile").write_text(re.sub(r"[a-z]+(-web)?:8000", f"127.0.0.1:{gunicorn[0]}", text))
    shell, option, script = yaml.safe_load(Path("docker-compose.yml").read_text())["services"]["proxy"]["command"]
    command = [shell, option, script.replace("$$", "$").replace("/etc/caddy", str(home))]
    environment = {**os.environ, "SITE_ADDRESS": f"http://localhost:{port}", "XDG_DATA_HOME": str(home), "HOME": str(home)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    wait_for_status(f"http://localhost:{port}/livez", 200)
    yield port
    process.terminate()
    process.wait(30)


def status(url: str, timeout: float = ENOUGH_SECONDS) -> int | None:
    """None: no answer in time."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def wait_for_status(url: str, wanted: int) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while status(url, 1) != wanted:
        assert time.monotonic() < end, f"{url} did not start"
        time.sleep(0.1)


def begin_a_slow_form(port: int, host: str, *, chunked: bool = False) -> socket.socket:
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 2000"
    connection = socket.create_connection(("localhost", port))
    head = f"POST /ask/1 HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
    connection.sendall(head.encode() + (b"5\r\nmode=\r\n" if chunked else b"mode="))
    return connection


@pytest.mark.parametrize("chunked", [False, True])
def test_forms_that_never_end_keep_nobody_else_waiting(proxy: int, chunked: bool) -> None:
    with ExitStack() as connections:
        for _ in range(4 * THREADS):
            connections.enter_context(begin_a_slow_form(proxy, f"localhost:{proxy}", chunked=chunked))
        time.sleep(0.5)  # for as long as it takes the proxy to hand them on, if it did
        assert status(f"http://localhost:{proxy}/") == 200


def test_a_form_goes_through_the_proxy(proxy: int) -> None:
    request = urllib.request.Request(f"http://localhost:{proxy}/ask/1", data=b"mode=suggest")
    with pytest.raises(urllib.error.HTTPError, match="403"):  # our own page: the form has no token
        urllib.request.urlopen(request, timeout=ENOUGH_SECONDS)


@pytest.mark.parametrize("kilobytes", [33, 2000])
def test_a_long_body_without_a_length_is_refused_and_not_cut(gunicorn: tuple[int, Path], kilobytes: int) -> None:
    with socket.create_connection(("127.0.0.1", gunicorn[0])) as connection:
        connection.settimeout(ENOUGH_SECONDS)
        head = "POST /ask/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"400\r\n" + b"a" * 1024 + b"\r\n"
        try:
            for _ in range(kilobytes):
                connection.sendall(chunk)
            connection.sendall(b"0\r\n\r\n")
        except OSError:
            pass  # refused while we were still writing
        assert connection.recv(100).split(b" ")[1] == b"413"


def test_a_malformed_request_leaves_no_address_in_the_log(gunicorn: tuple[int, Path]) -> None:
    with socket.create_connection(("127.0.0.1", gunicorn[0])) as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        connection.settimeout(ENOUGH_SECONDS)
        assert b"400" in connection.recv(100)
    assert "127.0.0.1" not in gunicorn[1].read_text().replace(f"127.0.0.1:{gunicorn[0]}", "")
