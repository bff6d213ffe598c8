"""A supportee's request: where it stands, and what the others are told of it."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from services.matching.domain.match import Match
from services.matching.domain.offer import Offer, OfferState
from services.matching.domain.versioned import Versioned, check
from shared.contracts import (
    AfterEnding,
    AfterNo,
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
    OfferSeen,
    PairMember,
    Part,
    ReleaseReason,
    RequestChanged,
    RequestLapsed,
    RequestReadersChanged,
    RequestReleased,
    RequestSubmitted,
    RequestWaiting,
    Standing,
    SuggestionsMade,
)
from shared.messages import Event

RequestState = Literal["received", "asking", "waiting", "reaching_out", "matched", "withdrawn", "lapsed"]
WaitingFor = Literal["place", "choice"]
Flood = Literal["held", "goes_on", "ends"]
Queue = Literal["named", "anyone", "suggestions"]


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
    it ended. `person_index`: keyed hashes by which practitioners' own lists know this person. `to_check`: practitioners with whom
    a coordinator has to talk first, `checked`: those who may be asked after that. `alive_at`: a sign of life after they were
    silent for long. `matched_at`: while their words about themselves are still kept after a yes. `ended_at`: when nothing was
    left to follow. `differs_since`: since its page was found to show something else.
    `has_no_reader`: their page says that no coordinator may read anything of it. `read_first_change`: the newest change with
    words to be read first that came to the desk. `ended_by_coordinator`: not by silence, but out of a flood.
    `flood`: it came in a flood, and nothing happens with it before a coordinator has said so; `goes_on`, `ends`: `flood_by` has
    said so, and it is about to be done.
    """

    supportee_id: str
    mode: Mode
    submitted_at: datetime
    choices: tuple[Choice, ...] = ()
    avoid: tuple[str, ...] = ()
    avoid_index: tuple[str, ...] = ()
    person_index: tuple[str, ...] = ()
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
    to_check: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    change: int = 0
    held_until: datetime | None = None
    has_no_reader: bool = False
    read_first_change: int = 0
    ended_by_coordinator: bool = False
    flood: Flood | None = None
    flood_by: str | None = None
    waiting_for: WaitingFor | None = None
    wanted: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    alive_at: datetime | None = None
    matched_at: datetime | None = None
    ended_at: datetime | None = None
    differs_since: datetime | None = None

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
        check(self._may_go_on and offer.is_open and offer.request_id == self.id, "ask", self.state)
        self.choice_index, self.to_check = choice_index, ()
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
                if_not=self._if_not(),
            )
        ]

    def _if_not(self) -> AfterNo:
        """To wait for whoever did not say yes leads nowhere, and after the last choice nobody comes: the supportee is asked."""
        if self.choice_index is None:
            return "next_choice" if self.mode == "anyone" else "suggest"
        if_not, is_last = self.choices[self.choice_index].if_not, self.choice_index == len(self.choices) - 1
        return if_not if if_not == "suggest" or (if_not == "next_choice" and not is_last) else "ask_me"

    def hold(self, until: datetime) -> None:
        """Nobody is asked before a coordinator has read it, or until then."""
        check(self.state == "received", "hold", self.state)
        self.held_until = until
        self.version += 1

    def talk_first_with(self, practitioner_id: str) -> None:
        """This practitioner is not asked before a coordinator has talked with them."""
        self.to_check = (*(id for id in self.to_check if id != practitioner_id), practitioner_id)
        self.version += 1

    def talked_with(self, practitioner_id: str, *, may_be_asked: bool) -> None:
        """Whoever would rather not is not asked about this request any more."""
        check(practitioner_id in self.to_check, "say that somebody was asked in person", self.state)
        self.to_check = tuple(id for id in self.to_check if id != practitioner_id)
        if may_be_asked:
            self.checked += (practitioner_id,)
        else:
            self.asked += (practitioner_id,)
        self.version += 1

    def hold_in_flood(self) -> list[Event]:
        """Without an end: only a coordinator lets it go its way."""
        check(self.state == "received" and self.flood is None, "hold in a flood", self.state)
        self.flood = "held"
        return self.call_coordinators("flood")

    def change_readers(self, *, nobody: bool, somebody_was_to_write: bool) -> list[Event]:
        self.has_no_reader = nobody
        self.version += 1
        facts = {"nobody": nobody, "somebody_was_to_write": somebody_was_to_write}
        return [RequestReadersChanged(request_id=self.id, version=self.version, **facts)]

    def release_from_flood(self) -> list[Event]:
        """Its next step is to be decided, as if it came now."""
        check(self.state == "received" and self.flood is not None, "release from a flood", self.state)
        self.flood = self.flood_by = None
        self.version += 1
        return [RequestReleased(request_id=self.id, supportee_id=self.supportee_id, version=self.version)]

    def suggest(self, practitioner_ids: tuple[str, ...]) -> list[Event]:
        check(self._may_go_on and bool(practitioner_ids), "suggest", self.state)
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
        check(self._may_go_on, "wait for a place", self.state)
        self._become("waiting")
        self.waiting_for, self.wanted = "place", practitioner_ids
        return [self._waiting("place")]

    def wait_for_choice(self) -> list[Event]:
        """What happens next is the supportee's own word."""
        check(self._may_go_on, "wait for a choice", self.state)
        self._become("waiting")
        self.waiting_for = "choice"
        return [self._waiting("choice")]

    def hand_to_coordinators(self, reason: EscalationReason, *, taken: bool = False) -> list[Event]:
        """A coordinator writes to them next, and they are told so. `taken`: by a coordinator who holds it already."""
        check(self._may_go_on, "hand to coordinators", self.state)
        suggested = self.suggested
        self._become("reaching_out")
        self.suggested = suggested
        return [self._coordinator_needed(reason, reaching_out=True, taken=taken)]

    def call_coordinators(self, reason: EscalationReason) -> list[Event]:
        """A coordinator should look; what happens with the request itself stays as it is."""
        check(not self.has_ended, "call coordinators", self.state)
        self.version += 1
        return [self._coordinator_needed(reason, reaching_out=False, taken=False)]

    def match(
        self, offer: Offer, match_id: str, moment: datetime, encrypted: EncryptedFields | None = None
    ) -> tuple[Match, list[Event]]:
        """Only through an offer that was accepted. `encrypted`: what the two need while they meet."""
        accepted = offer.state == "accepted" and offer.request_id == self.id
        check(accepted and not self.is_over and self.state != "received", "match", self.state)
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
        check(event.change > self.change and not self.has_ended, "correct", self.state)
        self.languages, self.meeting_types, self.parts = event.languages, event.meeting_types, event.parts
        self.time_zone, self.help, self.age_group = event.time_zone, event.help, event.age_group
        self.encrypted, self.change = event.encrypted, event.change
        self.avoid = self.avoid if event.avoid is None else event.avoid
        self.version += 1

    def end_match(self, match: Match, offer: Offer, then: AfterEnding) -> list[Event]:
        """The two do not meet any more. With `someone_else` the next step is to be decided; `over`: they leave for good."""
        check(self.state == "matched" and match.ended_by is not None, "end a match", self.state)
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
        check(self._may_go_on and match.ended_by is None, "resume a match", self.state)
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
        check(self.state == "asking" and ended, "close an offer", self.state)
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
        check(self.state not in ("withdrawn", "asking"), "withdraw", self.state)
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
        """After a long silence, or by a coordinator who ends what came in a flood. Their words go at once, as when they leave."""
        check(self._may_go_on, "lapse", self.state)
        by_coordinator = self.flood == "ends"
        self._become("lapsed")
        self.ended_by_coordinator = by_coordinator
        self.encrypted, self.avoid_index, self.person_index, self.ended_at = None, (), (), moment
        return [
            RequestLapsed(request_id=self.id, supportee_id=self.supportee_id, version=self.version, by_coordinator=by_coordinator)
        ]

    def begin_again(self) -> None:
        """It stood as if somebody were asked, or with them, and nobody is: its next step is to be decided."""
        check(self.state in ("received", "asking", "matched"), "begin again", self.state)
        self._become("received")

    @property
    def standing(self) -> Standing:
        """As its page should show it."""
        if self.has_ended:
            return "ended"
        return "asking" if self.state == "asking" else "matched" if self.state == "matched" else "open"

    def choice_of(self, practitioner_id: str) -> int | None:
        """At which place of their ranking this practitioner stands."""
        named = [choice.practitioner_id for choice in self.choices]
        return named.index(practitioner_id) if practitioner_id in named else None

    def offer_seen(self, offer: Offer) -> list[Event]:
        check(offer.state == "seen" and offer.request_id == self.id, "tell that an offer is seen", offer.state)
        self.version += 1
        seen = OfferSeen(offer_id=offer.id, request_id=self.id, practitioner_id=offer.practitioner_id, version=self.version)
        return [seen]

    def note_written(self) -> int:
        """Somebody wrote a note to the supportee: the version that its event carries."""
        check(not self.has_ended, "write a note", self.state)
        self.version += 1
        return self.version

    @property
    def _may_go_on(self) -> bool:
        return self.state in ("received", "waiting", "reaching_out")

    def _become(self, state: RequestState) -> None:
        self.state, self.held_until, self.flood, self.flood_by = state, None, None, None
        self.waiting_for, self.wanted, self.suggested, self.matched_at = None, (), (), None
        self.version += 1

    def _check_offer_ended(self, offer: Offer, state: OfferState) -> None:
        check(offer.state == state and offer.request_id == self.id, f"tell that an offer is {state}", offer.state)
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
