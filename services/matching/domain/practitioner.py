"""A practitioner: what they offer, and the places that their offers and matches hold."""

import string
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Literal

from services.matching.domain.versioned import Versioned, check, transient
from shared.contracts import AgeGroup, Channel, EncryptedFields, Help, MeetingType, Part, PractitionerChanged, PractitionerState
from shared.messages import Event

CODES = tuple(letter + digit for letter in string.ascii_uppercase if letter not in "OIL" for digit in "23456789")
"""What answers an offer by text: short enough to type on any phone, and nothing that looks like something else."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """One row of a practitioner's week, in their zone. `day` counts from Monday, `start` and `end` are minutes of the day."""

    day: int
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, repr=False)
class NotAgain:
    """Somebody about whom a practitioner does not want to be asked again. `person_index`: of a person they were asked about, whom
    nothing offers to them. `name_index`: of a name they typed: a coordinator asks them before an offer. `label`: what they call
    this entry, encrypted for matching; None: they gave it no name."""

    id: str
    at: datetime
    person_index: tuple[str, ...] = ()
    name_index: tuple[str, ...] = ()
    label: EncryptedFields | None = None


Topic = Literal["words", "ways", "hours", "letters"]
"""What a page of their own profile is about."""


@dataclass(frozen=True, kw_only=True)
class OwnChange:
    """That a practitioner changed something on their own page, so that coordinators look again: the newest of each topic."""

    topic: Topic
    at: datetime


@dataclass(kw_only=True)
class Practitioner(Versioned):
    """Empty `languages`, `meeting_types`, `ages`, `parts` and `hours` mean: no limit. `hours` say it more exactly than `parts`.

    `places`: how many people they meet in all; `occupied_slots`: the numbers of the places that are held, each by one open offer
    or one live match. `pending_codes`: the codes of those offers, at most `offers_at_once`; `codes_given`: how many were given in
    all. `name_index`: keyed hashes of the parts of their name. `own_list`: about whom they do not want to be asked again.
    `contact` is encrypted for notify alone; `channels`: by which of its addresses they want to be told; quiet hours are local
    hours [from, until). `encrypted_profile` is what everybody may read, under the directory key.
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
    doings: tuple[str, ...] = ()
    has_lived_it: bool = False
    not_now: tuple[Help, ...] = ()
    name_index: tuple[str, ...] = ()
    own_list: tuple[NotAgain, ...] = field(default=(), repr=False)
    language: str = "en"
    published_state: PractitionerState | None = None
    published_resting_until: datetime | None = None
    encrypted_profile: str = ""
    slug_index: str | None = None
    email_index: str | None = None
    contact: EncryptedFields | None = None
    contact_version: int = 0
    has_phone: bool = False
    channels: tuple[Channel, ...] = ("email", "text")
    quiet_from: int = 21
    quiet_until: int = 9
    digest: bool = False
    buddy_id: str | None = None
    own_changes: tuple[OwnChange, ...] = ()
    # Free places that the assignment job has yet to offer to those who wait.
    reserved: int = transient(0)
    # Whether a change of this object may have made room for somebody who waits.
    made_room: bool = transient(False)
    # Whether they stepped back since they were read.
    just_stepped_back: bool = transient(False)

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
    def helps(self) -> tuple[Help, ...]:
        """With what they have lived, where they say something of it."""
        return (*self.help, "lived_it") if self.has_lived_it else self.help

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
        check(slot in self.occupied_slots, "free a place", f"slot {slot} not held")
        self.occupied_slots = tuple(held for held in self.occupied_slots if held != slot)
        if pending_code:
            self._close_code(pending_code)
        return self._changed(made_room=True)

    def hold_only(self, slots: tuple[int, ...], codes: tuple[str, ...]) -> list[Event]:
        """What their offers hold, where something else stood here."""
        self.occupied_slots, self.pending_codes = slots, codes
        return self._changed(made_room=True)

    def rest(self, until: datetime | None) -> list[Event]:
        """Offers that are open stay so: each can still be answered. `until` None: until they end the pause by themselves."""
        check(not self.has_stepped_back, "rest", self.state)
        self.state, self.resting_until = "resting", until
        return self._changed()

    def end_pause(self) -> list[Event]:
        check(self.state == "resting", "end a pause", self.state)
        self.state, self.resting_until = "open", None
        return self._changed(made_room=True)

    def step_back(self) -> list[Event]:
        """Offers that are open stay so. Nobody new is asked about, whoever waits for them does not wait any longer. Their own
        list goes, and their buddy."""
        check(not self.has_stepped_back, "step back", self.state)
        self.own_list, self.buddy_id = (), None
        self.state, self.resting_until, self.just_stepped_back = "stepped_back", None, True
        return self._changed()

    def come_back(self) -> list[Event]:
        """Only a coordinator brings them back."""
        check(self.has_stepped_back, "come back", self.state)
        self.state, self.just_stepped_back = "open", False
        return self._changed(made_room=True)

    def set_availability(
        self, state: PractitionerState, resting_until: datetime | None, places: int, offers_at_once: int
    ) -> list[Event]:
        """Fewer places than are taken now are allowed: they count once enough people are gone."""
        check(not self.has_stepped_back and state != "stepped_back", f"set to {state}", self.state)
        self.state, self.resting_until = state, resting_until if state == "resting" else None
        self.places, self.offers_at_once = places, offers_at_once
        return self._changed(made_room=True)

    def add_to_own_list(self, entry: NotAgain) -> None:
        self.own_list += (entry,)
        self.version += 1

    def remove_from_own_list(self, entry_id: str) -> list[Event]:
        """Somebody who waits may be offered to them now."""
        self.own_list = tuple(entry for entry in self.own_list if entry.id != entry_id)
        return self._changed(made_room=True)

    def name_buddy(self, other_id: str | None) -> None:
        """Another practitioner, who is one once they name this one too; None: nobody."""
        self.buddy_id = other_id
        self.version += 1

    def changed_themselves(self, topic: Topic, moment: datetime) -> None:
        others = tuple(one for one in self.own_changes if one.topic != topic)
        self.own_changes = (*others, OwnChange(topic=topic, at=moment))

    def publish(self) -> list[Event]:
        """After an edit of the profile, or for whoever has to hear the whole of it again."""
        self.version += 1
        self.made_room = self.has_room
        return [self._published()]

    def _occupy_slot(self, moment: datetime) -> None:
        check(self.has_room, "hold a place", f"{self.state} with {self.free_places} free")
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
            help=self.helps,
            doings=self.doings,
            time_zone=self.time_zone,
            encrypted_profile=self.encrypted_profile,
        )


@lru_cache(maxsize=1024)
def _codes_of(practitioner_id: str) -> tuple[str, ...]:
    """In an order of this practitioner's own: codes of two people who share a phone seldom meet."""
    return tuple(sorted(CODES, key=lambda code: sha256(f"{practitioner_id}/{code}".encode()).digest()))
