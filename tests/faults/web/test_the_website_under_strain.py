"""The website as a deployment starts it, gunicorn behind Caddy: slow and endless forms, a worker that stops, a wrong start."""

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
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests
import yaml

from deploy.servers.processes import free_port
from shared import vault

THREADS = 2
SECONDS_TO_START = 30
ENOUGH_SECONDS = 10


@dataclass
class Gunicorn:
    port: int
    log: Path
    process: psutil.Popen


def start_gunicorn(mongodb_uri: str, keys: Path, folder: Path, workers: int = 1) -> Gunicorn:
    port, log = free_port(), folder / "log"
    settings = {
        "MONGODB_URI": mongodb_uri,
        "AMQP_URL": "amqp://unused.example",
        "KEYS_DIR": str(keys),
        "PUBLIC_URL": "http://localhost",
    }
    options = f"-c deploy/gunicorn.conf.py -b 127.0.0.1:{port} -w {workers} --threads {THREADS} --no-control-socket"
    command = [sys.executable, "-m", "gunicorn", *options.split(), "services.intake.web:make_app()"]
    with log.open("wb") as out:
        return Gunicorn(port, log, psutil.Popen(command, env={**os.environ, **settings}, stderr=out))


@pytest.fixture(scope="module")
def gunicorn(mongodb_uri: str, keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    started = start_gunicorn(mongodb_uri, keys, tmp_path_factory.mktemp("web"))
    wait_for_status(f"http://127.0.0.1:{started.port}/livez", 200)
    yield started
    started.process.terminate()
    started.process.wait(30)


@pytest.fixture(scope="module")
def proxy(gunicorn: Gunicorn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Caddy with the deployment's own Caddyfile and start command; only addresses differ."""
    if not shutil.which("caddy"):
        pytest.skip("needs caddy")
    port, home = free_port(), tmp_path_factory.mktemp("caddy")
    text = Path("deploy/Caddyfile").read_text()
    (home / "Caddyfile").write_text(re.sub(r"[a-z]+(-web)?:8000", f"127.0.0.1:{gunicorn.port}", text))
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


def wait_for_status(url: str, wanted: int, seconds: float = SECONDS_TO_START) -> None:
    end = time.monotonic() + seconds
    while status(url, 1) != wanted:
        assert time.monotonic() < end, f"{url} did not answer {wanted}"
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
        # Several times: the proxy may take a moment to hand them on, if it does.
        assert [status(f"http://localhost:{proxy}/") for _ in range(20)] == [200] * 20


def test_a_form_goes_through_the_proxy(proxy: int) -> None:
    request = urllib.request.Request(f"http://localhost:{proxy}/ask/1", data=b"mode=suggest")
    with pytest.raises(urllib.error.HTTPError, match="403"):  # our own page: the form has no token
        urllib.request.urlopen(request, timeout=ENOUGH_SECONDS)


@pytest.mark.parametrize("kilobytes", [33, 2000])
def test_a_long_body_without_a_length_is_refused_and_not_cut(gunicorn: Gunicorn, kilobytes: int) -> None:
    with socket.create_connection(("127.0.0.1", gunicorn.port)) as connection:
        connection.settimeout(ENOUGH_SECONDS)
        head = "POST /ask/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"400\r\n" + b"a" * 1024 + b"\r\n"
        with suppress(OSError):  # refused while we were still writing
            for _ in range(kilobytes):
                connection.sendall(chunk)
            connection.sendall(b"0\r\n\r\n")
        assert connection.recv(100).split(b" ")[1] == b"413"


def test_a_malformed_request_leaves_no_address_in_the_log(gunicorn: Gunicorn) -> None:
    with socket.create_connection(("127.0.0.1", gunicorn.port)) as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        connection.settimeout(ENOUGH_SECONDS)
        assert b"400" in connection.recv(100)
    assert "127.0.0.1" not in gunicorn.log.read_text().replace(f"127.0.0.1:{gunicorn.port}", "")


def test_a_worker_that_stopped_is_replaced_before_its_visitors_wait_for_long(gunicorn: Gunicorn) -> None:
    [worker] = gunicorn.process.children()
    worker.suspend()
    wait_for_status(f"http://127.0.0.1:{gunicorn.port}/livez", 200, seconds=25)
    assert worker not in gunicorn.process.children()


def test_a_missing_key_ends_the_start_and_is_named(mongodb_uri: str, tmp_path: Path) -> None:
    vault.generate_keys(tmp_path)
    (tmp_path / "directory.key").unlink()
    started = start_gunicorn(mongodb_uri, tmp_path, tmp_path)
    assert started.process.wait(SECONDS_TO_START)
    assert "KEYS_DIR: directory.key" in started.log.read_text()


def test_the_workers_of_a_website_limit_a_place_together(mongodb_uri: str, keys: Path, tmp_path: Path) -> None:
    """Ten links may be asked for, whichever of the two answers."""
    started = start_gunicorn(mongodb_uri, keys, tmp_path, workers=2)
    url = f"http://127.0.0.1:{started.port}"
    wait_for_status(f"{url}/livez", 200)
    while len(started.process.children()) < 2:
        time.sleep(0.1)
    one, other = started.process.children()
    answers = answers_of(one, other, url) + answers_of(other, one, url)
    started.process.terminate()
    started.process.wait(30)
    assert answers == [422] * 10 + [429] * 2


def answers_of(worker: psutil.Process, other: psutil.Process, url: str) -> list[int]:
    """To six forms, while the other one is asleep."""
    other.suspend()
    visitor = requests.Session()
    page = visitor.get(f"{url}/s", headers={"Connection": "close"}, timeout=ENOUGH_SECONDS).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "address": "nobody"}
    found = [
        visitor.post(f"{url}/s/link", data=form, headers={"Connection": "close"}, timeout=ENOUGH_SECONDS).status_code
        for _ in range(6)
    ]
    other.resume()
    assert worker.is_running()
    return found
