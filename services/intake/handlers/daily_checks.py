"""Once a day, how each request stands for its person is told to matching, which compares; and notes are said again there."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from services.intake import lifetimes, store
from services.intake.domain import EncryptedNote, Request
from services.intake.handlers.service import service
from shared import checks, outbox
from shared.clock import now
from shared.contracts import HeldRequest, IntakeRowsKept, NoteAnswered, NoteReader, NotesMissed, RequestsChecked
from shared.messages import Event
from shared.mongo import Db
from shared.service import KeptTooLong

ON_A_PAGE = 100
STILL_UNDER_WAY = timedelta(hours=1)
SHOWN_OF_AN_ID = 8


def find_due_check(db: Db) -> Iterable[str]:
    return checks.due(db, store.CHECK_OF_REQUESTS, now())


@service.every(checks.SECONDS_BETWEEN_LOOKS, find_due_check)
def check_requests(name: str, db: Db) -> list[Event]:
    """A page of them, and of those who left, by their ids. What earlier pages said is not kept longer than until now."""
    moment = now()
    page = checks.begin(db, name, moment)
    if page is None:
        return []
    requests = {one.id: one for one in store.requests_after(db, page.after, ON_A_PAGE)}
    erased = store.erased_after(db, page.after, ON_A_PAGE)
    ids = sorted({*requests, *erased})[:ON_A_PAGE]
    last = ids[-1] if len(ids) == ON_A_PAGE else ""
    listed = [requests[id] for id in ids if id in requests and requests[id].sent_at < moment - STILL_UNDER_WAY]
    for _ in range(store.look_at_once(db, [one.id for one in listed], moment)):
        checks.record(service, db, "never_looked_at", "repaired")
    held = [*_held(listed, moment, page.before, db), *(_left(id) for id in ids if id not in requests)]
    checks.end(db, page, last, moment)
    outbox.erase(db, [name])
    return [RequestsChecked(check_id=name, after=page.after, up_to=last, checked_at=moment, requests=tuple(held))]


@service.on(NotesMissed)
def send_notes_again(event: NotesMissed, db: Db) -> list[Event]:
    """Those that their person wrote: of what others wrote to them this is the one copy."""
    request = store.request(db, event.request_id)
    if request is None or request.ended_at:
        return []
    missed = [note for note in lifetimes.notes_to_compare(request) if _beginning(note.id) in event.notes]
    return [_answered(request, note) for note in missed if note.author == "supportee"]


@service.on_kept_too_long
def tell_of_rows_kept_too_long(found: KeptTooLong, db: Db) -> list[Event]:
    return [IntakeRowsKept(check_id=str(uuid.uuid4()), collections=found.collections)]


def _held(requests: list[Request], moment: datetime, before: datetime | None, db: Db) -> list[HeldRequest]:
    come_in = store.those_with_a_way_in(db, [one.person_id for one in requests], moment)
    moving = outbox.said_since(db, moment - STILL_UNDER_WAY, [one.id for one in requests])
    return [
        HeldRequest(
            request_id=one.id,
            standing="moving" if one.id in moving and not one.ended_at else one.standing,
            opens=one.may_come_in(by_words_or_link=one.person_id in come_in),
            late=bool(before and one.next_look_at and one.next_look_at <= before),
            notes=tuple(sorted(_beginning(note.id) for note in lifetimes.notes_to_compare(one))),
        )
        for one in requests
    ]


def _left(request_id: str) -> HeldRequest:
    return HeldRequest(request_id=request_id, standing="ended")


def _beginning(note_id: str) -> str:
    return note_id[:SHOWN_OF_AN_ID]


def _answered(request: Request, note: EncryptedNote) -> NoteAnswered:
    to: NoteReader = "practitioner" if note.reader else "coordinators"
    return NoteAnswered(note_id=note.id, request_id=request.id, encrypted=note.encrypted, match_id=note.match_id, to=to)
