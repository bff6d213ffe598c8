"""The state that matching keeps, as typed objects.

A transition checks the state it starts from (InvalidTransition), raises the version and returns the events to publish. Nothing
here reads a clock, draws an id or knows a database: moments, ids and encrypted fields are handed in. Whom to ask is decided in
rules.py.
"""

import string
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal

from shared.contracts import (
    AfterEnding,
    AgeGroup,
    Choice,
    CoordinatorNeeded,
    EncryptedFields,
    EscalationReason,
    Help,
    MatchEnded,
    MatchEndingSettled,
    MatchEndingUndone,
    MatchMade,
    MeetingType,
    Mode,
    Next,
    OfferDeclined,
    OfferExpired,
    OfferMade,
    OfferReleased,
    OfferReminded,
    OfferSeen,
    PairMember,
    Part,
    PractitionerChanged,
    PractitionerState,
    ReleaseReason,
    RequestChanged,
    RequestLapsed,
    RequestSubmitted,
    RequestWaiting,
    SuggestionsMade,
)
from shared.messages import Event

RequestState = Literal["received", "asking", "waiting", "reaching_out", "matched", "withdrawn", "lapsed"]
OfferState = Literal["sent", "seen", "accepted", "declined", "expired", "released", "ended"]
TaskReason = EscalationReason | Literal["stranded", "erasure_late"]
WaitingFor = Literal["place", "choice"]
Queue = Literal["named", "anyone", "suggestions"]
AuditAction = Literal[
    "opened",
    "asked",
    "suggested",
    "reaches_out",
    "wrote",
    "resolved",
    "reopened",
    "let_in",
    "shared_by_practitioner",
    "shared_by_supportee",
    "released",
    "held_back",
    "goes_on",
]

CODES = tuple(letter + digit for letter in string.ascii_uppercase if letter not in "OIL" for digit in "23456789")
"""What answers an offer by text: short enough to type on any phone, and nothing that looks like something else."""


class InvalidTransition(Exception):
    """The object is not in a state that this change may start from."""


def _check(allowed: bool, change: str, state: str) -> None:
    if not allowed:
        raise InvalidTransition(f"{change} from {state}")


def _transient(default: Any) -> Any:
    """A field of the object in memory that is never stored."""
    return field(default=default, compare=False, repr=False, metadata={"transient": True})


@dataclass(kw_only=True)
class Versioned:
    """`version` grows with every change. `stored_version` is the one that the store read or wrote last; None: not stored yet."""

    id: str
    version: int = 0
    stored_version: int | None = _transient(None)


@dataclass(frozen=True, kw_only=True)
class Hours:
    """One row of a practitioner's week, in their zone. `day` counts from Monday, `start` and `end` are minutes of the day."""

    day: int
    start: int
    end: int


@dataclass(kw_only=True)
class Practitioner(Versioned):
    """Empty `languages`, `meeting_types`, `ages`, `parts` and `hours` mean: no limit. `hours` say it more exactly than `parts`.

    `places`: how many people they meet in all; `occupied_slots`: the numbers of the places that are held, each by one open offer
    or one live match. `pending_codes`: the codes of those offers, at most `offers_at_once`; `codes_given`: how many were given in
    all. `avoid`: ids of supportees. `name_index`: keyed hashes of the parts of their name.
    `contact` is encrypted for notify alone; `encrypted_profile` is what everybody may read, under the directory key.
    """

    state: PractitionerState = "open"
    resting_until: datetime | None = None
    places: int = 1
    offers_at_once: int = 1
    occupied_slots: tuple[int, ...] = ()
    pending_codes: tuple[str, ...] = ()
    codes_given: int = 0
    last_asked_at: datetime | None = None
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    ages: tuple[AgeGroup, ...] = ()
    parts: tuple[Part, ...] = ()
    hours: tuple[Hours, ...] = ()
    time_zone: str = "UTC"
    help: tuple[Help, ...] = ()
    not_now: tuple[Help, ...] = ()
    avoid: tuple[str, ...] = ()
    name_index: tuple[str, ...] = ()
    language: str = "en"
    published_state: PractitionerState | None = None
    published_resting_until: datetime | None = None
    encrypted_profile: str = ""
    slug_index: str | None = None
    email_index: str | None = None
    contact: EncryptedFields | None = None
    contact_version: int = 0
    has_phone: bool = False
    # Free places that the assignment job has yet to offer to those who wait.
    reserved: int = _transient(0)
    # Whether a change of this object may have made room for somebody who waits.
    made_room: bool = _transient(False)
    # Whether they stepped back since they were read.
    just_stepped_back: bool = _transient(False)

    @property
    def occupied(self) -> int:
        return len(self.occupied_slots)

    @property
    def pending_offers(self) -> int:
        return len(self.pending_codes)

    @property
    def free_places(self) -> int:
        """How many people this practitioner may be asked about now: places left, and no more at once than they set."""
        return max(0, min(self.places - self.occupied, self.offers_at_once - self.pending_offers))

    @property
    def has_stepped_back(self) -> bool:
        return self.state == "stepped_back"

    @property
    def has_room(self) -> bool:
        return self.state == "open" and self.free_places > 0

    @property
    def is_available(self) -> bool:
        """Has room for somebody who does not wait for it already."""
        return self.has_room and self.free_places > self.reserved

    @property
    def public_state(self) -> PractitionerState:
        """Being asked about somebody is not being full; having no place left is."""
        return "full" if self.state == "open" and self.occupied >= self.places else self.state

    def hold_place(self, moment: datetime) -> list[Event]:
        """For an offer. Its slot is the last of `occupied_slots` then, its code the last of `pending_codes`."""
        self._occupy_slot(moment)
        self.pending_codes += (self._next_code(),)
        return self._changed()

    def hold_place_for_match(self, moment: datetime) -> list[Event]:
        """For an offer that was over and is answered with a yes. The slot is the last of `occupied_slots` then."""
        self._occupy_slot(moment)
        return self._changed()

    def keep_place(self, code: str) -> list[Event]:
        """The offer with this code became a match: one offer less is pending, its place stays taken."""
        self._close_code(code)
        return self._changed(made_room=True)

    def free_place(self, slot: int, pending_code: str | None) -> list[Event]:
        """At the end of the offer with this code, or, with None, of a match."""
        _check(slot in self.occupied_slots, "free a place", f"slot {slot} not held")
        self.occupied_slots = tuple(held for held in self.occupied_slots if held != slot)
        if pending_code:
            self._close_code(pending_code)
        return self._changed(made_room=True)

    def rest(self, until: datetime | None) -> list[Event]:
        """Offers that are open stay so: each can still be answered. `until` None: until they end the pause by themselves."""
        _check(not self.has_stepped_back, "rest", self.state)
        self.state, self.resting_until = "resting", until
        return self._changed()

    def end_pause(self) -> list[Event]:
        _check(self.state == "resting", "end a pause", self.state)
        self.state, self.resting_until = "open", None
        return self._changed(made_room=True)

    def step_back(self) -> list[Event]:
        """Offers that are open stay so. Nobody new is asked about, whoever waits for them does not wait any longer."""
        _check(not self.has_stepped_back, "step back", self.state)
        self.state, self.resting_until, self.just_stepped_back = "stepped_back", None, True
        return self._changed()

    def come_back(self) -> list[Event]:
        """Only a coordinator brings them back."""
        _check(self.has_stepped_back, "come back", self.state)
        self.state, self.just_stepped_back = "open", False
        return self._changed(made_room=True)

    def set_availability(
        self, state: PractitionerState, resting_until: datetime | None, places: int, offers_at_once: int
    ) -> list[Event]:
        """Fewer places than are taken now are allowed: they count once enough people are gone."""
        _check(not self.has_stepped_back and state != "stepped_back", f"set to {state}", self.state)
        self.state, self.resting_until = state, resting_until if state == "resting" else None
        self.places, self.offers_at_once = places, offers_at_once
        return self._changed(made_room=True)

    def publish(self) -> list[Event]:
        """After an edit of the profile, or for whoever has to hear the whole of it again."""
        self.version += 1
        self.made_room = self.has_room
        return [self._published()]

    def _occupy_slot(self, moment: datetime) -> None:
        _check(self.has_room, "hold a place", f"{self.state} with {self.free_places} free")
        slot = next(number for number in range(self.occupied + 1) if number not in self.occupied_slots)
        self.occupied_slots += (slot,)
        self.last_asked_at = moment

    def _next_code(self) -> str:
        """All others that are not pending come before one comes again: an old text must not answer a new offer."""
        codes = _codes_of(self.id)
        while codes[self.codes_given % len(codes)] in self.pending_codes:
            self.codes_given += 1
        self.codes_given += 1
        return codes[(self.codes_given - 1) % len(codes)]

    def _close_code(self, code: str) -> None:
        self.pending_codes = tuple(pending for pending in self.pending_codes if pending != code)

    def _changed(self, made_room: bool = False) -> list[Event]:
        self.version += 1
        self.made_room = (self.made_room or made_room) and self.has_room
        seen = self.published_state, self.published_resting_until
        return [] if seen == (self.public_state, self.resting_until) else [self._published()]

    def _published(self) -> PractitionerChanged:
        self.published_state, self.published_resting_until = self.public_state, self.resting_until
        return PractitionerChanged(
            practitioner_id=self.id,
            version=self.version,
            state=self.public_state,
            resting_until=self.resting_until,
            languages=self.languages,
            meeting_types=self.meeting_types,
            parts=self.parts,
            help=self.help,
            encrypted_profile=self.encrypted_profile,
        )


@lru_cache(maxsize=1024)
def _codes_of(practitioner_id: str) -> tuple[str, ...]:
    """In an order of this practitioner's own: codes of two people who share a phone seldom meet."""
    return tuple(sorted(CODES, key=lambda code: sha256(f"{practitioner_id}/{code}".encode()).digest()))


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
        _check(self.state == "sent", "see", self.state)
        self.seen_at = moment
        self._become("seen")

    def remind(self, moment: datetime, links: EncryptedFields) -> list[Event]:
        """Once, while there is time to answer."""
        _check(self.is_open and self.reminded_at is None and moment < self.answer_by, "remind", self.state)
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
        _check(self.answer_by <= moment, "expire", f"{self.state} with time left")
        self._end("expired", moment)

    def release(self, moment: datetime) -> None:
        """The supportee went another way before the answer."""
        self._end("released", moment)

    def end_meetings(self, moment: datetime, by: PairMember, undo_until: datetime | None) -> None:
        """After a yes."""
        _check(self.state == "accepted", "end meetings", self.state)
        self.ended_at, self.ended_by, self.undo_until = moment, by, undo_until
        self._become("ended")

    def undo_end(self, said_yes_at: datetime) -> None:
        _check(self.undo_until is not None, "undo an end", self.state)
        self.ended_at, self.ended_by, self.undo_until = said_yes_at, None, None
        self._become("accepted")

    def settle_end(self) -> None:
        """It cannot be taken back any more, and no longer holds the place."""
        _check(self.undo_until is not None, "settle an end", self.state)
        self.undo_until = None
        self.version += 1

    def change_to_yes(self, slot: int, moment: datetime) -> None:
        """A "not this time" becomes a yes, with a place held anew."""
        _check(self.state == "declined", "change to yes", self.state)
        self.slot, self.ended_at = slot, moment
        self._become("accepted")

    def _end(self, state: OfferState, moment: datetime) -> None:
        _check(self.is_open, state, self.state)
        self.ended_at = moment
        self._become(state)

    def _become(self, state: OfferState) -> None:
        self.state = state
        self.version += 1


@dataclass(kw_only=True)
class Match(Versioned):
    """`encrypted`: what the two need while they meet, under the key of this match; its notes are under that key too."""

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

    def keep(self, encrypted: EncryptedFields | None) -> None:
        """What the two need while they meet, as it is now."""
        self.encrypted = encrypted or self.encrypted
        self.version += 1

    def hold(self, on_hold: bool, change: int) -> None:
        """The supportee takes a pause, or is back. The newest change holds."""
        if change > self.hold_change:
            self.on_hold, self.hold_change = on_hold, change
            self.version += 1

    def end(self, moment: datetime, by: PairMember) -> None:
        _check(self.ended_at is None, "end a match", "ended")
        self.ended_at, self.ended_by = moment, by
        self.version += 1

    def undo_end(self) -> None:
        _check(self.ended_at is not None, "undo the end of a match", "live")
        self.ended_at = self.ended_by = None
        self.version += 1


@dataclass(kw_only=True)
class Request(Versioned):
    """What a supportee asked for, and where it stands.

    `received`: its next step is to be decided (never stored). `asking`: exactly one offer is open. `waiting`: for a place with
    one of `wanted` (empty: with anybody who suits), or for the supportee's choice, perhaps among `suggested`. `reaching_out`: a
    coordinator writes to them. `matched`. `withdrawn`: they left, and nothing of what they said is kept. `lapsed`: it has ended,
    they said no word for long.
    `submitted_at` is also where waiting began: being asked about in between does not cost them their turn.
    `choice_index`: which of `choices` is being asked; None once they left their ranking. `asked`: practitioners who said "not
    this time", let the time pass or ended their meetings; they are not asked again. `left`: those with whom the supportee ended
    their meetings; they are asked again only where the supportee names them. `encrypted`: their words, for matching; None once
    it ended. `alive_at`: a sign of life after they were silent for long. `matched_at`: while their words about
    themselves are still kept after a yes. `ended_at`: when nothing was left to follow.
    """

    supportee_id: str
    mode: Mode
    submitted_at: datetime
    choices: tuple[Choice, ...] = ()
    avoid: tuple[str, ...] = ()
    avoid_index: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    parts: tuple[Part, ...] = ()
    time_zone: str = "UTC"
    help: tuple[Help, ...] = ()
    age_group: AgeGroup | None = None
    encrypted: EncryptedFields | None = None
    page_language: str | None = None
    state: RequestState = "received"
    choice_index: int | None = None
    asked: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    change: int = 0
    held_until: datetime | None = None
    waiting_for: WaitingFor | None = None
    wanted: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    alive_at: datetime | None = None
    matched_at: datetime | None = None
    ended_at: datetime | None = None

    @classmethod
    def submitted(cls, event: RequestSubmitted) -> "Request":
        return cls(
            id=event.request_id,
            supportee_id=event.supportee_id,
            mode=event.mode,
            submitted_at=event.submitted_at,
            choices=event.choices,
            avoid=event.avoid,
            languages=event.languages,
            meeting_types=event.meeting_types,
            parts=event.parts,
            time_zone=event.time_zone,
            help=event.help,
            age_group=event.age_group,
            encrypted=event.encrypted,
            page_language=event.page_language,
            choice_index=0 if event.mode == "chosen" else None,
        )

    @classmethod
    def withdrawn(cls, request_id: str, supportee_id: str, moment: datetime) -> "Request":
        """As one that was withdrawn is kept, or one that was withdrawn before it came."""
        gone: dict[str, Any] = {"mode": "reach_out", "submitted_at": moment, "ended_at": moment, "state": "withdrawn"}
        return cls(id=request_id, supportee_id=supportee_id, **gone)

    @property
    def is_over(self) -> bool:
        return self.state == "matched" or self.has_ended

    @property
    def has_ended(self) -> bool:
        return self.state in ("withdrawn", "lapsed")

    @property
    def queue(self) -> Queue | None:
        """Where it stands in line for a place; None while it does not wait for one."""
        if self.state != "waiting" or self.waiting_for != "place":
            return None
        if self.wanted:
            return "named"
        return "anyone" if self.mode == "anyone" else "suggestions"

    def ask(self, offer: Offer, links: EncryptedFields, choice_index: int | None) -> list[Event]:
        """`links` are for notify: where the practitioner reads and answers."""
        _check(self._may_go_on and offer.is_open and offer.request_id == self.id, "ask", self.state)
        self.choice_index = choice_index
        self._become("asking")
        return [
            OfferMade(
                offer_id=offer.id,
                request_id=self.id,
                practitioner_id=offer.practitioner_id,
                version=self.version,
                answer_by=offer.answer_by,
                code=offer.code,
                after_waiting=offer.after_waiting,
                encrypted=links,
            )
        ]

    def hold(self, until: datetime) -> None:
        """Nobody is asked before a coordinator has read it, or until then."""
        _check(self.state == "received", "hold", self.state)
        self.held_until = until
        self.version += 1

    def suggest(self, practitioner_ids: tuple[str, ...]) -> list[Event]:
        _check(self._may_go_on and bool(practitioner_ids), "suggest", self.state)
        self._become("waiting")
        self.waiting_for, self.suggested = "choice", practitioner_ids
        return [
            SuggestionsMade(
                request_id=self.id,
                supportee_id=self.supportee_id,
                practitioner_ids=practitioner_ids,
                version=self.version,
            )
        ]

    def wait_for_place(self, practitioner_ids: tuple[str, ...]) -> list[Event]:
        """With one of these people; with none named: with anybody who suits."""
        _check(self._may_go_on, "wait for a place", self.state)
        self._become("waiting")
        self.waiting_for, self.wanted = "place", practitioner_ids
        return [self._waiting("place")]

    def wait_for_choice(self) -> list[Event]:
        """What happens next is the supportee's own word."""
        _check(self._may_go_on, "wait for a choice", self.state)
        self._become("waiting")
        self.waiting_for = "choice"
        return [self._waiting("choice")]

    def hand_to_coordinators(self, reason: EscalationReason, *, taken: bool = False) -> list[Event]:
        """A coordinator writes to them next, and they are told so. `taken`: by a coordinator who holds it already."""
        _check(self._may_go_on, "hand to coordinators", self.state)
        suggested = self.suggested
        self._become("reaching_out")
        self.suggested = suggested
        return [self._coordinator_needed(reason, reaching_out=True, taken=taken)]

    def call_coordinators(self, reason: EscalationReason) -> list[Event]:
        """A coordinator should look; what happens with the request itself stays as it is."""
        _check(not self.has_ended, "call coordinators", self.state)
        self.version += 1
        return [self._coordinator_needed(reason, reaching_out=False, taken=False)]

    def match(
        self, offer: Offer, match_id: str, moment: datetime, encrypted: EncryptedFields | None = None
    ) -> tuple[Match, list[Event]]:
        """Only through an offer that was accepted. `encrypted`: what the two need while they meet."""
        accepted = offer.state == "accepted" and offer.request_id == self.id
        _check(accepted and not self.is_over and self.state != "received", "match", self.state)
        self._become("matched")
        self.matched_at = moment
        match = Match(
            id=match_id,
            offer_id=offer.id,
            request_id=self.id,
            practitioner_id=offer.practitioner_id,
            supportee_id=self.supportee_id,
            made_at=moment,
            encrypted=encrypted,
        )
        made = MatchMade(
            match_id=match_id,
            offer_id=offer.id,
            request_id=self.id,
            practitioner_id=offer.practitioner_id,
            supportee_id=self.supportee_id,
            version=self.version,
        )
        return match, [made]

    def correct(self, event: RequestChanged) -> None:
        """The newest change holds, in whatever order they come. What is being asked or was said yes to stays so."""
        _check(event.change > self.change and not self.has_ended, "correct", self.state)
        self.languages, self.meeting_types, self.parts = event.languages, event.meeting_types, event.parts
        self.time_zone, self.help, self.age_group = event.time_zone, event.help, event.age_group
        self.encrypted, self.change = event.encrypted, event.change
        self.version += 1

    def end_match(self, match: Match, offer: Offer, then: AfterEnding) -> list[Event]:
        """The two do not meet any more. With `someone_else` the next step is to be decided; `over`: they leave for good."""
        _check(self.state == "matched" and match.ended_by is not None, "end a match", self.state)
        self._become("received" if then == "someone_else" else "waiting")
        self.waiting_for, self.choice_index = None if then == "someone_else" else "choice", None
        if match.ended_by == "practitioner":
            self.asked += (match.practitioner_id,)
        else:
            self.left += (match.practitioner_id,)
        return [
            MatchEnded(
                match_id=match.id,
                offer_id=offer.id,
                request_id=self.id,
                practitioner_id=match.practitioner_id,
                supportee_id=self.supportee_id,
                ended_by=match.ended_by or "supportee",
                then=then,
                undo_until=offer.undo_until,
                version=self.version,
            )
        ]

    def resume_match(self, match: Match, by: PairMember) -> list[Event]:
        """Their end was taken back."""
        _check(self._may_go_on and match.ended_by is None, "resume a match", self.state)
        self._become("matched")
        self.matched_at = match.made_at
        self.asked = tuple(id for id in self.asked if id != match.practitioner_id)
        self.ask_again(match.practitioner_id)
        return [
            MatchEndingUndone(
                match_id=match.id,
                offer_id=match.offer_id,
                request_id=self.id,
                practitioner_id=match.practitioner_id,
                supportee_id=self.supportee_id,
                undone_by=by,
                version=self.version,
            )
        ]

    def settle_end(self, match: Match) -> list[Event]:
        self.version += 1
        settled = MatchEndingSettled(
            match_id=match.id, request_id=self.id, practitioner_id=match.practitioner_id, version=self.version
        )
        return [settled]

    def ask_again(self, practitioner_id: str) -> None:
        """The supportee named somebody whom they had left."""
        self.left = tuple(id for id in self.left if id != practitioner_id)

    def was_with(self, practitioner_id: str) -> bool:
        """Somebody who is not to be asked about this request any more."""
        return practitioner_id in self.asked or practitioner_id in self.left

    def close_offer(self, offer: Offer) -> None:
        """The offer ended without a yes, so the next step is to be decided. Whoever answered or let the time pass is not asked
        again."""
        ended = offer.state in ("declined", "expired", "released") and offer.request_id == self.id
        _check(self.state == "asking" and ended, "close an offer", self.state)
        self.state = "received"
        if offer.state != "released":
            self.asked += (offer.practitioner_id,)

    def offer_declined(self, offer: Offer, then: Next) -> list[Event]:
        """`then`: what follows, as the supportee is told."""
        self._check_offer_ended(offer, "declined")
        return [
            OfferDeclined(
                offer_id=offer.id,
                request_id=self.id,
                practitioner_id=offer.practitioner_id,
                version=self.version,
                then=then,
            )
        ]

    def offer_expired(self, offer: Offer, then: Next) -> list[Event]:
        self._check_offer_ended(offer, "expired")
        return [
            OfferExpired(
                offer_id=offer.id,
                request_id=self.id,
                practitioner_id=offer.practitioner_id,
                version=self.version,
                then=then,
            )
        ]

    def offer_released(self, offer: Offer, reason: ReleaseReason) -> list[Event]:
        self._check_offer_ended(offer, "released")
        return [
            OfferReleased(
                offer_id=offer.id,
                request_id=self.id,
                practitioner_id=offer.practitioner_id,
                version=self.version,
                reason=reason,
            )
        ]

    def withdraw(self, moment: datetime) -> None:
        """Everything that they said goes at once. What stays is that there was a request: nothing that comes late brings it back.
        An open offer or a match is released before."""
        _check(self.state not in ("withdrawn", "asking"), "withdraw", self.state)
        self._become("withdrawn")
        blank = Request.withdrawn(self.id, self.supportee_id, moment)
        for facet in fields(Request):
            if facet.name not in ("version", "stored_version"):
                setattr(self, facet.name, getattr(blank, facet.name))

    def extend(self, moment: datetime) -> None:
        self.alive_at = max(moment, self.alive_at or moment)
        self.version += 1

    def may_lapse(self, silent_since: datetime) -> bool:
        """Never while somebody is asked or with them."""
        return self._may_go_on and (self.alive_at is None or self.alive_at < silent_since)

    def lapse(self, moment: datetime) -> list[Event]:
        """After a long silence. Their words go at once, as when they leave."""
        _check(self._may_go_on, "lapse", self.state)
        self._become("lapsed")
        self.encrypted, self.avoid_index, self.ended_at = None, (), moment
        return [RequestLapsed(request_id=self.id, supportee_id=self.supportee_id, version=self.version)]

    def choice_of(self, practitioner_id: str) -> int | None:
        """At which place of their ranking this practitioner stands."""
        named = [choice.practitioner_id for choice in self.choices]
        return named.index(practitioner_id) if practitioner_id in named else None

    def offer_seen(self, offer: Offer) -> list[Event]:
        _check(offer.state == "seen" and offer.request_id == self.id, "tell that an offer is seen", offer.state)
        self.version += 1
        seen = OfferSeen(offer_id=offer.id, request_id=self.id, practitioner_id=offer.practitioner_id, version=self.version)
        return [seen]

    def note_written(self) -> int:
        """Somebody wrote a note to the supportee: the version that its event carries."""
        _check(not self.has_ended, "write a note", self.state)
        self.version += 1
        return self.version

    @property
    def _may_go_on(self) -> bool:
        return self.state in ("received", "waiting", "reaching_out")

    def _become(self, state: RequestState) -> None:
        self.state, self.held_until = state, None
        self.waiting_for, self.wanted, self.suggested, self.matched_at = None, (), (), None
        self.version += 1

    def _check_offer_ended(self, offer: Offer, state: OfferState) -> None:
        _check(offer.state == state and offer.request_id == self.id, f"tell that an offer is {state}", offer.state)
        self.version += 1

    def _waiting(self, waiting_for: WaitingFor) -> RequestWaiting:
        return RequestWaiting(
            request_id=self.id,
            supportee_id=self.supportee_id,
            waiting_for=waiting_for,
            practitioner_ids=self.wanted,
            version=self.version,
        )

    def _coordinator_needed(self, reason: EscalationReason, *, reaching_out: bool, taken: bool) -> CoordinatorNeeded:
        return CoordinatorNeeded(
            request_id=self.id,
            supportee_id=self.supportee_id,
            reason=reason,
            reaching_out=reaching_out,
            version=self.version,
            taken=taken,
        )


@dataclass(kw_only=True)
class CoordinatorTask(Versioned):
    """Why a coordinator is needed: once for each reason and request while it is open. `person_id`: the practitioner who asks, or
    whom no notification reaches. `holder`: the coordinator who took it. `resolved_by`: the coordinator who said that it is done;
    None where that followed from something else."""

    reason: TaskReason
    request_id: str | None = None
    person_id: str | None = None
    since: datetime
    due_at: datetime
    holder: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    avoid_index: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    def take(self, coordinator_id: str) -> None:
        _check(self.is_open, "take a task", "resolved")
        self.holder = coordinator_id
        self.version += 1

    def concern(self, person_id: str) -> None:
        """The same need again, of this person now."""
        _check(self.is_open, "change a task", "resolved")
        self.person_id = person_id
        self.version += 1

    def resolve(self, moment: datetime, coordinator_id: str) -> None:
        _check(self.is_open, "resolve a task", "resolved")
        self.resolved_at, self.resolved_by = moment, coordinator_id
        self.version += 1

    def reopen(self) -> None:
        """It was not done after all."""
        _check(not self.is_open, "reopen a task", "open")
        self.resolved_at = self.resolved_by = None
        self.version += 1


@dataclass(kw_only=True)
class Coordinator(Versioned):
    """`encrypted_profile`: JSON {name}, under the directory key. `name_index`: keyed hashes of the parts of their name."""

    email_index: str
    name_index: tuple[str, ...] = ()
    encrypted_profile: str = ""
    contact_version: int = 0


@dataclass(frozen=True, kw_only=True)
class Note:
    """Encrypted as the field `note/<id>` under the key of the match it belongs to, or without `match_id` under the words' key.
    Written by `practitioner_id` or `coordinator_id`; by the supportee when both are None, then to `to_practitioner_id` or,
    without one, to the coordinators. `shared_at`: since when coordinators may read what the two wrote to each other."""

    id: str
    request_id: str
    encrypted: str
    at: datetime
    practitioner_id: str | None = None
    coordinator_id: str | None = None
    to_practitioner_id: str | None = None
    shared_at: datetime | None = None
    match_id: str | None = None

    @property
    def is_for_coordinators(self) -> bool:
        return self.shared_at is not None or not (self.practitioner_id or self.to_practitioner_id)


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What a coordinator did with a request, or one of the two with their notes; then `coordinator_id` is empty."""

    id: str
    coordinator_id: str
    action: AuditAction
    request_id: str
    at: datetime
