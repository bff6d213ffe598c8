"""When and where two people meet."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.matching.domain.versioned import Versioned
from shared import meetings
from shared.contracts import (
    MeetingsAction,
    MeetingsChange,
    MeetingsChanged,
    MeetingType,
    PairMember,
    Proposal,
    Reminder,
    Room,
    Series,
    WeeklyHour,
)
from shared.messages import Event

LOOK_BACK_AFTER = 4


@dataclass(kw_only=True)
class Meetings(Versioned):
    """The meetings of one match; `id` is its id. What is not possible any more changes nothing: the other was sooner, and the
    page shows how it stands. Fields: see MeetingsChanged."""

    request_id: str
    offer_id: str
    supportee_id: str
    practitioner_id: str
    supportee_zone: str
    practitioner_zone: str
    hours: tuple[WeeklyHour, ...] = ()
    proposal: Proposal | None = None
    series: Series | None = None
    former: tuple[Series, ...] = ()
    meeting_type: MeetingType | None = None
    doing: str | None = None
    encrypted_place: str | None = None
    on_hold: bool = False
    ended_at: datetime | None = None
    remind_supportee: tuple[Reminder, ...] = ()
    remind_practitioner: tuple[Reminder, ...] = ()
    phone_supportee: str | None = None
    phone_practitioner: str | None = None
    asked_to_look_back: bool = False
    look_back_since: datetime | None = None
    room: Room | None = None

    @property
    def callers(self) -> tuple[PairMember, ...]:
        """Who said yes to phone calls."""
        said: tuple[tuple[PairMember, str | None], ...] = (
            ("practitioner", self.phone_practitioner),
            ("supportee", self.phone_supportee),
        )
        return tuple(who for who, phone in said if phone)

    @property
    def both_call(self) -> bool:
        return len(self.callers) == 2

    @property
    def look_back_at(self) -> datetime | None:
        """When enough of their meetings are over that they are asked to look back. After a pause it begins anew."""
        waits = self.series is None or not self.series.runs or self.on_hold or self.ended_at or self.asked_to_look_back
        return None if waits or self.series is None else meetings.end_of_nth(self.series, LOOK_BACK_AFTER, self.look_back_since)

    def ask_to_look_back(self) -> None:
        """Once. Nothing is published of it, so it is no new version."""
        self.asked_to_look_back = True

    def find_hours(self, hours: tuple[WeeklyHour, ...], supportee_zone: str, practitioner_zone: str) -> list[Event]:
        """What the two weeks have in common, as they are now."""
        if self.version and (self.hours, self.supportee_zone, self.practitioner_zone) == (
            hours,
            supportee_zone,
            practitioner_zone,
        ):
            return []
        self.hours, self.supportee_zone, self.practitioner_zone = hours, supportee_zone, practitioner_zone
        return self._changed("hours_found", None)

    def propose(self, proposal: Proposal) -> list[Event]:
        """The newest proposal is the one that stands. Hours that are agreed stay until another is chosen."""
        if not self._go_on or (self.proposal and self.proposal.id == proposal.id):
            return []
        self.proposal = proposal
        return self._changed("proposed", proposal.by)

    def choose(self, proposal_id: str, start: datetime, by: PairMember, series_id: str, moment: datetime) -> list[Event]:
        """One of the hours that the other proposed, once."""
        proposal = self.proposal
        if not self._go_on or proposal is None or proposal.id != proposal_id or proposal.by == by:
            return []
        if start not in proposal.starts or start <= moment:
            return []
        self._end_series(moment)
        self.series = meetings.anchored_at(start, proposal.zone, id=series_id, weekly=proposal.weekly)
        self.meeting_type, self.doing, self.proposal = proposal.meeting_type, proposal.doing, None
        return self._changed("set", by)

    def adjust(
        self, action: MeetingsAction, series_id: str, by: PairMember, moment: datetime, on: str = "", to: datetime | None = None
    ) -> list[Event]:
        """`series_id`: of the series that whoever does it had before them, or of their proposal."""
        if action == "take_back":
            return self._take_back(series_id, by)
        series = self.series
        if not self._go_on or series is None or series.id != series_id:
            return []
        if action == "end":
            self._end_series(moment)
            self._leave_room()
            return self._changed("end", by)
        adjusted = _adjusted(series, action, moment, on, to)
        if adjusted == series:
            return []
        if action == "resume":
            self.look_back_since = moment
        self.series = meetings.without_old_changes(adjusted, moment)
        return self._changed(action, by)

    def remind(self, before: tuple[Reminder, ...], who: PairMember) -> list[Event]:
        """Only themselves."""
        if not self._go_on or before == (self.remind_supportee if who == "supportee" else self.remind_practitioner):
            return []
        if who == "supportee":
            self.remind_supportee = before
        else:
            self.remind_practitioner = before
        return self._changed("remind", who)

    def agree_to_calls(self, encrypted_phone: str | None, who: PairMember) -> list[Event]:
        """None: not any more. Neither sees the other's number before both have said yes."""
        if not self._go_on or not (encrypted_phone or who in self.callers):
            return []
        if who == "supportee":
            self.phone_supportee = encrypted_phone
        else:
            self.phone_practitioner = encrypted_phone
        return self._changed("calls", who)

    def find_place(self, encrypted_place: str | None) -> list[Event]:
        """The practitioner says where, or takes that back. A room of the video provider is not needed any more then."""
        if not self._go_on:
            return []
        self.encrypted_place, self.room = encrypted_place, None
        return self._changed("place", "practitioner")

    def want_room(self, room_id: str) -> list[Event]:
        """Of the video provider. Where they meet stays as it is until the room is there."""
        if not self._go_on or (self.room and self.room.state != "failed"):
            return []
        self.room = Room(id=room_id)
        return self._changed("room_wanted", None)

    def take_room(self, room_id: str, encrypted_place: str) -> list[Event]:
        """Also after they ended, as that may be taken back."""
        if self.room is None or self.room.id != room_id or self.room.state != "wanted":
            return []
        self.encrypted_place, self.room = encrypted_place, Room(id=room_id, state="made")
        return self._changed("room_made", "practitioner" if self._go_on else None)

    def give_up_room(self, room_id: str) -> list[Event]:
        """Whoever wanted it hears that."""
        if self.room is None or self.room.id != room_id or self.room.state != "wanted":
            return []
        self.room = Room(id=room_id, state="failed")
        return self._changed("room_failed", None)

    def hold(self, on_hold: bool, moment: datetime) -> list[Event]:
        if self.on_hold == on_hold:
            return []
        self.on_hold, self.look_back_since = on_hold, moment
        return self._changed("held", "supportee")

    def end(self, moment: datetime) -> list[Event]:
        """The two do not meet any more."""
        if self.ended_at:
            return []
        self.ended_at = moment
        return self._changed("pair_ended", None)

    def undo_end(self) -> list[Event]:
        if self.ended_at is None:
            return []
        self.ended_at = None
        return self._changed("pair_resumed", None)

    @property
    def _go_on(self) -> bool:
        return self.ended_at is None

    def _take_back(self, proposal_id: str, by: PairMember) -> list[Event]:
        if self.proposal is None or (self.proposal.id, self.proposal.by) != (proposal_id, by):
            return []
        self.proposal = None
        return self._changed("take_back", by)

    def _leave_room(self) -> None:
        if self.room and self.room.state == "made":
            self.encrypted_place = None
        self.room = None

    def _end_series(self, moment: datetime) -> None:
        kept = tuple(one for one in self.former if one.ended_at and moment - one.ended_at < meetings.KEPT)
        self.former = (*kept, replace(self.series, ended_at=moment)) if self.series else kept
        self.series = None

    def _changed(self, change: MeetingsChange, by: PairMember | None) -> list[Event]:
        self.version += 1
        return [
            MeetingsChanged(
                match_id=self.id,
                request_id=self.request_id,
                offer_id=self.offer_id,
                supportee_id=self.supportee_id,
                practitioner_id=self.practitioner_id,
                version=self.version,
                change=change,
                by=by,
                supportee_zone=self.supportee_zone,
                practitioner_zone=self.practitioner_zone,
                hours=self.hours,
                proposal=self.proposal,
                series=self.series,
                former=self.former,
                meeting_type=self.meeting_type,
                doing=self.doing,
                encrypted_place=self.encrypted_place,
                on_hold=self.on_hold,
                ended_at=self.ended_at,
                remind_supportee=self.remind_supportee,
                remind_practitioner=self.remind_practitioner,
                callers=self.callers,
                encrypted_phone=self.phone_practitioner if self.both_call else None,
                room=self.room,
            )
        ]


def _adjusted(series: Series, action: MeetingsAction, moment: datetime, on: str, to: datetime | None) -> Series:
    """The same series where that is not possible."""
    if action == "pause":
        return series if series.paused_at else replace(series, paused_at=moment)
    if action == "resume":
        return replace(series, paused_at=None)
    if not series.runs or not meetings.may_change(series, on, moment):
        return series
    if action == "skip":
        return meetings.skip(series, on)
    if action == "keep":
        return meetings.keep(series, on) if meetings.start_on_date(series, on) > moment else series
    if action == "move" and to and meetings.wrong_start(to, moment) is None:
        return meetings.move(series, on, to)
    return series
