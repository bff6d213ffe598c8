"""A wire between the worker and the broker that can be cut, or go silent like a black hole."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    def __init__(self, amqp_url: str) -> None:
        parts = urlsplit(amqp_url)
        self.lead_to(amqp_url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        credentials = f"{parts.username}:{parts.password}@" if parts.username else ""
        self.amqp_url = urlunsplit(parts._replace(netloc=f"{credentials}127.0.0.1:{port}"))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._flows = threading.Event()
        self._flows.set()
        self._takes = True
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, amqp_url: str) -> None:
        """New connections go to this broker."""
        parts = urlsplit(amqp_url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5672)

    def cut(self) -> None:
        """Every connection is lost now; new ones are refused until heal()."""
        self._takes = False
        self.cut_once()

    def cut_once(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for side in pair:
                _shut(side)

    def go_silent(self) -> None:
        """Connections stay open and nothing passes any more."""
        self._flows.clear()

    def heal(self) -> None:
        self._takes = True
        self._flows.set()

    def close(self) -> None:
        self._listener.close()
        self._flows.set()
        self.cut_once()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._takes:
                _shut(near)
                continue
            far = socket.create_connection(self._target)
            self._pairs.append((near, far))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self._flows.wait()
                other.sendall(data)
        _shut(one)
        _shut(other)


def _shut(side: socket.socket) -> None:
    with suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
    side.close()
