"""What coordinators work with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.matching.domain.versioned import Versioned, check
from shared.contracts import EscalationReason

TaskReason = (
    EscalationReason
    | Literal["stranded", "erasure_late", "ask_in_person", "out_of_step", "no_way_in", "kept_too_long"]
    | Literal["no_room", "room_left_over", "welcome"]
)
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
    "may_be_asked",
    "left_out",
    "flood_released",
    "flood_ended",
]


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
    called_again_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    @property
    def last_called_at(self) -> datetime:
        return self.called_again_at or self.since

    def call_again(self, moment: datetime) -> None:
        check(self.is_open, "call again", "resolved")
        self.called_again_at, self.holder = moment, None
        self.version += 1

    def take(self, coordinator_id: str) -> None:
        check(self.is_open, "take a task", "resolved")
        self.holder = coordinator_id
        self.version += 1

    def let_go(self) -> None:
        """Whoever has it has it no more."""
        check(self.is_open, "let go of a task", "resolved")
        self.holder = None
        self.version += 1

    def concern(self, person_id: str) -> None:
        """The same need again, of this person now."""
        check(self.is_open, "change a task", "resolved")
        self.person_id = person_id
        self.version += 1

    def begin_again(self, moment: datetime, due_at: datetime) -> None:
        """The same need, after it was done."""
        check(not self.is_open, "begin a task again", "open")
        self.since, self.due_at, self.holder, self.resolved_at, self.resolved_by = moment, due_at, None, None, None
        self.version += 1

    def resolve(self, moment: datetime, coordinator_id: str | None) -> None:
        check(self.is_open, "resolve a task", "resolved")
        self.resolved_at, self.resolved_by = moment, coordinator_id
        self.version += 1

    def reopen(self) -> None:
        """It was not done after all."""
        check(not self.is_open, "reopen a task", "open")
        self.resolved_at = self.resolved_by = None
        self.version += 1


@dataclass(kw_only=True)
class Coordinator(Versioned):
    """`encrypted_profile`: JSON {name}, under the directory key. `name_index`: keyed hashes of the parts of their name.
    `is_shown`: supportees may choose them by their first name to read a note."""

    email_index: str
    name_index: tuple[str, ...] = ()
    encrypted_profile: str = ""
    contact_version: int = 0
    is_shown: bool = False


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What a coordinator did with a request, or one of the two with their notes; then `coordinator_id` is empty."""

    id: str
    coordinator_id: str
    action: AuditAction
    request_id: str
    at: datetime
