"""One practitioner is asked about one request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.matching.domain.versioned import Versioned, check
from shared.contracts import EncryptedFields, OfferReminded, PairMember
from shared.messages import Event

OfferState = Literal["sent", "seen", "accepted", "declined", "expired", "released", "ended"]


@dataclass(kw_only=True)
class Offer(Versioned):
    """One practitioner is asked about one request. It holds `slot` of their places while it is open, and, accepted, while the
    match lives, and while its end may be taken back by `ended_by` (`undo_until`). `code` is what they may type to answer by
    text. `remind_at`: the one reminder, in their waking hours."""

    request_id: str
    supportee_id: str
    practitioner_id: str
    slot: int
    code: str
    state: OfferState = "sent"
    made_at: datetime
    answer_by: datetime
    remind_at: datetime
    reminded_at: datetime | None = None
    seen_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: PairMember | None = None
    undo_until: datetime | None = None
    after_waiting: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in ("sent", "seen")

    @property
    def is_live(self) -> bool:
        """Open, or the two meet."""
        return self.is_open or self.state == "accepted"

    @property
    def holds_place(self) -> bool:
        return self.is_live or self.undo_until is not None

    def may_be_undone_by(self, member: PairMember, moment: datetime) -> bool:
        return self.ended_by == member and self.undo_until is not None and moment < self.undo_until

    def see(self, moment: datetime) -> None:
        check(self.state == "sent", "see", self.state)
        self.seen_at = moment
        self._become("seen")

    def remind(self, moment: datetime, links: EncryptedFields) -> list[Event]:
        """Once, while there is time to answer."""
        check(self.is_open and self.reminded_at is None and moment < self.answer_by, "remind", self.state)
        self.reminded_at = moment
        self.version += 1
        return [
            OfferReminded(
                offer_id=self.id,
                request_id=self.request_id,
                practitioner_id=self.practitioner_id,
                answer_by=self.answer_by,
                code=self.code,
                encrypted=links,
            )
        ]

    def accept(self, moment: datetime) -> None:
        self._end("accepted", moment)

    def decline(self, moment: datetime) -> None:
        self._end("declined", moment)

    def expire(self, moment: datetime) -> None:
        check(self.answer_by <= moment, "expire", f"{self.state} with time left")
        self._end("expired", moment)

    def release(self, moment: datetime) -> None:
        """The supportee went another way before the answer."""
        self._end("released", moment)

    def end_meetings(self, moment: datetime, by: PairMember, undo_until: datetime | None) -> None:
        """After a yes."""
        check(self.state == "accepted", "end meetings", self.state)
        self.ended_at, self.ended_by, self.undo_until = moment, by, undo_until
        self._become("ended")

    def undo_end(self, said_yes_at: datetime) -> None:
        check(self.undo_until is not None, "undo an end", self.state)
        self.ended_at, self.ended_by, self.undo_until = said_yes_at, None, None
        self._become("accepted")

    def settle_end(self) -> None:
        """It cannot be taken back any more, and no longer holds the place."""
        check(self.undo_until is not None, "settle an end", self.state)
        self.undo_until = None
        self.version += 1

    def change_to_yes(self, slot: int, moment: datetime) -> None:
        """A "not this time" becomes a yes, with a place held anew."""
        check(self.state == "declined", "change to yes", self.state)
        self.slot, self.ended_at = slot, moment
        self._become("accepted")

    def _end(self, state: OfferState, moment: datetime) -> None:
        check(self.is_open, state, self.state)
        self.ended_at = moment
        self._become(state)

    def _become(self, state: OfferState) -> None:
        self.state = state
        self.version += 1
