"""Everybody who offers meetings here, decrypted once for each process. Names and own words are stored encrypted, so only memory
can be searched for them.

`ListingCache.current` asks by one index which entries changed since the last call, and reads those alone. So what was committed
before the call is in it, whichever process wrote it.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pymongo
from bson import Timestamp
from pymongo.errors import PyMongoError

from services.intake import store
from services.intake.rules import Entry, daily_order, may_be_chosen
from services.intake.store import DirectoryChange
from shared.contracts import PractitionerState
from shared.logs import get_logger
from shared.mongo import Db
from shared.vault import Vault

SECONDS_TO_LOAD_AT_START = 10.0
LATE_COMMIT_SECONDS = 15
"""Longer than a transaction lasts (LONGEST_TRANSACTION): whatever was stamped this long ago is committed or never will be."""
log = get_logger("listing")


@dataclass(frozen=True)
class Listing:
    """Everybody who was listed at one moment. Nobody changes it: the next moment is another object."""

    entries: Mapping[str, Entry]
    _orders: dict[str, tuple[date, list[Entry]]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def everybody(self) -> list[Entry]:
        """By name."""
        return sorted(self.entries.values(), key=lambda entry: entry.folded_name)

    def in_daily_order(self, today: date, language: str) -> list[Entry]:
        """As `rules.daily_order` says: put in order by the first who looks on this day, and then the same for everybody."""
        day, ordered = self._orders.get(language, (None, []))
        if day != today:
            ordered = daily_order(self.everybody, today, language)
            self._orders[language] = today, ordered
        return ordered

    @cached_property
    def open_now(self) -> list[Entry]:
        """Those open to somebody new, by name."""
        return [entry for entry in self.everybody if entry.state == "open"]

    @cached_property
    def languages(self) -> list[str]:
        return sorted({language for entry in self.everybody for language in entry.languages})


class ListingCache:
    def __init__(self, db: Db, keys: Vault) -> None:
        self._db, self._keys = db, keys
        self._lock = threading.Lock()  # held while memory is changed, never while the database is asked
        self._listing = Listing({})
        self._versions: dict[str, int] = {}
        self._watermark: _Watermark | None = None
        self._first: _Watermark | None = None
        self._left: list[tuple[PractitionerState, str]] = [("open", ""), ("full", ""), ("resting", "")]

    def load(self) -> None:
        """So that the first visitor does not wait for it. A database that does not answer now is asked again by them."""
        try:
            with pymongo.timeout(SECONDS_TO_LOAD_AT_START):
                self.current()
        except PyMongoError as error:
            log.warning("the directory is loaded later", extra={"reason": type(error).__name__})

    def current(self) -> Listing:
        if self._watermark is None:
            self._load_everybody()
        else:
            self._catch_up(self._watermark)
        return self._listing

    def _load_everybody(self) -> None:
        """In parts: whoever runs out of time leaves the rest to the next."""
        if self._first is None:
            newest = store.newest_directory_change(self._db)  # asked first: what is written meanwhile is read again
            with self._lock:
                self._first = self._first or _Watermark(newest)
        while self._left:
            part = self._left[0]
            entries, last = store.entries_after(self._db, self._keys, *part)
            with self._lock:
                self._take(entries, {id: entry.version for id, entry in entries.items()})
                if self._left[:1] == [part]:
                    self._left[:1] = [(part[0], last)] if last else []
        self._watermark = self._first

    def _catch_up(self, watermark: "_Watermark") -> None:
        changes = store.directory_changes(self._db, watermark.since)
        newer = [change for change in changes if change.version > self._versions.get(change.id, -1)]
        entries = self._read(newer) if newer else {}
        with self._lock:
            self._take(entries, {change.id: change.version for change in newer})
            watermark.advance(max((change.changed_at for change in changes), default=None))

    def _read(self, changes: Sequence[DirectoryChange]) -> dict[str, Entry]:
        listed = [change.id for change in changes if change.state != "stepped_back"]
        return store.entries_by_id(self._db, self._keys, listed) if listed else {}

    def _take(self, entries: Mapping[str, Entry], versions: Mapping[str, int]) -> None:
        """A thread that read before another may come here after it: only what is newer counts."""
        newer = {id: version for id, version in versions.items() if version > self._versions.get(id, -1)}
        if newer:
            changed = {id: entries[id] for id in newer if id in entries and may_be_chosen(entries[id])}
            others = {id: entry for id, entry in self._listing.entries.items() if id not in newer}
            self._listing = Listing(others | changed)
            self._versions |= newer  # afterwards: whoever finds a version known shows the entry too


class _Watermark:
    """`since`: from which stamp on changes may be unknown.

    A change is stamped by the database when it is written and seen when it is committed, so an earlier stamp may be seen later.
    The newest stamp becomes `since` only when it was first seen so long ago that no transaction of that time is still open.
    """

    def __init__(self, newest: Timestamp | None) -> None:
        self.since = Timestamp(max(newest.time - LATE_COMMIT_SECONDS, 0), 0) if newest else Timestamp(0, 0)
        self._next, self._seen_at = newest or self.since, time.monotonic()

    def advance(self, newest: Timestamp | None) -> None:
        if time.monotonic() - self._seen_at > LATE_COMMIT_SECONDS:
            self.since, self._seen_at = self._next, time.monotonic()
            self._next = max(self._next, newest or self._next)
