"""Published by intake: what a supportee asks for, writes and chooses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.contracts.common import (
    AgeGroup,
    Choice,
    ContactDetails,
    EncryptedFields,
    Eraser,
    FeedbackAbout,
    Help,
    MeetingsAction,
    MeetingType,
    Mode,
    NoteReader,
    Part,
    Proposal,
    Reminder,
    Standing,
    StillWaiting,
    WaitsFor,
)
from shared.messages import Event, contract


@contract("request.submitted.v1", subject="request_id", published_by="intake")
class RequestSubmitted(Event):
    """`encrypted` is for matching: name, pronouns, words, access, anything. Empty meeting_types, parts, languages: no limit.
    `page_language`: of the pages they read; who speaks it goes first where they chose no language. `person_index`: keyed hashes
    of their address and number, by which a practitioner's own list knows them again; they open and find nothing else. `held`: it
    came faster than a person types, or with many others to or from one place, so a coordinator looks at it before anything
    happens with it."""

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
    person_index: tuple[str, ...] = ()
    held: bool = False


@contract("contact.shared.v1", subject="person_id", published_by="intake")
class ContactShared(ContactDetails):
    """A supportee's. `only_news`: whatever it is, they are told only that they have a message. Nothing is sent while one of these
    stands. `read_first`: with this version they wrote what we should know before we write, until contact.released says that a
    coordinator read it. `on_their_word`: until contact.allowed. `first_link`: for the first e-mail alone, not to be kept.
    `opens_by_link`: false: no message of theirs is to carry a link that opens something. `held`: as in request.submitted: the
    address gets one e-mail at most, and the number no text, until contact.confirmed or request.released. `nothing_to_read`: they
    took back what an earlier version's `read_first` was about. `hear_by`: with the first version, the moment until which their
    page says that they hear from us. `person_writes`: it says that a person writes to them by then, because they asked for it."""

    request_id: str
    only_news: bool = False
    read_first: bool = False
    on_their_word: bool = False
    first_link: EncryptedFields | None = None
    opens_by_link: bool = True
    held: bool = False
    nothing_to_read: bool = False
    hear_by: datetime | None = None
    person_writes: bool = False


@contract("contact.allowed.v1", subject="person_id", published_by="intake")
class ContactAllowed(Event):
    """The supportee said on their page that we may write to them now. `was_read`: their page showed that a coordinator had read
    what they wrote, so that contact.released came before this, whichever arrives first. `without_reading`: nobody may read it,
    and they let that be."""

    person_id: str
    request_id: str
    was_read: bool
    without_reading: bool = False


@contract("contact.confirmed.v1", subject="person_id", published_by="intake")
class ContactConfirmed(Event):
    """Somebody whose request is held opened their page by the link of our e-mail, so the address is theirs."""

    person_id: str
    request_id: str


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
    `read_first`: they wrote anew what we should know before we write. `person_index`: as in `request.submitted`; None: as it was.
    `avoid`: practitioners whom they would rather not meet; None: as it was.
    """

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
    person_index: tuple[str, ...] | None = None
    avoid: tuple[str, ...] | None = None


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
    """The supportee wrote to whoever they are with, or to the coordinators. Encrypted like `note.written`. `coordinator_id`: the
    one coordinator who reads it; None: any."""

    note_id: str
    request_id: str
    encrypted: str
    match_id: str | None = None
    to: NoteReader | None = None
    coordinator_id: str | None = None


@contract("notes.released.v1", subject="request_id", published_by="intake")
class NotesReleased(Event):
    """The supportee lets any coordinator read what they wrote to one alone."""

    request_id: str


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


@contract("hours.proposed.v1", subject="request_id", published_by="intake")
class HoursProposed(Event):
    """The supportee proposes when the two could meet."""

    request_id: str
    match_id: str
    proposal: Proposal


@contract("hour.chosen.v1", subject="request_id", published_by="intake")
class HourChosen(Event):
    """The supportee chose one of the hours that this practitioner proposed."""

    request_id: str
    match_id: str
    proposal_id: str
    start: datetime


@contract("meetings.adjusted.v1", subject="request_id", published_by="intake")
class MeetingsAdjusted(Event):
    """The supportee skips a date, keeps it after all, moves it once, pauses, resumes or ends the series with this id, or takes
    back what they proposed (then `series_id` is the proposal's). `on`: the date as it was, `to`: when it is instead.
    `remind`: how long before each date they want to be reminded."""

    request_id: str
    match_id: str
    series_id: str
    action: MeetingsAction
    on: str | None = None
    to: datetime | None = None
    remind: tuple[Reminder, ...] = ()


@contract("calls.agreed.v1", subject="request_id", published_by="intake")
class CallsAgreed(Event):
    """The supportee says yes to phone calls with this practitioner, or takes that back (None). `encrypted`: their number, perhaps
    empty, as the field `phone/supportee` under the key of this match."""

    request_id: str
    match_id: str
    encrypted: str | None = None


@contract("feedback.given.v1", subject="feedback_id", published_by="intake")
class FeedbackGiven(Event):
    """Somebody, of whom nothing is known, said what was good and what should change: the fields good and change, encrypted for
    matching. `feedback_id`: random; it stands for nobody. `week`: when the week began in which they wrote, UTC."""

    feedback_id: str
    about: FeedbackAbout
    week: datetime
    encrypted: EncryptedFields


@contract("agreement.written.v1", subject="request_id", published_by="intake")
class AgreementWritten(Event):
    """The supportee wrote a version of what the two agree on. `base`: the number of the newest one that they had before them (0:
    none); `begins`: there was none any more. `change` grows by one with each thing they do to the agreement: what is older than
    the newest that was heard has no meaning. `encrypted`: see AgreementText, with `text_id` as its id."""

    request_id: str
    match_id: str
    change: int
    text_id: str
    base: int
    begins: bool = False
    encrypted: str


@contract("agreement.agreed.v1", subject="request_id", published_by="intake")
class AgreementAgreed(Event):
    """The supportee says yes to the version with this number. `change`: as above."""

    request_id: str
    match_id: str
    change: int
    number: int


@contract("agreement.deleted.v1", subject="request_id", published_by="intake")
class AgreementDeleted(Event):
    """The supportee deleted the agreement, of which they had the version with the number `base` before them. `change`: as
    above."""

    request_id: str
    match_id: str
    change: int
    base: int


@contract("plan.shown.v1", subject="request_id", published_by="intake")
class PlanShown(Event):
    """The supportee shows their practitioner their plan for hard days, or takes it back (None). `encrypted`: what stands under
    each heading, as the field `plan` under the key of this match. `change` grows by one each time: the newest holds, in whatever
    order they come."""

    request_id: str
    match_id: str
    change: int
    encrypted: str | None = None


@contract("look_back.answered.v1", subject="request_id", published_by="intake")
class LookBackAnswered(Event):
    """The supportee answered the two questions. `encrypted`: as the field `look_back/supportee` under the key of this match."""

    request_id: str
    match_id: str
    encrypted: str


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


@dataclass(frozen=True, kw_only=True)
class HeldRequest:
    """How a request stands for its person. `sent`: nothing about it has come back; `moving`: something about it was said in the
    last hour; `open`: it waits, for a place or a person. `opens`: something lets its person in. `late`: what was to be said to
    them was not for more than a day. `notes`: how the ids of its notes begin, but for those of meetings that ended."""

    request_id: str
    standing: Standing
    opens: bool = True
    late: bool = False
    notes: tuple[str, ...] = ()


@contract("requests.checked.v1", subject="check_id", published_by="intake")
class RequestsChecked(Event):
    """Once a day, some at a time: every request that intake holds whose id comes after `after`, up to `up_to` (empty: to the
    end), and those that left; but for what was sent in the last hour. Matching repairs what does not fit, or makes it a task."""

    check_id: str
    after: str
    up_to: str
    checked_at: datetime
    requests: tuple[HeldRequest, ...] = ()


@contract("intake_rows.kept.v1", subject="check_id", published_by="intake")
class IntakeRowsKept(Event):
    """Rows of these collections of intake are kept longer than is promised."""

    check_id: str
    collections: tuple[str, ...]


@contract("application.sent.v1", subject="application_id", published_by="intake")
class ApplicationSent(Event):
    """Somebody would like to be a practitioner. `encrypted` is for matching: email, and what they answered."""

    application_id: str
    language: str
    encrypted: EncryptedFields
