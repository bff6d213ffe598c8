"""The state that matching keeps, as typed objects.

A transition checks the state it starts from (InvalidTransition), raises the version and returns the events to publish. Nothing
here reads a clock, draws an id or knows a database: moments, ids and encrypted fields are handed in. Whom to ask is decided in
rules.py.
"""

from services.matching.domain.agreement import Agreement
from services.matching.domain.application import Application, Said, Yes
from services.matching.domain.desk import AuditAction, AuditEntry, Coordinator, CoordinatorTask, TaskReason
from services.matching.domain.feedback import Feedback
from services.matching.domain.look_back import LookBack
from services.matching.domain.match import Match
from services.matching.domain.meetings import Meetings
from services.matching.domain.note import Note
from services.matching.domain.offer import Offer, OfferState
from services.matching.domain.practitioner import CODES, Hours, NotAgain, OwnChange, Practitioner, Topic
from services.matching.domain.request import Flood, Queue, Request, RequestState, WaitingFor
from services.matching.domain.versioned import InvalidTransition, Versioned

__all__ = [
    "CODES",
    "Agreement",
    "Application",
    "AuditAction",
    "AuditEntry",
    "Coordinator",
    "CoordinatorTask",
    "Feedback",
    "Flood",
    "Hours",
    "InvalidTransition",
    "LookBack",
    "Match",
    "Meetings",
    "NotAgain",
    "Note",
    "Offer",
    "OfferState",
    "OwnChange",
    "Practitioner",
    "Queue",
    "Request",
    "RequestState",
    "Said",
    "TaskReason",
    "Topic",
    "Versioned",
    "WaitingFor",
    "Yes",
]
