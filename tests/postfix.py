"""A private Postfix on a free port of this machine: it greylists whom it does not know and relays to a server of the test.

with a_postfix(relay_to=mailbox.port) as postfix:
    postfix.url                     # for SMTP_URL

Its queue, settings and log are its own, in a folder under /tmp: Postfix's processes run as their own user, who must get there.
"""

import os
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

DAEMONS = Path("/usr/lib/postfix/sbin")
SECONDS_TO_START = 20


def can_run() -> bool:
    """Its master process must start as root."""
    return bool(shutil.which("postfix")) and (DAEMONS / "master").exists() and os.geteuid() == 0


@dataclass(frozen=True)
class Postfix:
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class Greylist(socketserver.ThreadingTCPServer):
    """Postfix's policy protocol: attributes as `name=value` lines, an empty line, and one answer. Each recipient waits once."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Ask)
        self.known: set[str] = set()
        self.deferred: list[str] = []

    def action_for(self, recipient: str) -> str:
        if recipient in self.known:
            return "DUNNO"
        self.known.add(recipient)
        self.deferred.append(recipient)
        return "DEFER_IF_PERMIT greylisted, try again later"


class _Ask(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        greylist = self.server
        assert isinstance(greylist, Greylist)
        attributes: dict[str, str] = {}
        for line in self.rfile:
            name, _, value = line.decode().rstrip("\n").partition("=")
            attributes[name] = value
            if not name:
                self.wfile.write(f"action={greylist.action_for(attributes.get('recipient', ''))}\n\n".encode())


@contextmanager
def a_greylist() -> Iterator[Greylist]:
    with Greylist() as greylist:
        threading.Thread(target=greylist.serve_forever, daemon=True).start()
        yield greylist
        greylist.shutdown()


@contextmanager
def a_postfix(*, relay_to: int, greylist: Greylist) -> Iterator[Postfix]:
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    postfix = Postfix(_free_port(), folder)
    _write_settings(postfix, relay_to, greylist.server_address[1])
    subprocess.run(["postfix", "-c", str(folder / "etc"), "check"], check=True, capture_output=True)
    # A session of its own: it ends with the whole group, whatever children it has then.
    master = subprocess.Popen([DAEMONS / "master", "-c", folder / "etc", "-d"], start_new_session=True)
    try:
        _wait_until_it_greets(postfix)
        yield postfix
    finally:
        master.terminate()
        try:
            master.wait(10)
        except subprocess.TimeoutExpired:
            master.kill()
            master.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _write_settings(postfix: Postfix, relay_to: int, policy: int) -> None:
    import pwd

    folder, owner = postfix.folder, pwd.getpwnam("postfix")
    (folder / "etc").mkdir()
    (folder / "queue").mkdir()
    (folder / "data").mkdir()
    os.chown(folder / "data", owner.pw_uid, owner.pw_gid)
    (folder / "etc" / "main.cf").write_text(MAIN.format(folder=folder, relay_to=relay_to, policy=policy))
    (folder / "etc" / "master.cf").write_text(MASTER.format(port=postfix.port))


def _wait_until_it_greets(postfix: Postfix) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", postfix.port), timeout=5) as line:
            if line.recv(100).startswith(b"220"):
                return
        time.sleep(0.05)
    log = postfix.folder / "log"
    raise TimeoutError(f"Postfix did not start: {log.read_text()[-1000:] if log.exists() else 'no log'}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtputf8_enable = no
relayhost = [127.0.0.1]:{relay_to}
smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:{policy}, permit_mynetworks, reject
smtpd_relay_restrictions = permit_mynetworks, reject
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""
