"""Two people who said yes."""

from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.versioned import Versioned, check
from shared.contracts import EncryptedFields, PairMember


@dataclass(kw_only=True)
class Match(Versioned):
    """`encrypted`: what the two need while they meet, under the key of this match; its notes are under that key too.
    `plan`: the supportee's for hard days, as long as they show it."""

    offer_id: str
    request_id: str
    practitioner_id: str
    supportee_id: str
    made_at: datetime
    ended_at: datetime | None = None
    encrypted: EncryptedFields | None = None
    ended_by: PairMember | None = None
    on_hold: bool = False
    hold_change: int = 0
    plan: str | None = None
    plan_change: int = 0

    def keep(self, encrypted: EncryptedFields | None) -> None:
        """What the two need while they meet, as it is now."""
        self.encrypted = encrypted or self.encrypted
        self.version += 1

    def hold(self, on_hold: bool, change: int) -> None:
        """The supportee takes a pause, or is back. The newest change holds."""
        if change > self.hold_change:
            self.on_hold, self.hold_change = on_hold, change
            self.version += 1

    def show_plan(self, encrypted: str | None, change: int) -> bool:
        """Whether that is news. The newest change holds; None: they took it back. Nothing is shown after the end."""
        if change <= self.plan_change:
            return False
        self.plan, self.plan_change = None if self.ended_at else encrypted, change
        self.version += 1
        return True

    def end(self, moment: datetime, by: PairMember) -> None:
        check(self.ended_at is None, "end a match", "ended")
        self.ended_at, self.ended_by = moment, by
        self.version += 1

    def undo_end(self) -> None:
        check(self.ended_at is not None, "undo the end of a match", "live")
        self.ended_at = self.ended_by = None
        self.version += 1
