"""START HERE: every fact that crosses a border between services.

Contracts are thin: ids and the coded facets that matching needs. Names, addresses and sentences travel only inside
`Sealed`, readable by the one service that needs them. Each fact about a request carries `version`, which grows by one
with each change of that request: a reader keeps the newest state and may get the facts in any order.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.messages import Event, contract

Way = Literal["video", "phone", "text", "email", "in_person"]
Part = Literal[
    "weekday_morning", "weekday_afternoon", "weekday_evening", "weekend_morning", "weekend_afternoon", "weekend_evening"
]
Help = Literal["listening", "planning", "making_sense", "forms", "other"]
AgeGroup = Literal["under_18", "18_to_25", "26_to_64", "65_and_over"]
Mode = Literal["chosen", "suggest", "anyone", "reach_out"]
IfNot = Literal["next_choice", "ask_me", "suggest", "wait"]
Channel = Literal["email", "text"]
Role = Literal["supportee", "practitioner", "coordinator"]
Next = Literal["next_choice", "ask_me", "suggest", "wait", "person"]
WhyReleased = Literal["withdrawn", "chose_another", "resting"]
WhyPerson = Literal["reach_out", "nobody_suits", "asks_first", "wrote", "not_delivered", "chosen_unknown"]
Answer = Literal["yes", "not_this_time"]
PractitionerState = Literal["open", "full", "resting", "stepped_back"]


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """One person's sealed fields and their data key, wrapped for the receiving service (shared/vault.py)."""

    person_id: str
    wrap: str
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One step of a ranked choice: who, and what may happen if that person cannot."""

    practitioner_id: str
    if_not: IfNot


# intake says


@contract("request.submitted.v1", about="request_id")
class RequestSubmitted(Event):
    """`sealed` is for matching: name, pronouns, words, access, anything. Empty `ways`, `parts`, `languages` mean: no limit."""

    request_id: str
    supportee_id: str
    mode: Mode
    choices: tuple[Choice, ...] = ()
    avoid: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()
    parts: tuple[Part, ...] = ()
    time_zone: str
    help: tuple[Help, ...] = ()
    age_group: AgeGroup | None = None
    submitted_at: datetime
    sealed: Sealed


@contract("contact.shared.v1", about="person_id")
class ContactShared(Event):
    """How a person wants to be told things, from the service that met them. A later one replaces an earlier one.

    `sealed` is for notify: email, phone (E.164), link (the person's own page, absolute URL), known_as (how to greet; may be
    absent). `channels` empty: the person looks for themselves and gets no letter. Quiet hours are local hours [from, until).
    """

    person_id: str
    role: Role
    request_id: str | None = None
    version: int
    channels: tuple[Channel, ...] = ()
    language: str
    time_zone: str
    quiet_from: int = 21
    quiet_until: int = 9
    sealed: Sealed


@contract("choice.made.v1", about="request_id")
class ChoiceMade(Event):
    """On their page the supportee chose what happens next: ask this person, wait, or let a coordinator write."""

    request_id: str
    next: Literal["ask", "wait", "person"]
    practitioner_id: str | None = None


@contract("request.withdrawn.v1", about="request_id")
class RequestWithdrawn(Event):
    request_id: str


@contract("note.answered.v1", about="request_id")
class NoteAnswered(Event):
    """The supportee wrote to whoever they are with, or to the coordinators. Sealed like `note.written`."""

    note_id: str
    request_id: str
    sealed: str


@contract("sign_in.asked.v1", about="person_id")
class SignInAsked(Event):
    """Somebody asked for a link to their own page. `sealed` is for notify: link (absolute URL)."""

    person_id: str
    role: Role
    sealed: Sealed


# matching says


@contract("offer.made.v1", about="request_id")
class OfferMade(Event):
    """A place is held and this practitioner is asked. `sealed` is for notify: link (e-mail), short_link (text)."""

    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    answer_by: datetime
    code: str
    after_waiting: bool = False
    sealed: Sealed


@contract("offer.nudged.v1", about="request_id")
class OfferNudged(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    answer_by: datetime
    code: str
    sealed: Sealed


@contract("offer.declined.v1", about="request_id")
class OfferDeclined(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    then: Next


@contract("offer.lapsed.v1", about="request_id")
class OfferLapsed(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    then: Next


@contract("offer.released.v1", about="request_id")
class OfferReleased(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    why: WhyReleased


@contract("match.made.v1", about="request_id")
class MatchMade(Event):
    match_id: str
    offer_id: str
    request_id: str
    practitioner_id: str
    supportee_id: str
    version: int


@contract("suggestions.made.v1", about="request_id")
class SuggestionsMade(Event):
    """Two or three people (fewer only when there are fewer) for the supportee to choose from, in the order to show them."""

    request_id: str
    supportee_id: str
    practitioner_ids: tuple[str, ...]
    version: int


@contract("request.waiting.v1", about="request_id")
class RequestWaiting(Event):
    """Waiting for a place with the people named (empty: anyone who suits), or for the supportee's own word."""

    request_id: str
    supportee_id: str
    waiting_for: Literal["place", "choice"]
    practitioner_ids: tuple[str, ...] = ()
    version: int


@contract("person.needed.v1", about="request_id")
class PersonNeeded(Event):
    """A coordinator is needed. `reaching_out`: the request itself moved to that state, and the supportee is told so.
    `taken`: a coordinator did this and holds it, so the desk need not be called."""

    request_id: str
    supportee_id: str
    why: WhyPerson
    reaching_out: bool
    version: int
    taken: bool = False


@contract("note.written.v1", about="request_id")
class NoteWritten(Event):
    """Somebody wrote to the supportee: this practitioner, or a coordinator (None). `sealed` opens with the supportee's data key
    alone, as the field `note/<note_id>`."""

    note_id: str
    request_id: str
    supportee_id: str
    practitioner_id: str | None = None
    sealed: str
    version: int


@contract("note.passed_on.v1", about="offer_id")
class NotePassedOn(Event):
    """The supportee wrote to this practitioner. `sealed` is for notify: link (e-mail), short_link (text)."""

    offer_id: str
    note_id: str
    practitioner_id: str
    sealed: Sealed


@contract("reply.settled.v1", about="offer_id")
class ReplySettled(Event):
    """What became of an answer that came by text, so that its sender hears back: taken, or too late to change anything."""

    offer_id: str
    practitioner_id: str
    reply_id: str
    outcome: Literal["yes", "not_this_time", "too_late"]


@contract("practitioner.changed.v1", about="practitioner_id")
class PractitionerChanged(Event):
    """The whole public entry, as it is now. `sealed_profile`: JSON {slug, name, pronouns, words, can_sit_with, first_meeting,
    not_offered, access}, readable by intake with the directory key."""

    practitioner_id: str
    version: int
    state: PractitionerState
    resting_until: datetime | None = None
    languages: tuple[str, ...]
    ways: tuple[Way, ...]
    parts: tuple[Part, ...]
    help: tuple[Help, ...]
    sealed_profile: str


# notify says


@contract("reply.received.v1", about="offer_id")
class ReplyReceived(Event):
    """A text came back with an offer's code. The sender's number was checked against the practitioner's."""

    offer_id: str
    practitioner_id: str
    reply_id: str
    answer: Answer


@contract("letter.undelivered.v1", about="person_id")
class LetterUndelivered(Event):
    """Every way to tell this person failed for good; a coordinator should know. `letter` is the template's name."""

    person_id: str
    request_id: str | None = None
    letter: str
