"""Two questions to two people who have met some times."""

from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.versioned import Versioned
from shared.contracts import LookBackChange, LookBackChanged, PairMember
from shared.messages import Event


@dataclass(kw_only=True)
class LookBack(Versioned):
    """Of one match; `id` is its id. What each answered is under the key of the match. Neither hears whether the other did, until
    both have."""

    request_id: str
    offer_id: str
    supportee_id: str
    practitioner_id: str
    supportee: str | None = None
    practitioner: str | None = None
    practitioner_not_now: bool = False
    ended_at: datetime | None = None

    @property
    def is_shown(self) -> bool:
        return bool(self.supportee and self.practitioner)

    def ask(self) -> list[Event]:
        return self._changed("opened")

    def answer(self, by: PairMember, encrypted: str) -> list[Event]:
        """Once each, also after "not now"."""
        if self.ended_at or (self.supportee if by == "supportee" else self.practitioner):
            return []
        if by == "supportee":
            self.supportee = encrypted
        else:
            self.practitioner = encrypted
        return self._changed("shown" if self.is_shown else "answered")

    def put_off(self) -> None:
        self.practitioner_not_now = True
        self.version += 1

    def end(self, moment: datetime) -> list[Event]:
        if self.ended_at:
            return []
        self.ended_at = moment
        return self._changed("pair_ended")

    def undo_end(self) -> list[Event]:
        if self.ended_at is None:
            return []
        self.ended_at = None
        return self._changed("pair_resumed")

    def _changed(self, change: LookBackChange) -> list[Event]:
        """Nothing is published of one answer alone."""
        self.version += 1
        if change == "answered":
            return []
        return [
            LookBackChanged(
                match_id=self.id,
                request_id=self.request_id,
                offer_id=self.offer_id,
                supportee_id=self.supportee_id,
                practitioner_id=self.practitioner_id,
                version=self.version,
                change=change,
                supportee=self.supportee if self.is_shown else None,
                practitioner=self.practitioner if self.is_shown else None,
                ended_at=self.ended_at,
            )
        ]
