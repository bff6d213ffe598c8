"""START HERE: every event that one service publishes for others.

Contracts are thin: ids and the coded facets that matching needs. Names, addresses and sentences travel only inside
`EncryptedFields`, readable by the one service that needs them. Each event about a request carries `version`, which grows by one
with each change of that request: a reader keeps the newest state and may get the events in any order.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.messages import Event, contract

MeetingType = Literal["video", "phone", "text", "email", "in_person"]
Part = Literal[
    "weekday_morning", "weekday_afternoon", "weekday_evening", "weekend_morning", "weekend_afternoon", "weekend_evening"
]
Help = Literal["listening", "planning", "making_sense", "forms", "other"]
AgeGroup = Literal["under_18", "18_to_25", "26_to_64", "65_and_over"]
Mode = Literal["chosen", "suggest", "anyone", "reach_out"]
IfNot = Literal["next_choice", "ask_me", "suggest", "wait"]
Channel = Literal["email", "text"]
Role = Literal["supportee", "practitioner", "coordinator"]
TeamRole = Literal["practitioner", "coordinator"]
Next = Literal["next_choice", "ask_me", "suggest", "wait", "person"]
ReleaseReason = Literal["withdrawn", "chose_another"]
EscalationReason = Literal[
    "reach_out", "nobody_suits", "asks_first", "wrote", "not_delivered", "yes_taken_back", "notes_shared", "read_first",
    "names_somebody",
]  # fmt: skip
PairMember = Literal["practitioner", "supportee"]
NoteReader = Literal["practitioner", "coordinators"]
AfterEnding = Literal["someone_else", "wait", "over", "ask_me"]
WaitsFor = Literal["place", "choice", "coordinator"]
StillWaiting = Literal["news", "question", "last_warning"]
Eraser = Literal["matching", "notify"]
WayIn = Literal["letter", "asked_for", "texted", "coordinator"]
Answer = Literal["yes", "not_this_time"]
ReplyOutcome = Literal["yes", "not_this_time", "already_yes", "already_not_this_time", "too_late"]
PractitionerState = Literal["open", "full", "resting", "stepped_back"]


@dataclass(frozen=True, kw_only=True)
class EncryptedFields:
    """One person's encrypted fields for one purpose and that purpose's data key, wrapped for the service (shared/vault.py)."""

    person_id: str
    wrap: str
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class WrappedNoteKey:
    """The key of the notes of this match, or of those without a match."""

    match_id: str | None = None
    wrap: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One step of a ranked choice: who, and what may happen if that person cannot."""

    practitioner_id: str
    if_not: IfNot


# published by intake


@contract("request.submitted.v1", subject="request_id", published_by="intake")
class RequestSubmitted(Event):
    """`encrypted` is for matching: name, pronouns, words, access, anything. Empty meeting_types, parts, languages: no limit.
    `page_language`: of the pages they read; who speaks it goes first where they chose no language."""

    request_id: str
    supportee_id: str
    mode: Mode
    choices: tuple[Choice, ...] = ()
    avoid: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    parts: tuple[Part, ...] = ()
    time_zone: str
    help: tuple[Help, ...] = ()
    age_group: AgeGroup | None = None
    submitted_at: datetime
    encrypted: EncryptedFields
    page_language: str | None = None


@dataclass(frozen=True, kw_only=True)
class ContactDetails(Event):
    """How a person wants to be told things.

    `encrypted` is for notify: email, phone (E.164), link (a coordinator's or practitioner's page, absolute URL), known_as (how to
    greet; may be absent). `channels` empty: they look for themselves and get no notification. Quiet hours are local hours
    [from, until). `version` begins with 1 and grows by one.
    """

    person_id: str
    version: int
    channels: tuple[Channel, ...] = ()
    language: str
    time_zone: str
    quiet_from: int = 21
    quiet_until: int = 9
    encrypted: EncryptedFields


@contract("contact.shared.v1", subject="person_id", published_by="intake")
class ContactShared(ContactDetails):
    """A supportee's. `only_news`: whatever it is, they are told only that they have a message. Nothing is sent while one of these
    stands. `read_first`: with this version they wrote what we should know before we write, until contact.released says that a
    coordinator read it. `on_their_word`: until contact.allowed. `first_link`: for the first e-mail alone, not to be kept.
    `opens_by_link`: false: no message of theirs is to carry a link that opens something."""

    request_id: str
    only_news: bool = False
    read_first: bool = False
    on_their_word: bool = False
    first_link: EncryptedFields | None = None
    opens_by_link: bool = True


@contract("contact.allowed.v1", subject="person_id", published_by="intake")
class ContactAllowed(Event):
    """The supportee said on their page that we may write to them now. `was_read`: their page showed that a coordinator had read
    what they wrote, so that contact.released came before this, whichever arrives first."""

    person_id: str
    request_id: str
    was_read: bool


@contract("choice.made.v1", subject="request_id", published_by="intake")
class ChoiceMade(Event):
    """On their page the supportee chose what happens next: ask this person, wait, or let a coordinator write."""

    request_id: str
    next: Literal["ask", "wait", "person"]
    practitioner_id: str | None = None


@contract("request.withdrawn.v1", subject="request_id", published_by="intake")
class RequestWithdrawn(Event):
    """They left. Whoever holds something of this person erases it and says so: `words.erased`, `contact.erased`."""

    request_id: str
    person_id: str | None = None


@contract("erasure.delayed.v1", subject="request_id", published_by="intake")
class ErasureDelayed(Event):
    """An hour after somebody left, these services have not said that everything of theirs is gone."""

    request_id: str
    missing: tuple[Eraser, ...]


@contract("request.changed.v1", subject="request_id", published_by="intake")
class RequestChanged(Event):
    """The supportee corrected their answers, or sends them again after meetings that ended: the whole of what matching reads of
    them, but not whom they chose. `change` grows by one each time: the newest holds, in whatever order they come.
    `read_first`: they wrote anew what we should know before we write."""

    request_id: str
    change: int
    languages: tuple[str, ...] = ()
    meeting_types: tuple[MeetingType, ...] = ()
    parts: tuple[Part, ...] = ()
    time_zone: str
    help: tuple[Help, ...] = ()
    age_group: AgeGroup | None = None
    encrypted: EncryptedFields
    read_first: bool = False


@contract("match.left.v1", subject="request_id", published_by="intake")
class MatchLeft(Event):
    """The supportee ended their meetings with this practitioner. `wait`: nothing follows until they choose."""

    request_id: str
    practitioner_id: str
    then: Literal["someone_else", "wait"]


@contract("match.leaving_undone.v1", subject="request_id", published_by="intake")
class MatchLeavingUndone(Event):
    """The supportee took back, within a day, that they ended their meetings with this practitioner."""

    request_id: str
    practitioner_id: str


@contract("request.still_waiting.v1", subject="request_id", published_by="intake")
class RequestStillWaiting(Event):
    """Time to write to somebody who waits. `news`: that nothing has changed, at the pace that they chose; `question`: whether
    they still look; `last_warning`: that the request ends at `ends_at` if they do not say a word. `version`: of the newest event
    that the request's page knows."""

    request_id: str
    kind: StillWaiting
    waits_for: WaitsFor
    since: datetime
    ends_at: datetime
    written_at: datetime
    version: int


@contract("request.gone_silent.v1", subject="request_id", published_by="intake")
class RequestGoneSilent(Event):
    """No sign of life since `silent_since`, and they were told so in time: the request may end, unless somebody is asked or with
    them."""

    request_id: str
    silent_since: datetime


@contract("request.extended.v1", subject="request_id", published_by="intake")
class RequestExtended(Event):
    """A sign of life at `extended_at` after all: a `request.gone_silent` from before that has no meaning."""

    request_id: str
    extended_at: datetime


@contract("note.answered.v1", subject="request_id", published_by="intake")
class NoteAnswered(Event):
    """The supportee wrote to whoever they are with, or to the coordinators. Encrypted like `note.written`."""

    note_id: str
    request_id: str
    encrypted: str
    match_id: str | None = None
    to: NoteReader | None = None


@contract("match.hold_changed.v1", subject="request_id", published_by="intake")
class MatchHoldChanged(Event):
    """The supportee takes a pause from their meetings, keeping the place, or is back. `change` grows by one each time: the
    newest holds, in whatever order they come."""

    request_id: str
    match_id: str
    on_hold: bool
    change: int


@contract("notes.shared.v1", subject="request_id", published_by="intake")
class NotesShared(Event):
    """The supportee lets coordinators read what they and this practitioner have written to each other so far."""

    request_id: str
    practitioner_id: str


@contract("sign_in.requested.v1", subject="person_id", published_by="intake")
class SignInRequested(Event):
    """A supportee asked for a way in to their own page. `encrypted` is for notify: link (absolute URL) to be sent by e-mail, or
    code to be sent by text. `secret` is for matching, which answers with `way_in.granted`."""

    person_id: str
    request_id: str | None = None
    encrypted: EncryptedFields
    link_id: str | None = None
    expires_at: datetime | None = None
    secret: EncryptedFields | None = None


@contract("intake_message.stranded.v1", subject="event_id", published_by="intake")
class IntakeMessageStranded(Event):
    """Intake could not handle the message with this id, and nobody has looked after it since `failed_at`, for a day."""

    event_id: str
    failed_at: datetime


# published by matching


@contract("team_contact.shared.v1", subject="person_id", published_by="matching")
class TeamContactShared(ContactDetails):
    """A practitioner's or a coordinator's; a person's role never changes."""

    role: TeamRole


@contract("team_sign_in.requested.v1", subject="person_id", published_by="matching")
class TeamSignInRequested(Event):
    """A practitioner or a coordinator asked for a link to their own pages. `encrypted` is for notify: link (absolute URL)."""

    person_id: str
    encrypted: EncryptedFields


@contract("offer.made.v1", subject="request_id", published_by="matching")
class OfferMade(Event):
    """A place is held and this practitioner is asked. `encrypted` is for notify: link (e-mail), short_link (text)."""

    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    answer_by: datetime
    code: str
    after_waiting: bool = False
    encrypted: EncryptedFields


@contract("offer.seen.v1", subject="request_id", published_by="matching")
class OfferSeen(Event):
    """The practitioner opened the request for the first time."""

    offer_id: str
    request_id: str
    practitioner_id: str
    version: int


@contract("request.opened.v1", subject="request_id", published_by="matching")
class RequestOpened(Event):
    """A coordinator opened the request. `encrypted`: their name, under a key of the supportee's as the field
    `opening/<opening_id>`, like a note; None when no key is left."""

    opening_id: str
    request_id: str
    opened_at: datetime
    encrypted: str | None = None
    match_id: str | None = None


@contract("team_notes.shared.v1", subject="request_id", published_by="matching")
class TeamNotesShared(Event):
    """The practitioner lets coordinators read what they and the supportee have written to each other so far."""

    request_id: str
    practitioner_id: str
    shared_at: datetime


@contract("offer.reminded.v1", subject="request_id", published_by="matching")
class OfferReminded(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    answer_by: datetime
    code: str
    encrypted: EncryptedFields


@contract("offer.declined.v1", subject="request_id", published_by="matching")
class OfferDeclined(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    then: Next


@contract("offer.expired.v1", subject="request_id", published_by="matching")
class OfferExpired(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    then: Next


@contract("offer.released.v1", subject="request_id", published_by="matching")
class OfferReleased(Event):
    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    reason: ReleaseReason


@contract("match.made.v1", subject="request_id", published_by="matching")
class MatchMade(Event):
    match_id: str
    offer_id: str
    request_id: str
    practitioner_id: str
    supportee_id: str
    version: int


@contract("match.ended.v1", subject="request_id", published_by="matching")
class MatchEnded(Event):
    """The meetings of two people came to an end. `then`: what follows for the request; `ask_me`: what the supportee chooses,
    `over`: nothing, they left. Until `undo_until` whoever ended them may take that back; None: nobody can."""

    match_id: str
    offer_id: str
    request_id: str
    practitioner_id: str
    supportee_id: str
    ended_by: PairMember
    then: AfterEnding
    undo_until: datetime | None = None
    version: int


@contract("match.ending_undone.v1", subject="request_id", published_by="matching")
class MatchEndingUndone(Event):
    """Whoever ended their meetings took it back: they go on."""

    match_id: str
    offer_id: str
    request_id: str
    practitioner_id: str
    supportee_id: str
    undone_by: PairMember
    version: int


@contract("match.ending_settled.v1", subject="request_id", published_by="matching")
class MatchEndingSettled(Event):
    """An ending can no longer be taken back, although its day is not over: both ended their meetings, or the request went on."""

    match_id: str
    request_id: str
    practitioner_id: str
    version: int


@contract("suggestions.made.v1", subject="request_id", published_by="matching")
class SuggestionsMade(Event):
    """Two or three people (fewer only when there are fewer) for the supportee to choose from, in the order to show them."""

    request_id: str
    supportee_id: str
    practitioner_ids: tuple[str, ...]
    version: int


@contract("request.waiting.v1", subject="request_id", published_by="matching")
class RequestWaiting(Event):
    """Waiting for a place with the people named (empty: anyone who suits), or for the supportee's own word."""

    request_id: str
    supportee_id: str
    waiting_for: Literal["place", "choice"]
    practitioner_ids: tuple[str, ...] = ()
    version: int


@contract("request.lapsed.v1", subject="request_id", published_by="matching")
class RequestLapsed(Event):
    """The request ended after a long silence, and with it everything that was to happen."""

    request_id: str
    supportee_id: str
    version: int


@contract("coordinator.needed.v1", subject="request_id", published_by="matching")
class CoordinatorNeeded(Event):
    """A coordinator is needed. `reaching_out`: the request itself moved to that state, and the supportee is told so.
    `taken`: a coordinator did this and holds it, so the desk need not be called."""

    request_id: str
    supportee_id: str
    reason: EscalationReason
    reaching_out: bool
    version: int
    taken: bool = False


@contract("contact.released.v1", subject="request_id", published_by="matching")
class ContactReleased(Event):
    """A coordinator read what this supportee wrote that we should know before we write: from now on they are written to, or only
    once they say so on their page."""

    request_id: str
    supportee_id: str
    write: Literal["now", "on_their_word"]


@contract("words.erased.v1", subject="request_id", published_by="matching")
class WordsErased(Event):
    """They left, and matching holds nothing of theirs any more."""

    request_id: str


@contract("note.written.v1", subject="request_id", published_by="matching")
class NoteWritten(Event):
    """Somebody wrote to the supportee: this practitioner, or a coordinator (None). `encrypted` is the field `note/<note_id>`,
    under the key of this match, or without one under the words' key (shared/vault.py)."""

    note_id: str
    request_id: str
    supportee_id: str
    practitioner_id: str | None = None
    encrypted: str
    version: int
    match_id: str | None = None


@contract("note.forwarded.v1", subject="offer_id", published_by="matching")
class NoteForwarded(Event):
    """The supportee wrote to this practitioner. `encrypted` is for notify: link (e-mail), short_link (text)."""

    offer_id: str
    note_id: str
    practitioner_id: str
    encrypted: EncryptedFields


@contract("reply.processed.v1", subject="offer_id", published_by="matching")
class ReplyProcessed(Event):
    """What became of an answer that came by text, so that its sender hears what stands.

    `yes`, `not_this_time`: taken. `already_yes`, `already_not_this_time`: an earlier answer of theirs stands, this one changed
    nothing; after a yes a coordinator is told that they changed their mind. `too_late`: the offer ended without them.
    `encrypted` is for notify: link (e-mail), short_link (text) to the offer's page.
    """

    offer_id: str
    practitioner_id: str
    reply_id: str
    outcome: ReplyOutcome
    encrypted: EncryptedFields | None = None


@contract("practitioner.changed.v1", subject="practitioner_id", published_by="matching")
class PractitionerChanged(Event):
    """The whole public entry, as it is now. `encrypted_profile`: JSON {slug, name, pronouns, words, can_sit_with, first_meeting,
    not_offered, access}, readable by intake with the directory key."""

    practitioner_id: str
    version: int
    state: PractitionerState
    resting_until: datetime | None = None
    languages: tuple[str, ...]
    meeting_types: tuple[MeetingType, ...]
    parts: tuple[Part, ...]
    help: tuple[Help, ...]
    encrypted_profile: str


@contract("way_in.granted.v1", subject="request_id", published_by="matching")
class WayInGranted(Event):
    """A link (`link_id`: the digest of its token) opens the supportee's page until then, and with `note_keys` the notes that they
    wrap under the link's secret (shared/vault.py)."""

    request_id: str
    link_id: str
    kind: WayIn
    expires_at: datetime
    note_keys: tuple[WrappedNoteKey, ...] = ()


# published by notify


@contract("letter_link.made.v1", subject="request_id", published_by="notify")
class LetterLinkMade(Event):
    """An e-mail to a supportee carries a link of its own (`link_id`: the digest of its token). `secret` is for matching, which
    answers with `way_in.granted`."""

    request_id: str
    link_id: str
    expires_at: datetime
    secret: EncryptedFields


@contract("reply.received.v1", subject="offer_id", published_by="notify")
class ReplyReceived(Event):
    """A text came back with an offer's code. The sender's number was checked against the practitioner's."""

    offer_id: str
    practitioner_id: str
    reply_id: str
    answer: Answer


@contract("contact.erased.v1", subject="request_id", published_by="notify")
class ContactErased(Event):
    """They left, and notify holds nothing of theirs any more."""

    request_id: str


@contract("notification.failed.v1", subject="person_id", published_by="notify")
class NotificationFailed(Event):
    """Every channel to this person failed for good; a coordinator should know. `template`: what they were to be told."""

    person_id: str
    request_id: str | None = None
    template: str


@contract("notify_message.stranded.v1", subject="event_id", published_by="notify")
class NotifyMessageStranded(Event):
    """As `intake_message.stranded`, of notify."""

    event_id: str
    failed_at: datetime
