"""Counts that all processes of one website share. They live in memory: on no disk, in no database, and gone when it stops.

The memory is made when this module is imported. gunicorn's first process does that before it makes its workers
(deploy/gunicorn.conf.py), so all of them have the same memory, and the same key under which names are hashed.
"""

import fcntl
import hmac
import mmap
import os
import secrets
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.clock import now

SLOTS = 1 << 16  # 2 MB, of which only what is used is taken
SLOTS_TO_TRY = 16
SLOT = struct.Struct("=16sdI4x")  # digest of the name, when it ends, the count
MOST = 2**32 - 1
SECONDS_BETWEEN_WIPES = 3600  # no trace of anybody stays for much longer than it is counted


@dataclass(frozen=True)
class _Slot:
    number: int
    ends_at: float = 0.0
    count: int = 0


class SharedCounts:
    """A table of limited size. When many names are counted at once, those go first that would end first."""

    def __init__(self, slots: int = SLOTS) -> None:
        self._slots = slots
        self._file = os.memfd_create("counts")
        os.ftruncate(self._file, slots * SLOT.size)
        self._memory = mmap.mmap(self._file, slots * SLOT.size)
        self._key = secrets.token_bytes(32)
        self._threads = threading.Lock()
        self._wiped_at = 0.0

    def digest(self, text: str) -> str:
        """The same in all processes, and nowhere else."""
        return hmac.digest(self._key, text.encode(), "sha256").hex()

    def add(self, name: str, seconds: float, amount: int = 1) -> int:
        """The count with this one. It begins again `seconds` after its first; `amount` 0: only look."""
        moment, digest = now().timestamp(), self._short(name)
        with self._locked():
            self._wipe(moment)
            found = self._find(digest, moment)
            count = min(found.count + amount, MOST)
            if amount:
                self._write(found.number, digest, found.ends_at or moment + seconds, count)
        return count

    def count(self, name: str) -> int:
        return self._look(name).count

    def ends_at(self, name: str) -> float:
        """Seconds since 1970; now for what is not counted."""
        return self._look(name).ends_at or now().timestamp()

    def forget(self, name: str) -> None:
        digest = self._short(name)
        with self._locked():
            found = self._find(digest, now().timestamp())
            if found.ends_at:
                self._write(found.number, b"", 0.0, 0)

    def forget_all(self) -> None:
        with self._locked():
            self._memory[:] = bytes(len(self._memory))

    def _look(self, name: str) -> _Slot:
        with self._locked():
            return self._find(self._short(name), now().timestamp())

    def _find(self, digest: bytes, moment: float) -> _Slot:
        """Its slot, or the one that it may take: with `ends_at` 0."""
        first = int.from_bytes(digest[:8])
        free, free_from = 0, float("inf")
        for number in ((first + step) % self._slots for step in range(SLOTS_TO_TRY)):
            held, ends_at, count = SLOT.unpack_from(self._memory, number * SLOT.size)
            if held == digest and ends_at > moment:
                return _Slot(number, ends_at, count)
            if ends_at < free_from:
                free, free_from = number, ends_at
        return _Slot(free)

    def _wipe(self, moment: float) -> None:
        """What has ended."""
        if moment - self._wiped_at < SECONDS_BETWEEN_WIPES:
            return
        self._wiped_at = moment
        for number in range(self._slots):
            if 0 < SLOT.unpack_from(self._memory, number * SLOT.size)[1] <= moment:
                self._write(number, b"", 0.0, 0)

    def _write(self, number: int, digest: bytes, ends_at: float, count: int) -> None:
        SLOT.pack_into(self._memory, number * SLOT.size, digest, ends_at, count)

    def _short(self, name: str) -> bytes:
        return hmac.digest(self._key, name.encode(), "sha256")[:16]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """For this thread in this process. The kernel takes a lock back from a process that was killed."""
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


counts = SharedCounts()
