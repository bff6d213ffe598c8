"""What two people agree on, written by both."""

from dataclasses import dataclass
from datetime import datetime

from services.matching.domain.versioned import Versioned
from shared.contracts import AgreementChange, AgreementChanged, AgreementText, AgreementWritten, PairMember
from shared.messages import Event


@dataclass(kw_only=True)
class Agreement(Versioned):
    """Of one match; `id` is its id. Whoever writes a version has said yes to it. What is not possible any more changes nothing.

    `practitioner_number`: of the last version or deletion that was the practitioner's, `begun`: of the version with which this
    agreement began, by `begun_by`. Other fields: see AgreementChanged."""

    request_id: str
    offer_id: str
    supportee_id: str
    practitioner_id: str
    number: int = 0
    newest: AgreementText | None = None
    before: AgreementText | None = None
    said_yes: tuple[PairMember, ...] = ()
    practitioner_number: int = 0
    begun: int = 0
    begun_by: PairMember | None = None
    heard: int = 0
    accepted: str | None = None
    ended_at: datetime | None = None

    # The practitioner, with the newest version before them or not

    def write(self, text_id: str, base: int, encrypted: str, moment: datetime) -> list[Event]:
        if self.ended_at or base != self.number:
            return []
        self._write(text_id, "practitioner", encrypted, moment)
        return self._changed("written", "practitioner")

    def agree(self, number: int) -> list[Event]:
        return [] if self.ended_at else self._agree(number, "practitioner")

    def delete(self, base: int) -> list[Event]:
        return self._delete(base, "practitioner")

    # The supportee: what they do comes in any order, and `change` says which is newer

    def hear_text(self, said: AgreementWritten, moment: datetime) -> list[Event]:
        """They hear, too, that it did not become one."""
        if not self._is_new(said.change):
            return []
        if self.ended_at or said.base < self.practitioner_number:
            return self._changed("unchanged", None)
        if said.begins:
            self._clear()
        self._write(said.text_id, "supportee", said.encrypted, moment)
        self.accepted = said.text_id
        return self._changed("written", "supportee")

    def hear_yes(self, change: int, number: int) -> list[Event]:
        if not self._is_new(change):
            return []
        return (self._agree(number, "supportee") if not self.ended_at else []) or self._changed("unchanged", None)

    def hear_deletion(self, change: int, base: int) -> list[Event]:
        if not self._is_new(change):
            return []
        return self._delete(base, "supportee") or self._changed("unchanged", None)

    # With their match

    def end(self, moment: datetime) -> list[Event]:
        if self.ended_at:
            return []
        self.ended_at = moment
        return self._changed("pair_ended", None)

    def undo_end(self) -> list[Event]:
        if self.ended_at is None:
            return []
        self.ended_at = None
        return self._changed("pair_resumed", None)

    def _is_new(self, change: int) -> bool:
        """What is older than the newest that was heard is not known to have been done."""
        is_new = change > self.heard
        self.heard = max(change, self.heard)
        return is_new

    def _write(self, text_id: str, by: PairMember, encrypted: str, moment: datetime) -> None:
        if {*self.said_yes} - {by}:
            self.before = self.newest
        self._count(by)
        if self.newest is None:
            self.begun, self.begun_by = self.number, by
        self.newest = AgreementText(id=text_id, number=self.number, by=by, written_at=moment, encrypted=encrypted)
        self.said_yes = (by,)

    def _agree(self, number: int, by: PairMember) -> list[Event]:
        if self.newest is None or self.newest.number != number or by in self.said_yes:
            return []
        self.said_yes, self.before = (*self.said_yes, by), None
        return self._changed("agreed", by)

    def _delete(self, base: int, by: PairMember) -> list[Event]:
        """Also after their meetings ended. One that was begun since by the other stays: it was not before them."""
        if self.newest is None or (base < self.begun and self.begun_by != by):
            return []
        self._clear()
        self._count(by)
        return self._changed("deleted", by)

    def _clear(self) -> None:
        self.newest = self.before = None
        self.said_yes = ()

    def _count(self, by: PairMember) -> None:
        self.number += 1
        if by == "practitioner":
            self.practitioner_number = self.number

    def _changed(self, change: AgreementChange, by: PairMember | None) -> list[Event]:
        self.version += 1
        return [
            AgreementChanged(
                match_id=self.id,
                request_id=self.request_id,
                offer_id=self.offer_id,
                supportee_id=self.supportee_id,
                practitioner_id=self.practitioner_id,
                version=self.version,
                change=change,
                by=by,
                number=self.number,
                newest=self.newest,
                before=self.before,
                said_yes=self.said_yes,
                heard=self.heard,
                accepted=self.accepted,
                ended_at=self.ended_at,
            )
        ]
