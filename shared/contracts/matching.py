"""Published by matching: who is asked, who meets whom, what practitioners and coordinators did."""

from datetime import datetime
from typing import Literal

from shared.contracts.common import (
    AfterEnding,
    AfterNo,
    AgreementChange,
    AgreementText,
    ContactDetails,
    EncryptedFields,
    EscalationReason,
    Help,
    LookBackChange,
    MeetingsChange,
    MeetingType,
    Next,
    PairMember,
    Part,
    PractitionerState,
    Proposal,
    ReleaseReason,
    Reminder,
    ReplyOutcome,
    Room,
    Series,
    TeamRole,
    WayIn,
    WeeklyHour,
    WelcomeNews,
    WelcomeState,
    WrappedNoteKey,
)
from shared.messages import Event, contract


@contract("team_contact.shared.v1", subject="person_id", published_by="matching")
class TeamContactShared(ContactDetails):
    """A practitioner's or a coordinator's; a person's role never changes. `digest`: what can wait comes in one e-mail a day."""

    role: TeamRole
    digest: bool = False


@contract("team_sign_in.requested.v1", subject="person_id", published_by="matching")
class TeamSignInRequested(Event):
    """A practitioner or a coordinator asked for a link to their own pages. `encrypted` is for notify: link (absolute URL)."""

    person_id: str
    encrypted: EncryptedFields


@contract("offer.made.v1", subject="request_id", published_by="matching")
class OfferMade(Event):
    """A place is held and this practitioner is asked. `encrypted` is for notify: link (e-mail), short_link (text). `if_not`: what
    follows if they do not say yes."""

    offer_id: str
    request_id: str
    practitioner_id: str
    version: int
    answer_by: datetime
    code: str
    after_waiting: bool = False
    encrypted: EncryptedFields
    if_not: AfterNo | None = None


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
    `opening/<opening_id>`, like a note; None when no key is left. `coordinator_id`: who it was, for notes to one alone."""

    opening_id: str
    request_id: str
    opened_at: datetime
    encrypted: str | None = None
    match_id: str | None = None
    coordinator_id: str | None = None


@contract("team.changed.v1", subject="coordinator_id", published_by="matching")
class TeamChanged(Event):
    """A coordinator lets supportees choose them by their first name to read a note, or does so no more. `encrypted_profile`: JSON
    {name}, under the directory key; empty when they are not shown."""

    coordinator_id: str
    version: int
    is_shown: bool
    encrypted_profile: str = ""


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


@contract("meetings.changed.v1", subject="request_id", published_by="matching")
class MeetingsChanged(Event):
    """When and where two people meet, the whole of it as it is now. `version` grows by one with each change of the meetings of
    this match, and orders these events alone.

    `hours`: some that lie in both weeks, in the supportee's zone. `proposal`: what one of them waits for the other to choose
    from. `series`: when they meet; `former`: series that ended lately, for calendars. `meeting_type`, `doing`: of the series.
    `encrypted_place`: where, as the field `place` under the key of this match. `on_hold`: the supportee takes a pause from all
    of it. `remind_supportee`, `remind_practitioner`: how long before each date, for who asked for it. `callers`: who said yes to
    phone calls; only with both there is `encrypted_phone`, the practitioner's number, perhaps empty, as the field
    `phone/practitioner` under the key of this match. `room`: notify makes it, keeps it as long as it stands here, and deletes it
    a day after `ended_at`. `encrypted` is for notify, where the practitioner is told: link (e-mail), short_link (text)."""

    match_id: str
    request_id: str
    offer_id: str
    supportee_id: str
    practitioner_id: str
    version: int
    change: MeetingsChange
    by: PairMember | None = None
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
    callers: tuple[PairMember, ...] = ()
    encrypted_phone: str | None = None
    room: Room | None = None
    encrypted: EncryptedFields | None = None


@contract("agreement.changed.v1", subject="request_id", published_by="matching")
class AgreementChanged(Event):
    """What two people agree on, the whole of it as it is now. `version` grows by one with each change of the agreement of this
    match, and orders these events alone.

    `newest`: none before they began, and after one of them deleted it; `number`: of the newest version or deletion. `said_yes`:
    who said yes to the newest; whoever writes one has. `before`: what whoever has not said yes to the newest said yes to last.
    `heard`: the `change` of the newest thing that the supportee did and that was heard; `accepted`: the id of their last version
    that became one. `unchanged`: what they did was heard and came too late. `encrypted` is for notify, where the practitioner is
    told: link (e-mail), short_link (text)."""

    match_id: str
    request_id: str
    offer_id: str
    supportee_id: str
    practitioner_id: str
    version: int
    change: AgreementChange
    by: PairMember | None = None
    number: int
    newest: AgreementText | None = None
    before: AgreementText | None = None
    said_yes: tuple[PairMember, ...] = ()
    heard: int = 0
    accepted: str | None = None
    ended_at: datetime | None = None
    encrypted: EncryptedFields | None = None


@contract("look_back.changed.v1", subject="request_id", published_by="matching")
class LookBackChanged(Event):
    """After some meetings both were asked two questions (`opened`), and what they answered is shown once both have (`shown`): as
    the fields `look_back/supportee` and `look_back/practitioner` under the key of this match. Whether one alone has answered is
    never said. `version` orders these events alone. `encrypted` is for notify, where the practitioner is told: link (e-mail),
    short_link (text)."""

    match_id: str
    request_id: str
    offer_id: str
    supportee_id: str
    practitioner_id: str
    version: int
    change: LookBackChange
    supportee: str | None = None
    practitioner: str | None = None
    ended_at: datetime | None = None
    encrypted: EncryptedFields | None = None


@contract("suggestions.made.v1", subject="request_id", published_by="matching")
class SuggestionsMade(Event):
    """Two or three people (fewer only when there are fewer) for the supportee to choose from, in the order to show them.
    `until_a_person_writes`: they asked for a person, and these are there until one has written."""

    request_id: str
    supportee_id: str
    practitioner_ids: tuple[str, ...]
    version: int
    until_a_person_writes: bool = False


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
    """The request ended after a long silence, and with it everything that was to happen. `by_coordinator`: not by silence, but
    while it was held, by a coordinator."""

    request_id: str
    supportee_id: str
    version: int
    by_coordinator: bool = False


@contract("coordinator.needed.v1", subject="request_id", published_by="matching")
class CoordinatorNeeded(Event):
    """A coordinator is needed. `reaching_out`: the request itself moved to that state, and the supportee is told so.
    `taken`: a coordinator did this and holds it, so the desk need not be called. `not_for`: `ids`, for notify: coordinators from
    whom this request is hidden, with spaces between them, who are not called."""

    request_id: str
    supportee_id: str
    reason: EscalationReason
    reaching_out: bool
    version: int
    taken: bool = False
    not_for: EncryptedFields | None = None


@contract("contact.released.v1", subject="request_id", published_by="matching")
class ContactReleased(Event):
    """A coordinator read what this supportee wrote that we should know before we write: from now on they are written to, or only
    once they say so on their page."""

    request_id: str
    supportee_id: str
    write: Literal["now", "on_their_word"]


@contract("request.readers_changed.v1", subject="request_id", published_by="matching")
class RequestReadersChanged(Event):
    """`nobody`: no coordinator reads anything of this supportee, as every one is somebody whom they would never meet; false: that
    is so no more. `somebody_was_to_write`: they were told that a person writes to them."""

    request_id: str
    nobody: bool
    version: int
    somebody_was_to_write: bool = False


@contract("request.released.v1", subject="request_id", published_by="matching")
class RequestReleased(Event):
    """A coordinator let a request that was held go its usual way."""

    request_id: str
    supportee_id: str
    version: int


@contract("words.erased.v1", subject="request_id", published_by="matching")
class WordsErased(Event):
    """They left, and matching holds nothing of theirs any more."""

    request_id: str


@contract("note.unreadable.v1", subject="request_id", published_by="matching")
class NoteUnreadable(Event):
    """The one coordinator whom the supportee chose to read this note never sees their request. Nobody reads it until
    notes.released."""

    request_id: str
    note_id: str


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
    """The whole public entry, as it is now. `parts` are in `time_zone`. `doings`: codes of the programme's. `encrypted_profile`:
    JSON {slug, name, pronouns, words, can_sit_with, first_meeting, not_offered, access, lived, lived_words}, readable by intake
    with the directory key; `lived`: codes of the programme's list, with spaces between them."""

    practitioner_id: str
    version: int
    state: PractitionerState
    resting_until: datetime | None = None
    languages: tuple[str, ...]
    meeting_types: tuple[MeetingType, ...]
    parts: tuple[Part, ...]
    help: tuple[Help, ...]
    doings: tuple[str, ...] = ()
    time_zone: str | None = None
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


@contract("notes.missed.v1", subject="request_id", published_by="matching")
class NotesMissed(Event):
    """The request's page has notes whose ids begin so, and matching does not."""

    request_id: str
    notes: tuple[str, ...]


@contract("practitioner.moved_on.v1", subject="practitioner_id", published_by="matching")
class PractitionerMovedOn(Event):
    """Somebody on the way to become a practitioner: where it stands, and what they are told of it by e-mail, if anything. `step`:
    whose yes it was, a code of the programme's."""

    practitioner_id: str
    version: int
    state: WelcomeState
    step: str | None = None
    news: WelcomeNews | None = None


@contract("call.asked.v1", subject="person_id", published_by="matching")
class CallAsked(Event):
    """A practitioner asks this buddy or coordinator of theirs to call them. `encrypted` is for notify: who (their name)."""

    call_id: str
    person_id: str
    encrypted: EncryptedFields
