"""What intake keeps: drafts, requests, and what opens them. What people wrote is encrypted here; nothing in here holds a key."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from services.intake import rules
from services.intake.rules import Action, NextChoice, Pace, RequestStatus, StatusEvent
from shared.contracts import (
    AgeGroup,
    AgreementText,
    Channel,
    Choice,
    Help,
    MeetingType,
    Mode,
    PairMember,
    Part,
    Proposal,
    Reminder,
    Room,
    Series,
    Standing,
    WayIn,
    WeeklyHour,
)

TIME_TO_READ = timedelta(days=3)
TypedAnswers = dict[str, str | list[str]]  # the answers to one question as they were typed: field -> text, or list of texts


@dataclass(frozen=True, kw_only=True, repr=False)
class Answers:
    """The seven questions, answered and checked. Empty means: not given."""

    mode: Mode
    choices: tuple[Choice, ...]
    avoid: tuple[str, ...]
    avoid_words: str
    name: str
    pronouns: str
    help: tuple[Help, ...]
    words: str
    reach: tuple[str, ...]
    channels: tuple[Channel, ...]  # those of `reach` by which they are told; none: they look at their page themselves
    email: str  # as typed
    phone: str  # as typed
    email_address: str  # normalized; empty unless they want email
    phone_number: str  # E.164; empty unless they want texts
    no_name: str
    quiet_from: int
    quiet_until: int
    before_we_write: str
    pace: Pace
    greet_as: str
    safely: tuple[str, ...]
    meeting_types: tuple[MeetingType, ...]
    parts: tuple[Part, ...]
    time_zone: str
    access: str
    language: str
    language_other: str
    languages: tuple[str, ...]  # codes for matching
    age_group: AgeGroup | None
    anything: str


@dataclass(frozen=True, kw_only=True, repr=False)
class CodeWords:
    """`id`: a digest to find them by. `wrap`: the person's own key under a key that only the words make. `saved`: they open the
    draft, because its writer wants to come back."""

    words: str
    id: str
    wrap: str
    saved: bool = False


@dataclass(frozen=True, kw_only=True, repr=False)
class Draft:
    """What one person typed so far, decrypted. Its key becomes the person's own key, its request_id the request's. `begun_at`:
    when the first answer came."""

    person_id: str
    request_id: str
    key: bytes
    typed: Mapping[int, TypedAnswers] = field(default_factory=dict)
    code_words: CodeWords | None = None
    begun_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class AccessCode:
    """Code words as they are stored, among the links. Without `expires_at` they open a request as long as it is there."""

    id: str
    purpose: Literal["code_words"] = "code_words"
    person_id: str
    wrap: str
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class AccessLink:
    """`id`: digest of its token. `subject_id`: the request. `note_wraps`: keys of notes under the link's secret: by match id,
    "words" for those without a match. `device`: digest of the mark of the browser that it opens for, once one pressed it. `code`:
    digest of the code that must be typed; `tries`: how often one was."""

    id: str
    purpose: WayIn
    subject_id: str
    person_id: str
    expires_at: datetime
    note_wraps: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    code: str | None = None
    tries: int = 0


@dataclass(frozen=True, kw_only=True, repr=False)
class EncryptedNote:
    """`author`: supportee, coordinator, or a practitioner's id. `reader`: whom the supportee wrote to, a practitioner's id; None:
    the coordinators. `coordinator_id`: the one coordinator who reads it; None: any. `unreadable`: that one never sees the
    request. `match_id`: the match whose key it is under, if any."""

    id: str
    encrypted: str
    at: datetime
    author: str
    reader: str | None = None
    coordinator_id: str | None = None
    unreadable: bool = False
    match_id: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Note:
    """A note, decrypted."""

    id: str
    words: str
    at: datetime
    author: str
    reader: str | None = None
    coordinator_id: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Opening:
    """A coordinator opened the request. `encrypted`: their name, under the same keys as a note; None when no key was left."""

    id: str
    at: datetime
    encrypted: str | None = None
    match_id: str | None = None
    coordinator_id: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Meetings:
    """When and where the two of a match (`id`) meet, as matching said last: see MeetingsChanged. `heard_at`: they changed
    something since, and matching has not answered yet."""

    id: str
    request_id: str
    version: int = 0
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
    heard_at: datetime | None = None
    remind_supportee: tuple[Reminder, ...] = ()
    callers: tuple[PairMember, ...] = ()
    encrypted_phone: str | None = None
    room: Room | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class UnheardText:
    """A version of their agreement that the supportee wrote: matching has not answered yet, or, with `came_late`, did not take it
    because the practitioner was sooner. `base`: the number of what they had before them, `change`: of what they did."""

    id: str
    change: int
    base: int
    encrypted: str
    came_late: bool = False


@dataclass(frozen=True, kw_only=True, repr=False)
class Agreement:
    """What the two of a match (`id`) agree on, as matching said last: see AgreementChanged. `changes`: how many things the
    supportee did to it; `deleted`: the newest of them that deleted it."""

    id: str
    request_id: str
    version: int = 0
    number: int = 0
    newest: AgreementText | None = None
    before: AgreementText | None = None
    said_yes: tuple[PairMember, ...] = ()
    heard: int = 0
    accepted: str | None = None
    ended_at: datetime | None = None
    changes: int = 0
    deleted: int = 0
    unheard: UnheardText | None = None

    @property
    def is_underway(self) -> bool:
        """Matching has not answered what they did last."""
        return self.heard < self.changes

    @property
    def is_empty(self) -> bool:
        return self.newest is None and self.unheard is None

    def hear(self, told: "Agreement") -> "Agreement":
        """What matching says now. What it said before it heard of a deletion shows nothing."""
        if told.version <= self.version:
            return self
        now = replace(told, changes=self.changes, deleted=self.deleted)
        if told.heard < self.deleted:
            return replace(now, newest=None, before=None, said_yes=(), unheard=self.unheard)
        return replace(now, unheard=self._still_unheard(told))

    def _still_unheard(self, told: "Agreement") -> UnheardText | None:
        mine = self.unheard
        if mine is None or told.accepted == mine.id:
            return None
        if told.newest is None and mine.base < told.number:
            return None  # one of them deleted what it was written on
        return replace(mine, came_late=True) if told.heard >= mine.change else mine

    def write(self, id: str, encrypted: str) -> "Agreement":
        text = UnheardText(id=id, change=self.changes + 1, base=self.number, encrypted=encrypted)
        return replace(self, changes=text.change, unheard=text)

    def say_yes(self) -> "Agreement":
        """What they wrote too late is done with."""
        mine = self.unheard
        return replace(self, changes=self.changes + 1, unheard=None if mine and mine.came_late else mine)

    def delete(self) -> "Agreement":
        """On their page it is gone at once."""
        change = self.changes + 1
        return replace(self, changes=change, deleted=change, newest=None, before=None, said_yes=(), unheard=None)


@dataclass(frozen=True, kw_only=True, repr=False)
class LookBack:
    """Two questions to the two of a match (`id`), as matching said last: see LookBackChanged. `answered`: this one has; only
    matching keeps what, until both have. `not_now`: they were asked, and need not be shown the questions again."""

    id: str
    request_id: str
    version: int = 0
    supportee: str | None = None
    practitioner: str | None = None
    answered: bool = False
    not_now: bool = False
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Plan:
    """Somebody's own plan for hard days, under their own key alone. `shown_to`: the match whose practitioner reads it, in the
    version with the id `shown_text`. `changes`: how often they showed it or took it back."""

    text_id: str | None = None
    encrypted: str | None = None
    shown_to: str | None = None
    shown_text: str | None = None
    changes: int = 0


@dataclass(frozen=True, kw_only=True)
class SharedNotes:
    """One of the two let coordinators read what they had written to each other until then."""

    practitioner_id: str
    by: PairMember
    at: datetime


@dataclass(frozen=True, kw_only=True, repr=False)
class Request:
    """A request as its own page shows it; matching decides what becomes of it.

    `history`: every event about it, in any order. `choice`: what the supportee last chose to happen next. Answers and notes are
    gone once it ended, code words some minutes after sending. Indexes are keyed hashes of their addresses. `reconciled_at`: when
    it was last looked at because no event had come back; `reemissions`: how often it was published again for that.
    `asks_for_words`: nothing but code words lets anybody in. `texts_are_safe`: a code to come in by may be texted.

    `silent_since`: from when silence counts (lifetimes.py). `told_at`, `asked_at`, `warned_at`: when they were last written to
    while they waited: without news, whether they still look, and that it ends. `next_look_at`: when something of that may be
    due. `gone_silent_at`: when matching was told that it may end. `ended_at`: they left, or it ended after a long silence.
    `on_hold`: the match from which they take a pause; `hold_changes`: how often they began or ended one.
    `contact_version`, `changes`: of what notify and matching know of their answers; both grow with each correction.

    `unread`: nobody has read yet what we should know before we write, `on_their_word`: they want to say when; nothing is sent
    while one of the two stands. `has_no_reader`: every coordinator is somebody they would never meet, as of `readers_version`.
    `names_somebody`: a person reads whom they would never meet before anybody is asked. `held`: it came in a flood, and a
    coordinator looks at it before anything happens; `confirmed`: they came by the link of our e-mail.
    """

    id: str
    person_id: str
    mode: Mode
    choices: tuple[str, ...]
    language: str
    time_zone: str
    sent_at: datetime
    silent_since: datetime
    pace: Pace = "two_weeks"
    next_look_at: datetime | None = None
    told_at: datetime | None = None
    asked_at: datetime | None = None
    warned_at: datetime | None = None
    gone_silent_at: datetime | None = None
    encrypted_answers: str | None = None
    encrypted_code_words: str | None = None
    code_words_until: datetime | None = None
    email_index: str | None = None
    phone_index: str | None = None
    asks_for_words: bool = False
    texts_are_safe: bool = False
    history: tuple[StatusEvent, ...] = ()
    choice: NextChoice | None = None
    notes: tuple[EncryptedNote, ...] = ()
    ended_at: datetime | None = None
    reconciled_at: datetime | None = None
    reemissions: int = 0
    contact_version: int = 1
    changes: int = 0
    on_hold: str | None = None
    hold_changes: int = 0
    openings: tuple[Opening, ...] = ()
    shared_notes: tuple[SharedNotes, ...] = ()
    unread: bool = False
    has_no_reader: bool = False
    readers_version: int = 0
    on_their_word: bool = False
    names_somebody: bool = False
    held: bool = False
    confirmed: bool = False
    plan: Plan | None = None

    @property
    def status(self) -> RequestStatus:
        status = rules.request_status(self.history, choice=self.choice)
        if status.state == "matched" and self.on_hold and self.on_hold == status.match_id:
            return rules.on_hold(status)
        return replace(status, asks_first=True) if self._asks_first(status) else status

    def allowed_actions(self, moment: datetime) -> tuple[Action, ...]:
        """With what only time allows: somebody else instead of who is asked, after half of the time to answer."""
        status = self.status
        late = status.state == "asking" and status.reason != "person" and rules.half_of_the_time_is_over(self.history, moment)
        return ("ask", *status.allowed_actions) if late else status.allowed_actions

    def hear_by(self, answer_days: int) -> datetime:
        """What was promised when they sent it."""
        from_a_person = self.mode == "reach_out" or self.names_somebody
        return rules.hear_by(self.sent_at, answer_days, self.time_zone, from_a_person=from_a_person)

    @property
    def is_held(self) -> bool:
        """Nothing is sent to them now, though they gave an address."""
        return (self.unread or self.on_their_word) and bool(self.email_index or self.phone_index)

    @property
    def version(self) -> int:
        """Of the newest event that changes what they can do, for forms: a choice made on an older page changes nothing."""
        return rules.version_of(self.history)

    @property
    def standing(self) -> Standing:
        """As matching should hold it too. What they chose last may still be on its way there."""
        status = self.status
        if self.ended_at or status.state in ("withdrawn", "lapsed"):
            return "ended"
        if not self.history:
            return "sent"
        return rules.STANDINGS.get(status.state, "open")

    def may_come_in(self, *, by_words_or_link: bool) -> bool:
        """Something opens their page now, or lets them ask for what does."""
        asks = bool(self.email_index) or (bool(self.phone_index) and self.texts_are_safe)
        return by_words_or_link or (asks and not self.asks_for_words)

    @property
    def has_unshared_notes(self) -> bool:
        """Whether there are notes between them and whoever is with their request which no coordinator may read yet."""
        reader = rules.note_reader(self.status, {note.author for note in self.notes})
        said = [note.at for note in self.notes if reader and reader in (note.author, note.reader)]
        shared = [one.at for one in self.shared_notes if one.practitioner_id == reader]
        return bool(said) and (not shared or max(said) > max(shared))

    @property
    def never_read_by(self) -> frozenset[str]:
        """The coordinators who never see this request, as far as that is known here: somebody wrote to them."""
        return frozenset(note.coordinator_id for note in self.notes if note.unreadable and note.coordinator_id)

    def unread_by(self, moment: datetime) -> str | None:
        """The one coordinator to whom they wrote, who has not opened their request since, for days, or never sees it."""
        theirs = [note for note in self.notes if note.author == "supportee" and note.coordinator_id]
        for note in sorted(theirs, key=lambda note: note.at):
            opened = any(one.coordinator_id == note.coordinator_id and one.at >= note.at for one in self.openings)
            if note.unreadable or (not opened and moment - note.at >= TIME_TO_READ):
                return note.coordinator_id
        return None

    def _asks_first(self, status: RequestStatus) -> bool:
        """Whether who is asked put a question to them that they have not answered."""
        if status.state != "asking":
            return False
        [practitioner_id] = status.practitioner_ids
        said = [note for note in self.notes if practitioner_id in (note.author, note.reader)]
        return bool(said) and max(said, key=lambda note: note.at).author == practitioner_id
