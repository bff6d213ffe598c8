"""A real Kannel (bearerbox and smsbox) on free ports, with one phone at its fake message centre.

with a_kannel(folder, callback_url, secret) as kannel:
    kannel.url, kannel.user, kannel.password      # for KANNEL_URL, KANNEL_USER, KANNEL_PASSWORD
    kannel.phone.wait_for("+15550177")            # what arrived for a number
    kannel.phone.write("+15550177", "A7 1")       # a text from that number to us
"""

import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from deploy.servers import debian
from deploy.servers.processes import CannotStart, free_port

OUR_NUMBER = "15550100"
SECONDS_TO_START = 20


def is_here() -> bool:
    return bool(shutil.which("bearerbox") and shutil.which("smsbox"))


def ensure() -> None:
    """Kannel is on this machine afterwards, or CannotStart says why."""
    if not is_here():
        if not debian.may_install():
            raise CannotStart("These tests need a real Kannel: apt-get install kannel")
        debian.install("kannel")


@dataclass(frozen=True)
class Arrived:
    to: str
    words: str
    at: float


class Phone:
    """Everybody's phone: speaks the line protocol of Kannel's fake message centre, `from to kind words`."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._line.settimeout(None)
        self._arrived = threading.Condition()
        self.texts: list[Arrived] = []
        threading.Thread(target=self._listen, name="phone", daemon=True).start()

    def write(self, number: str, words: str) -> None:
        self._line.sendall(f"{number.lstrip('+')} {OUR_NUMBER} text {words}\n".encode())

    def to(self, number: str) -> list[str]:
        return [text.words for text in list(self.texts) if text.to.lstrip("+") == number.lstrip("+")]

    def wait_for(self, number: str, count: int = 1, seconds: float = 10) -> list[str]:
        with self._arrived:
            self._arrived.wait_for(lambda: len(self.to(number)) >= count, seconds)
        assert len(self.to(number)) >= count, f"{len(self.to(number))} of {count} texts came"
        return self.to(number)

    def close(self) -> None:
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()

    def _listen(self) -> None:
        with suppress(OSError), self._line.makefile("rb") as lines:
            for line in lines:
                self._take(line.decode().rstrip("\n"))

    def _take(self, line: str) -> None:
        _, to, kind, words = (line.split(" ", 3) + [""] * 3)[:4]
        with self._arrived:
            self.texts.append(Arrived(to, _words(kind, words), time.time()))
            self._arrived.notify_all()


def _words(kind: str, words: str) -> str:
    if kind == "udh":  # one part of a long text: its header, the word data, the part
        return words.split(" ", 2)[-1]
    if kind == "ucs-2":
        return unquote_to_bytes(words.replace("+", " ")).decode("utf-16-be")
    return words


@dataclass
class Kannel:
    folder: Path
    callback_url: str
    secret: str
    user: str = "notify"
    password: str = "kannel-password"
    ports: dict[str, int] = field(default_factory=dict)
    phone: Phone = field(init=False)
    _boxes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['sendsms']}"

    def start(self) -> None:
        self.ports = dict(zip(("admin", "box", "smsc", "sendsms"), [free_port() for _ in range(4)], strict=True))
        config = self.folder / "kannel.conf"
        callback = f"{self.callback_url}/sms/kannel/in?secret={self.secret}"
        names = {"folder": self.folder, "number": OUR_NUMBER, "user": self.user, "password": self.password, "callback": callback}
        config.write_text(CONFIG.format(**self.ports, **names))
        self._start_box("bearerbox", config, self.ports["smsc"])
        self._start_box("smsbox", config, self.ports["sendsms"])
        self.phone = Phone(self.ports["smsc"])
        self._wait_until_online()

    def stop(self) -> None:
        if hasattr(self, "phone"):
            self.phone.close()
        for box in reversed(self._boxes):
            box.terminate()
            try:
                box.wait(5)
            except subprocess.TimeoutExpired:
                box.kill()
                box.wait()
        self._boxes.clear()

    def _start_box(self, name: str, config: Path, port: int) -> None:
        log = (self.folder / f"{name}.out").open("wb")
        # A session of its own: Ctrl-C in the test run must not reach it before we stop it in order.
        self._boxes.append(subprocess.Popen([name, "-v", "4", str(config)], stdout=log, stderr=log, start_new_session=True))
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{name} did not open its port: {(self.folder / f'{name}.out').read_text()[-500:]}")

    def _wait_until_online(self) -> None:
        end = time.monotonic() + SECONDS_TO_START
        status = f"http://127.0.0.1:{self.ports['admin']}/status.txt?password=admin-password"
        while time.monotonic() < end:
            with suppress(OSError), urllib.request.urlopen(status, timeout=2) as answer:
                status_page = answer.read().decode()
                if "online" in status_page.split("SMSC connections")[-1] and "smsbox" in status_page:
                    return
            time.sleep(0.05)
        raise TimeoutError("the message centre did not come online")


@contextmanager
def a_kannel(folder: Path, callback_url: str, secret: str) -> Iterator[Kannel]:
    kannel = Kannel(folder, callback_url, secret)
    try:
        kannel.start()
        yield kannel
    finally:
        kannel.stop()


CONFIG = """\
group = core
admin-port = {admin}
admin-password = admin-password
admin-interface = 127.0.0.1
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
box-deny-ip = "*.*.*.*"
log-file = "{folder}/bearerbox.log"
log-level = 1
store-type = file
store-location = "{folder}/store"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = phones
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
sendsms-chars = "0123456789+ "
global-sender = {number}
log-file = "{folder}/smsbox.log"
log-level = 1
mo-recode = true
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
user-allow-ip = "127.0.0.1"
user-deny-ip = "*.*.*.*"
max-messages = 3
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
assume-plain-text = true
accepted-smsc = phones
send-sender = true
post-url = "{callback}&id=%I"
"""
